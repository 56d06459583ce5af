// What the Layers view asks of the server, and which layer, word and visual token are chosen.

import { hasAdapter } from "../../core/families.js";
import { cellAt, rowAndColumn } from "../../core/geometry.js";
import { choices } from "../../state/selection.js";
import { cellInTime } from "../../state/time.js";
import { layersOf } from "./lens_curves.js";

/** @import { Context, Letter, Media, Run, Selection, State } from "../../core/types.d.ts" */

export const READING = "reading every layer";

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

/** @param {Context} ctx @param {State} state @param {Letter} letter */
export function wordOf(ctx, state, letter) {
  const run = state.runs[letter];
  const { selection } = state; // of what is locked: a hovered word would cost a replay
  if (!run.media[selection.media]) return null;
  const text = typed(selection);
  const token = selection.query[letter];
  if (!text && token === null) return null;
  const query = { run: run.id, media: selection.media, ...(text ? { text } : { token }) };
  return ctx.client.resource(`lens word ${letter}`, "lens_word", query, { group: `${run.id} ${selection.media}` });
}

/** @param {Context} ctx @param {State} state @param {Run} run */
export const tokenOf = (ctx, state, run, token, channel) =>
  ctx.client.resource(
    channel,
    "lens_token",
    { run: run.id, token },
    { hovering: state.preview !== null, group: run.id },
  );

// The layer on show: the chosen one, else that where the word is likeliest, else the last.
/** @param {Run} run @param {Selection} selection @param {Letter} letter */
export function layerOf(run, selection, letter, word) {
  const chosen = own(selection)[`layer${letter}`];
  if (Number.isInteger(chosen) && chosen >= 0 && chosen < layersOf(run)) return chosen;
  return word?.layer ?? layersOf(run) - 1;
}

// The visual token in question: under the chosen place, or the chosen query where tokens are no places.
/** @param {State} state @param {Selection} selection @param {Letter} letter */
export function visualToken(state, selection, letter) {
  const run = state.runs[letter];
  const media = run.media[selection.media];
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
/** @param {Run} run @param {Media} media */
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
