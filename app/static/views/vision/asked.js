// What the Vision view asks of the server, and which layer, head and patch are chosen.

import { cellAt } from "../../core/geometry.js";
import { choices } from "../../state/selection.js";
import { cellInTime } from "../../state/time.js";
import { STATISTICS } from "./tower_matrix.js";

/** @import { Answer, Choice, Context, Letter, Media, Resource, Run, Selection, State } from "../../core/types.d.ts" */

/** @typedef {[layer: Choice, head: Choice]} Cell */

/**
 * What one column looks at, and what is known of it.
 * @typedef {object} Look
 * @property {Run} run
 * @property {Media} media
 * @property {Resource<Answer<"vision_heads">>} statistics
 * @property {Cell} cell
 * @property {Resource<Answer<"vision_row">>} row
 */

const MIDDLE = [0.5, 0.5];

/** @param {Selection} selection */
const own = (selection) => choices(selection, "vision");

/** @param {Selection} selection */
export const statisticOf = (selection) =>
  Object.hasOwn(STATISTICS, own(selection).statistic) ? own(selection).statistic : "distance";

/** @param {Choice | null} value @param {number} size */
const within = (value, size) =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value < size ? value : null;

/** @param {Context} ctx @param {Run} run @param {State} state @param {Selection} selection @param {Letter} letter */
function heads(ctx, run, state, selection, letter) {
  const query = { run: run.id, media: selection.media, frame: cellInTime(state, selection, letter) };
  return ctx.client.resource(`tower ${letter}`, "vision_heads", query, { group: run.id });
}

// The chosen layer and head; where none was chosen, the most focused one, once it is known.
/**
 * @param {Run} run
 * @param {Selection} selection
 * @param {Letter} letter
 * @param {Answer<"vision_heads"> | null} statistics
 * @returns {Cell}
 */
function chosenCell(run, selection, letter, statistics) {
  const { layers, heads: size } = run.sites.vision;
  const start = statistics?.start ?? [0];
  const layer = within(own(selection)[/** @type {const} */ (`layer${letter}`)], layers) ?? start[0];
  const head = own(selection)[/** @type {const} */ (`head${letter}`)];
  return [layer, head === "mean" ? "mean" : (within(head, size) ?? start[1] ?? "mean")];
}

// The patch under the chosen place, counted in its media; the middle one where none is chosen.
/** @param {Media} media @param {State} state @param {Selection} selection @param {Letter} letter */
export function patchOf(media, state, selection, letter) {
  const [, rows, columns] = media.patch_grid;
  const at = cellAt(selection.keys ?? MIDDLE, media.patch_grid);
  return { ...at, patch: cellInTime(state, selection, letter) * rows * columns + at.index };
}

/**
 * @param {Context} ctx
 * @param {{ run: Run, media: Media }} here
 * @param {State} state
 * @param {Selection} selection
 * @param {Letter} letter
 * @param {Cell} cell
 */
function rowOf(ctx, { run, media }, state, selection, letter, [layer, head]) {
  const { patch } = patchOf(media, state, selection, letter);
  const query = { run: run.id, media: selection.media, query: patch, layer, head, swapped: selection.swap };
  const hovering = state.preview !== null;
  return ctx.client.resource(`vision ${letter}`, "vision_row", query, {
    hovering,
    group: `${run.id} ${selection.media}`,
  });
}

/** @param {Context} ctx @param {Look} look @param {State} state @param {Selection} selection @param {Letter} letter */
export function placesOf(ctx, { run, media }, state, selection, letter) {
  const { patch } = patchOf(media, state, selection, letter);
  const query = { run: run.id, media: selection.media, query: patch };
  const hovering = state.preview !== null;
  return ctx.client.resource(`places ${letter}`, "vision_places", query, {
    hovering,
    group: `${run.id} ${selection.media}`,
  });
}

// What is shown of one run, for an export.
/** @param {State} state @param {Letter} letter @param {Context} ctx */
export function shown(state, letter, ctx) {
  const { selection, runs } = state;
  const run = runs[letter];
  const media = run?.media[selection.media];
  if (!media) return {};
  const statistics = heads(ctx, run, state, selection, letter).value;
  const [layer, head] = chosenCell(run, selection, letter, statistics);
  return { query: patchOf(media, state, selection, letter).patch, layer, head };
}

/** @type {(ctx: Context, state: State, selection: Selection, letter: Letter) => Look | null} */
export const lookAt = (ctx, state, selection, letter) => {
  const run = state.runs[letter];
  const media = run?.media[selection.media];
  if (!media) return null;
  const statistics = heads(ctx, run, state, selection, letter);
  const cell = chosenCell(run, selection, letter, statistics.value);
  return { run, media, statistics, cell, row: rowOf(ctx, { run, media }, state, selection, letter, cell) };
};
