// What joins vision to language: Qwen-VL's queries, each with its map on the picture; Qwen2-VL's merger of four patches.

import { el, letterBadge } from "../../core/dom.js";
import { hasAdapter } from "../../core/families.js";
import { cellAt, cellBox, cellSize, cellsOf, placeOf, rowAndColumn } from "../../core/geometry.js";
import { say } from "../../language/i18n.js";
import { count, percent, pixels } from "../../language/numbers.js";
import { LETTERS, other } from "../../state/selection.js";
import { cellInTime, firstFrameOf } from "../../state/time.js";
import { twoColumns } from "../../drawing/frame.js";
import { honestPanel } from "../../drawing/honest.js";
import { sumInRegion } from "../../drawing/places.js";
import { figures } from "../../drawing/scale.js";
import { createStage } from "../../drawing/stage.js";
import { placeIn, reading } from "./asked.js";
import { createMerger } from "./merger.js";
import { createQueries, headName } from "./queries.js";
import { comparison, tokensOf } from "./query_table.js";
import { honest } from "./sentences.js";

export { shown } from "./asked.js";

export { status } from "./sentences.js";

/** @import { Found } from "./asked.js" */
/**
 * @import {
 *   Both, Context, Letter, Media, Place, Run, Selection, StageView, State, ViewDrawing
 * } from "../../core/types.d.ts"
 */

export const NAME = "Adapter";

export const SITE = "adapter";

export const SHOWS = ["picture", "place", "region"];

export const CHOICES = { order: "index", against: "keys" };

const STAGE_HEIGHT = 250;

/**
 * @typedef {object} Column
 * @property {Letter} letter
 * @property {StageView} stage
 * @property {HTMLElement} side
 * @property {HTMLElement} cell
 * @property {HTMLElement} detail
 * @property {ReturnType<typeof createQueries> | null} queries
 * @property {ReturnType<typeof createMergerPart> | null} merger
 * @property {string | null} family
 */

/** @param {Context} ctx @param {Column} view @param {Found} found @param {Selection} selection */
function drawReader(ctx, view, found, selection) {
  const { run, media, map, query, head, frame, statistics } = found;
  const { inner, flat } = ctx.stageBox(view.cell, media.size, STAGE_HEIGHT);
  const base = {
    image: ctx.picture("picture", run.id, media.index, firstFrameOf(media, frame)),
    size: media.size,
    box: inner,
  };
  view.cell.classList.toggle("flat", flat);
  if (!map) return view.stage.update(base);
  const region = sumInRegion(selection, map);
  const pins = region ? [] : cellsOf({ ...selection, frame: 0 }, map.grid).map((cell) => rowAndColumn(cell, map.grid));
  view.stage.update({
    ...base,
    quiet: true,
    cells: { values: map.values, grid: map.grid, max: map.max },
    contour: { cells: map.half, grid: map.grid },
    outlines: [
      ...(region ? [region.outline] : []),
      ...pins.map(([row, at]) => ({ box: cellBox(row, at, [1, 1], map.grid), kind: "key" })),
    ],
    label: region?.label ?? {
      text: say("query {query} · {head}", { query, head: headName(head, found.adapter.heads) }),
    },
  });
  const items = [
    [
      say("{bits} bits", { bits: map.entropy.toFixed(1) }),
      say("entropy, of {most} at most", { most: Math.log2(map.values.length).toFixed(0) }),
    ],
    [count(map.half.length), say("of {patches} patches hold half", { patches: count(map.values.length) })],
    [percent(map.max), say("of the row in one patch, the most")],
  ];
  if (statistics)
    items.push([
      percent(statistics.overlap[query]),
      say("like query {nearest}, its nearest", { nearest: statistics.nearest[query] }),
    ]);
  return figures(view.side, items);
}

/** @param {Letter} letter */
function createMergerPart(letter) {
  const merger = createMerger();
  const title = el(
    "div",
    { class: "title-line", "data-part": "title-line" },
    el("h3", {}, letterBadge(letter), say("The merger")),
    el("span", { text: say("no attention, no choice: a reshape and an MLP") }),
  );
  const card = el("section", { class: "card merger" }, merger.root);
  const root = el("div", { class: "adapter-part" }, title, card);
  return { root, card, update: merger.update };
}

/**
 * @param {Context} ctx
 * @param {Column} view
 * @param {{ run: Run, media: Media }} here
 * @param {State} state
 * @param {Selection} selection
 * @param {Place} place
 * @param {Found | null} far the other model's queries
 */
function drawMerger(ctx, view, { run, media }, state, selection, place, far) {
  const { letter } = view;
  const frame = cellInTime(state, selection, letter);
  const image = ctx.picture("picture", run.id, media.index, firstFrameOf(media, frame));
  const { inner, flat } = ctx.stageBox(view.cell, media.size, STAGE_HEIGHT);
  const cell = cellAt(place, media.token_grid);
  const [width, height] = cellSize(media.size, media.token_grid);
  view.cell.classList.toggle("flat", flat);
  view.stage.update({
    image,
    size: media.size,
    box: inner,
    quiet: false,
    lines: media.token_grid,
    contour: far?.map ? { cells: far.map.half, grid: far.map.grid } : null,
    outlines: [
      { box: cellBox(cell.row, cell.column, [1, 1], media.token_grid), kind: "query" },
      ...(selection.region ? [{ box: selection.region, kind: "key" }] : []),
    ],
    label: { text: say("token ({row}, {column})", cell) },
  });
  figures(view.side, [
    ["4", say("patches make one token, always")],
    [`${pixels(width)} × ${pixels(height)}`, say("px of the original, each token")],
    [count(tokensOf(media)), say("tokens, no two share a patch")],
  ]);
  const answer = ctx.client.resource(`merger ${letter}`, "merger", { run: run.id }, { group: run.id }).value;
  view.merger?.update({ run, media, cell, frame, image, answer });
}

/** @param {Context} ctx @param {Letter} letter @returns {Column} */
function column(ctx, letter) {
  const stage = createStage({
    letter,
    title: say("The picture in model {letter}: what an adapter query reads, or the token grid", { letter }),
    onhover: (place) => ctx.actions.hoverPlace(place),
    onpick: (place, adding) => ctx.actions.pickPlace(place, adding),
    onregion: (region, done) => (done ? ctx.actions.pickRegion(region) : ctx.actions.drawRegion(region)),
    onstep: (rows, columns) => ctx.actions.stepPlace(letter, rows, columns),
    onstretch: (rows, columns) => ctx.actions.stretchRegion(letter, rows, columns),
  });
  const side = el("div", { class: "figures", "data-part": "figures" });
  const cell = el("div", { class: "stage-cell", "data-part": "stage-cell", "data-letter": letter }, stage.root, side);
  return {
    letter,
    stage,
    side,
    cell,
    detail: el("div", { class: "adapter-detail", "data-letter": letter }),
    queries: null,
    merger: null,
    family: null,
  };
}

// What stands below the stage is that of the family in this column.
/** @param {Context} ctx @param {Column} view @param {Run | null} run */
function fit(ctx, view, run) {
  const family = run?.media.length ? run.model.family : null;
  if (view.family === family) return;
  view.family = family;
  const queries = run && family && hasAdapter(run);
  view.queries = queries ? createQueries(ctx, view.letter) : null;
  view.merger = family && !queries ? createMergerPart(view.letter) : null;
  const part = view.queries ?? view.merger;
  view.detail.replaceChildren(...(part ? [part.root] : []));
}

/** @param {Context} ctx @param {Column} view @param {State} state @param {Selection} selection @param {Both<Found | null>} found */
function drawColumn(ctx, view, state, selection, found) {
  const run = state.runs[view.letter];
  fit(ctx, view, run);
  const media = run?.media[selection.media];
  if (!media) {
    view.stage.update(ctx.vacant(view.cell, view.letter, STAGE_HEIGHT, run));
    figures(view.side, []);
    return;
  }
  const place = placeIn(found, selection);
  if (!hasAdapter(run)) {
    drawMerger(ctx, view, { run, media }, state, selection, place, found[other(view.letter)]);
    return;
  }
  const here = found[view.letter];
  if (!here) return;
  drawReader(ctx, view, here, selection);
  const own = here.map;
  view.queries?.update(
    here,
    selection,
    selection.keys ?? (own ? placeOf(...rowAndColumn(own.max_index, own.grid), own.grid) : place),
  );
}

// The table stands in the last merger's card, else below the sheets.
/** @param {ReturnType<typeof comparison>} table @param {Both<Column>} columns @param {HTMLElement} below */
function placeTable(table, columns, below) {
  const host = LETTERS.map((letter) => columns[letter].merger?.card).findLast(Boolean) ?? below;
  if (table.root.parentNode !== host) host.append(table.root);
  below.hidden = host !== below;
}

/** @param {Context} ctx @returns {ViewDrawing} */
export function createView(ctx) {
  const { columns, pair, stages } = twoColumns((letter) => column(ctx, letter));
  const [panel, choice, table, below] = [
    honestPanel(),
    ctx.mediaChoice(),
    comparison(),
    el("section", { class: "card", hidden: true }),
  ];
  return {
    root: el(
      "div",
      { class: "view view-adapter", "data-part": "view" },
      choice.root,
      pair("cell", ({ cell }) => cell),
      pair("detail", ({ detail }) => detail),
      below,
      panel.root,
    ),
    stages,
    update(state, selection) {
      choice.update(state, selection);
      const found = { A: reading(ctx, state, selection, "A"), B: reading(ctx, state, selection, "B") };
      LETTERS.forEach((letter) => drawColumn(ctx, columns[letter], state, selection, found));
      table.update(state, selection, found);
      placeTable(table, columns, below);
      below.hidden ||= !LETTERS.some((letter) => state.runs[letter]?.media.length);
      panel.update(honest(state, selection));
    },
  };
}
