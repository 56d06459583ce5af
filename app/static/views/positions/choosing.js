// Which tokens a gesture in the Positions view chooses, and where the other model codes the same place.

import { hasAdapter } from "../../core/families.js";
import { placeOf } from "../../core/geometry.js";
import { LETTERS, both, other } from "../../state/selection.js";
import { tokenAt } from "./ids.js";

/**
 * @import {
 *   Both, Context, Letter, PositionFacts, Run, Selection, State
 * } from "../../core/types.d.ts"
 */

/**
 * The ids of one model's tokens under a rule, and per axis the spans that an earlier media overtook.
 * @typedef {{ run: Run, positions: number[][], overtaken: number[][][] | null, rule: string }} Ruled
 */

/** @typedef {Partial<Both<Ruled>>} ByRule */

/** @typedef {{ letter: Letter, token: number, walking?: boolean }} At a token of one model */

/** @typedef {{ letter: Letter, run: Run, facts: PositionFacts }} Known what one model's position facts are */

/** @param {State} state */
export const present = (state) =>
  LETTERS.flatMap((letter) => {
    const run = state.runs[letter];
    return run ? [{ letter, run }] : [];
  });

// A chosen token of the prompt has no word of its own in the other model, so that one's choice is let go.
/**
 * @param {Context} ctx
 * @param {At} at
 * @returns {Partial<Selection>}
 */
function choose(ctx, { letter, token }) {
  const { selection, runs } = ctx.store.state;
  const said = token >= (runs[letter]?.answer_start ?? 0);
  const query = said ? { ...selection.query, [letter]: token } : { ...both(null), [letter]: token };
  return { model: letter, query, own: { ...selection.own, [letter]: true } };
}

/** @param {Context} ctx @param {At | null} at */
export const hoverToken = (ctx, at) => ctx.store.preview(at && at.token >= 0 ? choose(ctx, at) : null);

/** @param {Context} ctx @param {At} at */
export function pickToken(ctx, at) {
  if (at.token < 0) return;
  const { selection } = ctx.store.state;
  const again = !at.walking && selection.query[at.letter] === at.token && selection.model === at.letter;
  ctx.store.select(again ? { query: { ...selection.query, [at.letter]: null } } : choose(ctx, at));
}

// The token of a Qwen-VL run whose query is coded at the place of the other model's visual token; null where none is.
/** @param {State} state @param {Selection} selection @param {Letter} letter */
export function codedAtTheSamePlace(state, selection, letter) {
  const [run, far] = [state.runs[letter], state.runs[other(letter)]];
  const token = selection.query[other(letter)];
  if (!run || !far || !hasAdapter(run) || hasAdapter(far) || token === null) return null;
  const [cell, index] = [far.tokens.cell[token], far.tokens.media[token]];
  if (!cell || index === null || index === undefined) return null;
  const [media, farMedia] = [run.media[index], far.media[index]];
  if (!media || farMedia.token_grid[0] !== media.token_grid[0]) return null;
  const [x, y] = placeOf(cell[1], cell[2], farMedia.token_grid);
  const at = tokenAt(run, media, [cell[0], Math.floor(y * media.token_grid[1]), Math.floor(x * media.token_grid[2])]);
  return at < 0 ? null : at;
}

/** @typedef {Partial<Record<Letter, { query: number | null, key: number | null }>>} Cursors */

/** @type {(state: State, selection: Selection) => Cursors} */
export const cursorsOf = (state, selection) =>
  Object.fromEntries(
    present(state).map(({ letter }) => [
      letter,
      { query: selection.query[letter], key: codedAtTheSamePlace(state, selection, letter) },
    ]),
  );
