// What the Layers view asks of the server, and which layer, word and visual token are chosen.

import { hasAdapter } from "../../core/families.js";
import { cellAt, rowAndColumn } from "../../core/geometry.js";
import { choices } from "../../state/selection.js";
import { cellInTime } from "../../state/time.js";
import { layersOf } from "./lens_curves.js";

/** @import { createLayerCurves } from "../../drawing/layer_curves.js" */
/** @import { Lens } from "./lens_curves.js" */
/**
 * @import {
 *   Answer, Context, Letter, Media, Resource, Run, Selection, StageView, State
 * } from "../../core/types.d.ts"
 */

/**
 * @typedef {object} LayersColumn
 * @property {Letter} letter
 * @property {StageView} stage
 * @property {HTMLElement} side
 * @property {HTMLElement} wait
 * @property {HTMLElement} thumbs
 * @property {HTMLElement} table
 * @property {HTMLElement} before
 * @property {HTMLElement} at
 * @property {HTMLElement} words
 * @property {ReturnType<typeof createLayerCurves>} chance
 * @property {ReturnType<typeof createLayerCurves>} norms
 * @property {Record<"stage" | "strip" | "table" | "charts", HTMLElement>} cells
 */

/**
 * What a column looks at: without a picture there is no visual token.
 * @typedef {object} Look
 * @property {Run} run
 * @property {Media | null} media
 * @property {Lens} lens
 * @property {Resource<Answer<"lens_word">> | null} word
 * @property {number} layer
 */

/** @typedef {Look & { media: Media }} PicturedLook */

export const READING = "reading every layer";

/** @param {Letter} letter @param {number} layer */
export const layerChoice = (letter, layer) => (letter === "A" ? { layerA: layer } : { layerB: layer });

/** @param {Selection} selection */
const own = (selection) => choices(selection, "layers");

// The word that is looked for: one that was typed, else the chosen word of the answer.
/** @param {Selection} selection */
export const typed = (selection) => {
  try {
    return decodeURIComponent(String(own(selection).word));
  } catch {
    return "";
  }
};

/** @type {(ctx: Context, state: State, letter: Letter) => Resource<Answer<"lens_word">> | null} */
export function wordOf(ctx, state, letter) {
  const run = state.runs[letter];
  const { selection } = state; // of what is locked: a hovered word would cost a replay
  if (!run?.media[selection.media]) return null;
  const text = typed(selection);
  const token = selection.query[letter];
  if (!text && token === null) return null;
  const query = { run: run.id, media: selection.media, ...(text ? { text } : { token }) };
  return ctx.client.resource(`lens word ${letter}`, "lens_word", query, { group: `${run.id} ${selection.media}` });
}

/** @param {Context} ctx @param {State} state @param {Run} run @param {number} token @param {string} channel */
export const tokenOf = (ctx, state, run, token, channel) =>
  ctx.client.resource(
    channel,
    "lens_token",
    { run: run.id, token },
    { hovering: state.preview !== null, group: run.id },
  );

// The layer on show: the chosen one, else that where the word is likeliest, else the last.
/** @type {(run: Run, selection: Selection, letter: Letter, word: Answer<"lens_word"> | null | undefined) => number} */
export function layerOf(run, selection, letter, word) {
  const chosen = own(selection)[/** @type {const} */ (`layer${letter}`)];
  if (chosen !== null && Number.isInteger(chosen) && chosen >= 0 && chosen < layersOf(run)) return chosen;
  return word?.layer ?? layersOf(run) - 1;
}

// The visual token in question: under the chosen place, or the chosen query where tokens are no places.
/** @param {{ run: Run, media: Media }} look @param {State} state @param {Selection} selection @param {Letter} letter */
export function visualToken({ run, media }, state, selection, letter) {
  const [, rows, columns] = media.token_grid;
  const time = cellInTime(state, selection, letter);
  const within = hasAdapter(run)
    ? Math.min(selection.adapter.query, rows * columns - 1)
    : cellAt(selection.keys ?? [0.5, 0.5], media.token_grid).index;
  const [row, column] = rowAndColumn(within, media.token_grid);
  return {
    row,
    column,
    columns,
    time,
    cell: time * rows * columns + within,
    token: media.first_token + tokenOffset(run, media, time, within),
  };
}

// Where a visual token stands after the media's first: in Qwen-VL marks stand between the frames of a clip.
/** @param {Run} run @param {Media} media @param {number} time @param {number} within */
function tokenOffset(run, media, time, within) {
  const [, rows, columns] = media.token_grid;
  const cell = time * rows * columns + within;
  let seen = -1;
  for (let index = media.first_token; index < run.tokens.media.length; index += 1) {
    if (run.tokens.media[index] === media.index) seen += 1;
    if (seen === cell) return index - media.first_token;
  }
  return 0;
}
