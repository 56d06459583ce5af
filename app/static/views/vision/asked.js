// What the Vision view asks of the server, and which layer, head and patch are chosen.

import { cellAt } from "../../core/geometry.js";
import { choices } from "../../state/selection.js";
import { cellInTime } from "../../state/time.js";
import { STATISTICS } from "./tower_matrix.js";

/** @import { Choice, Context, Letter, Run, Selection, State } from "../../core/types.d.ts" */

const MIDDLE = [0.5, 0.5];

/** @param {Selection} selection */
const own = (selection) => choices(selection, "vision");

/** @param {Selection} selection */
export const statisticOf = (selection) =>
  Object.hasOwn(STATISTICS, own(selection).statistic) ? own(selection).statistic : "distance";

const within = (value, size) => (Number.isInteger(value) && value >= 0 && value < size ? value : null);

/** @param {Context} ctx @param {State} state @param {Selection} selection @param {Letter} letter */
function heads(ctx, state, selection, letter) {
  const run = state.runs[letter];
  if (!run?.media[selection.media]) return null;
  const query = { run: run.id, media: selection.media, frame: cellInTime(state, selection, letter) };
  return ctx.client.resource(`tower ${letter}`, "vision_heads", query, { group: run.id });
}

// The chosen layer and head; where none was chosen, the most focused one, once it is known.
/** @param {Run} run @param {Selection} selection @param {Letter} letter */
function chosenCell(run, selection, letter, statistics) {
  const { layers, heads: size } = run.sites.vision;
  const start = statistics ? statistics.start : [0, "mean"];
  const layer = within(own(selection)[`layer${letter}`], layers) ?? start[0];
  const head = own(selection)[`head${letter}`];
  return [layer, head === "mean" ? "mean" : (within(head, size) ?? start[1])];
}

// The patch under the chosen place, counted in its media; the middle one where none is chosen.
/** @param {State} state @param {Selection} selection @param {Letter} letter */
export function patchOf(state, selection, letter) {
  const media = state.runs[letter].media[selection.media];
  const [, rows, columns] = media.patch_grid;
  const at = cellAt(selection.keys ?? MIDDLE, media.patch_grid);
  return { ...at, patch: cellInTime(state, selection, letter) * rows * columns + at.index };
}

function rowOf(ctx, state, selection, letter, /** @type {Choice[]} */ [layer, head]) {
  const run = state.runs[letter];
  const { patch } = patchOf(state, selection, letter);
  const query = { run: run.id, media: selection.media, query: patch, layer, head, swapped: selection.swap };
  const hovering = state.preview !== null;
  return ctx.client.resource(`vision ${letter}`, "vision_row", query, {
    hovering,
    group: `${run.id} ${selection.media}`,
  });
}

/** @param {Context} ctx @param {State} state @param {Selection} selection @param {Letter} letter */
export function placesOf(ctx, state, selection, letter) {
  const run = state.runs[letter];
  const { patch } = patchOf(state, selection, letter);
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
  if (!runs[letter].media[selection.media]) return {};
  const statistics = heads(ctx, state, selection, letter)?.value;
  const [layer, head] = chosenCell(runs[letter], selection, letter, statistics);
  return { query: patchOf(state, selection, letter).patch, layer, head };
}

/** @param {Context} ctx @param {State} state @param {Selection} selection @param {Letter} letter */
export const lookAt = (ctx, state, selection, letter) => {
  const run = state.runs[letter];
  if (!run?.media[selection.media]) return null;
  const statistics = heads(ctx, state, selection, letter);
  const cell = chosenCell(run, selection, letter, statistics?.value);
  return { run, media: run.media[selection.media], statistics, cell, row: rowOf(ctx, state, selection, letter, cell) };
};
