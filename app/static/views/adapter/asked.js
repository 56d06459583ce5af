// What the Adapter view asks of the server, and which query, head and patches are chosen.

import { hasAdapter } from "../../core/families.js";
import { cellAt, cellsOf, placeOf, rowAndColumn } from "../../core/geometry.js";
import { LETTERS } from "../../state/selection.js";
import { cellInTime } from "../../state/time.js";

/** @import { AdapterSize, Resource } from "../../core/types.d.ts" */
/**
 * @import {
 *   Answer, Both, Choice, Context, Letter, Media, Name, Place, Run, Selection, State
 * } from "../../core/types.d.ts"
 */

/** @typedef {Selection["adapter"]} Chosen */

/**
 * Everything a column of queries shows.
 * @typedef {object} Found
 * @property {Run} run
 * @property {AdapterSize} adapter
 * @property {Media} media
 * @property {Choice} head
 * @property {number} query
 * @property {number} frame
 * @property {Answer<"adapter"> | null} map
 * @property {Answer<"adapter_sheet">["values"] | null} sheet
 * @property {Answer<"adapter_statistics"> | null} statistics
 * @property {Resource<Answer<"adapter_code">>} code
 */

/** @param {AdapterSize} adapter @param {Chosen} chosen */
const headOf = (adapter, { head }) => (head === "mean" || head < adapter.heads ? head : "mean");

/** @param {AdapterSize} adapter @param {Chosen} chosen */
const queryOf = (adapter, { query }) => Math.min(query, adapter.queries - 1);

// Everything a column of queries shows, or null where the run has none or no picture.
/** @type {(ctx: Context, state: State, selection: Selection, letter: Letter) => Found | null} */
export function reading(ctx, state, selection, letter) {
  const run = state.runs[letter];
  const media = run?.media[selection.media];
  const adapter = run?.sites.adapter;
  if (!media || !adapter || !hasAdapter(run)) return null;
  const [head, query, frame] = [
    headOf(adapter, selection.adapter),
    queryOf(adapter, selection.adapter),
    cellInTime(state, selection, letter),
  ];
  const group = `${run.id} ${media.index} ${frame}`;
  const hovering = state.preview !== null;
  /** @type {<Asked extends Name>(name: Asked, more: object) => Answer<Asked> | null} */
  const ask = (name, more) =>
    ctx.client.resource(`${name} ${letter}`, name, { run: run.id, ...more }, { group, hovering }).value;
  const at = { media: media.index, head };
  return {
    run,
    adapter,
    media,
    head,
    query,
    frame,
    map: ask("adapter", { ...at, query: query + frame * adapter.queries }),
    sheet: ask("adapter_sheet", { ...at, frame })?.values ?? null,
    statistics: ask("adapter_statistics", { ...at, frame }),
    code: ctx.client.resource(`adapter_code ${letter}`, "adapter_code", { run: run.id }, { group: run.id }),
  };
}

// What is shown of one run, for an export.
/** @param {State} state @param {Letter} letter */
export function shown(state, letter) {
  const run = state.runs[letter];
  const adapter = run?.sites.adapter;
  if (!adapter || !hasAdapter(run) || !run.media[state.selection.media]) return {};
  const frame = cellInTime(state, state.selection, letter);
  const query = queryOf(adapter, state.selection.adapter) + frame * adapter.queries;
  return { query, layer: 0, head: headOf(adapter, state.selection.adapter) };
}

// The place on the picture that is looked at: the pinned one, else where a chosen query looks most.
/** @param {Both<Found | null>} found @param {Selection} selection @returns {Place} */
export function placeIn(found, selection) {
  if (selection.keys) return selection.keys;
  const map = LETTERS.map((letter) => found[letter]?.map).find(Boolean);
  return map ? placeOf(...rowAndColumn(map.max_index, map.grid), map.grid) : [0.5, 0.5];
}

/** @param {Context} ctx @param {number} query */
export const pickQuery = (ctx, query) => {
  const { selection } = ctx.store.state;
  ctx.store.select({ adapter: { ...selection.adapter, query: Math.max(0, Math.round(query) || 0) } });
};

/** @param {Context} ctx @param {number | null} query */
export const hoverQuery = (ctx, query) =>
  ctx.store.preview(query === null ? null : { adapter: { ...ctx.store.state.selection.adapter, query } });

/** @param {Context} ctx @param {Choice} head */
export const pickHead = (ctx, head) => ctx.store.select({ adapter: { ...ctx.store.state.selection.adapter, head } });

// The chosen patches of the frame on show; without any, the one at a place.
/** @param {{ media: Media }} found @param {Selection} selection @param {Place} place */
export function patchesOf({ media }, selection, place) {
  const grid = [1, ...media.patch_grid.slice(1)];
  const chosen = cellsOf({ ...selection, frame: 0 }, grid);
  return chosen.length ? chosen : [cellAt(place, grid).index];
}
