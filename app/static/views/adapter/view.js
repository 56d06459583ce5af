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

/** @import { Context, Letter, Run, Selection, State } from "../../core/types.d.ts" */

export const NAME = "Adapter";

export const SITE = "adapter";

export const SHOWS = ["picture", "place", "region"];

export const CHOICES = { order: "index", against: "keys" };

const STAGE_HEIGHT = 250;

/** @param {Context} ctx @param {Selection} selection */
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
      text: say("query {query} · {head}", { query, head: headName(head, run.sites.adapter.heads) }),
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
  return { root, card, update: (shown) => merger.update(shown) };
}

/** @param {Context} ctx @param {State} state @param {Selection} selection */
function drawMerger(ctx, view, state, selection, place, far) {
  const { letter } = view;
  const run = state.runs[letter];
  const media = run.media[selection.media];
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
  view.part.update({ run, media, cell, frame, image, answer });
}

/** @param {Context} ctx @param {Letter} letter */
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
    part: null,
    family: null,
  };
}

// What stands below the stage is that of the family in this column.
/** @param {Context} ctx @param {Run} run */
function fit(ctx, view, run) {
  const family = run?.media.length ? run.model.family : null;
  if (view.family === family) return;
  view.family = family;
  view.part = family && (hasAdapter(run) ? createQueries(ctx, view.letter) : createMergerPart(view.letter));
  view.detail.replaceChildren(...(view.part ? [view.part.root] : []));
}

/** @param {Context} ctx @param {State} state @param {Selection} selection */
function drawColumn(ctx, view, state, selection, found) {
  const run = state.runs[view.letter];
  fit(ctx, view, run);
  if (!run?.media[selection.media]) {
    view.stage.update(ctx.vacant(view.cell, view.letter, STAGE_HEIGHT, run));
    figures(view.side, []);
    return;
  }
  const place = placeIn(found, selection);
  if (!hasAdapter(run)) {
    drawMerger(ctx, view, state, selection, place, found[other(view.letter)]);
    return;
  }
  drawReader(ctx, view, found[view.letter], selection);
  const own = found[view.letter].map;
  view.part.update(
    found[view.letter],
    selection,
    selection.keys ?? (own ? placeOf(...rowAndColumn(own.max_index, own.grid), own.grid) : place),
  );
}

// The table stands in the last merger's card, else below the sheets.
function placeTable(table, columns, below) {
  const host = LETTERS.map((letter) => columns[letter]).findLast(({ part }) => part?.card)?.part.card ?? below;
  if (table.root.parentNode !== host) host.append(table.root);
  below.hidden = host !== below;
}

/** @param {Context} ctx */
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
      const found = Object.fromEntries(LETTERS.map((letter) => [letter, reading(ctx, state, selection, letter)]));
      LETTERS.forEach((letter) => drawColumn(ctx, columns[letter], state, selection, found));
      table.update(state, selection, found);
      placeTable(table, columns, below);
      below.hidden ||= !LETTERS.some((letter) => state.runs[letter]?.media.length);
      panel.update(honest(state, selection));
    },
  };
}
