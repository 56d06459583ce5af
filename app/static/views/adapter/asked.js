// What the Adapter view asks of the server, and which query, head and patches are chosen.

import { hasAdapter } from "../../core/families.js";
import { cellAt, cellsOf, placeOf, rowAndColumn } from "../../core/geometry.js";
import { LETTERS } from "../../state/selection.js";
import { cellInTime } from "../../state/time.js";

/** @import { Context, Letter, Run, Selection, State } from "../../core/types.d.ts" */

/** @param {Run} run @param {any} given */
const headOf = (run, { head }) => (head === "mean" || head < run.sites.adapter.heads ? head : "mean");

/** @param {Run} run @param {any} given */
const queryOf = (run, { query }) => Math.min(query, run.sites.adapter.queries - 1);

// Everything a column of queries shows, or null where the run has none or no picture.
/** @param {Context} ctx @param {State} state @param {Selection} selection @param {Letter} letter */
export function reading(ctx, state, selection, letter) {
  const run = state.runs[letter];
  const media = run?.media[selection.media];
  if (!media || !hasAdapter(run)) return null;
  const [head, query, frame] = [
    headOf(run, selection.adapter),
    queryOf(run, selection.adapter),
    cellInTime(state, selection, letter),
  ];
  const group = `${run.id} ${media.index} ${frame}`;
  const hovering = state.preview !== null;
  const ask = (name, more) =>
    ctx.client.resource(`${name} ${letter}`, name, { run: run.id, ...more }, { group, hovering }).value;
  const at = { media: media.index, head };
  return {
    run,
    media,
    head,
    query,
    frame,
    map: ask("adapter", { ...at, query: query + frame * run.sites.adapter.queries }),
    sheet: ask("adapter_sheet", { ...at, frame })?.values ?? null,
    statistics: ask("adapter_statistics", { ...at, frame }),
    code: ctx.client.resource(`adapter_code ${letter}`, "adapter_code", { run: run.id }, { group: run.id }),
  };
}

// What is shown of one run, for an export.
/** @param {State} state @param {Letter} letter */
export function shown(state, letter) {
  const run = state.runs[letter];
  if (!hasAdapter(run) || !run.media[state.selection.media]) return {};
  const frame = cellInTime(state, state.selection, letter);
  const query = queryOf(run, state.selection.adapter) + frame * run.sites.adapter.queries;
  return { query, layer: 0, head: headOf(run, state.selection.adapter) };
}

// The place on the picture that is looked at: the pinned one, else where a chosen query looks most.
/** @param {Selection} selection */
export function placeIn(found, selection) {
  if (selection.keys) return selection.keys;
  const map = LETTERS.map((letter) => found[letter]?.map).find(Boolean);
  return map ? placeOf(...rowAndColumn(map.max_index, map.grid), map.grid) : [0.5, 0.5];
}

/** @param {Context} ctx */
export const pickQuery = (ctx, query) => {
  const { selection } = ctx.store.state;
  ctx.store.select({ adapter: { ...selection.adapter, query: Math.max(0, Math.round(query) || 0) } });
};

/** @param {Context} ctx */
export const hoverQuery = (ctx, query) =>
  ctx.store.preview(query === null ? null : { adapter: { ...ctx.store.state.selection.adapter, query } });

/** @param {Context} ctx */
export const pickHead = (ctx, head) => ctx.store.select({ adapter: { ...ctx.store.state.selection.adapter, head } });

// The chosen patches of the frame on show; without any, the one at a place.
/** @param {any} given @param {Selection} selection */
export function patchesOf({ media }, selection, place) {
  const grid = [1, ...media.patch_grid.slice(1)];
  const chosen = cellsOf({ ...selection, frame: 0 }, grid);
  return chosen.length ? chosen : [cellAt(place, grid).index];
}
