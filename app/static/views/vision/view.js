// Where a patch looks inside the vision tower: one row of one head on the picture, its statistics over all heads, and what
// the tower's position code says of places by itself.

import { el, letterBadge, setText, toggle } from "../../core/dom.js";
import { cellBox } from "../../core/geometry.js";
import { said, say } from "../../language/i18n.js";
import { count, percent } from "../../language/numbers.js";
import { LETTERS } from "../../state/selection.js";
import { cellInTime, firstFrameOf } from "../../state/time.js";
import { roundTicks } from "../../drawing/chart.js";
import { belowStage, createFrame } from "../../drawing/frame.js";
import { weightsNote } from "../../drawing/honest.js";
import { createLayerCurves } from "../../drawing/layer_curves.js";
import { shareAt } from "../../drawing/matrix.js";
import { sumInRegion } from "../../drawing/places.js";
import { figures } from "../../drawing/scale.js";
import { createStage } from "../../drawing/stage.js";
import { lookAt, patchOf, statisticOf } from "./asked.js";
import { drawPlaces } from "./places.js";
import { createSegments } from "./segments.js";
import { tools } from "./tools.js";
import { STATISTICS, TowerMatrix } from "./tower_matrix.js";

export { shown } from "./asked.js";

/** @import { Cell, Look } from "./asked.js" */
/**
 * @import {
 *   Answer, Child, Choice, Context, HonestItems, Letter, Run, Selection, State, StatusParts
 * } from "../../core/types.d.ts"
 */

export const NAME = "Vision";

export const SITE = "vision";

export const SHOWS = ["picture", "place", "region", "swap"];

export const CHOICES = { layerA: null, headA: null, layerB: null, headB: null, statistic: "distance" };

/** @typedef {ReturnType<typeof column>} VisionColumn */

const STAGE_HEIGHT = 250;

/** @param {Context} ctx @param {Letter} letter */
function column(ctx, letter) {
  const stage = createStage({
    letter,
    title: say("The picture with the row of one patch, model {letter}", { letter }),
    onhover: (place) => ctx.actions.hoverPlace(place),
    onpick: (place) => ctx.actions.pickPlace(place),
    onstep: (rows, columns) => ctx.actions.stepPlace(letter, rows, columns),
    onstretch: (rows, columns) => ctx.actions.stretchRegion(letter, rows, columns),
    onregion: (region, done) => (done ? ctx.store.select({ region }) : ctx.store.preview({ region })), // the patch stays
  });
  const choose = (/** @type {Choice} */ layer, /** @type {Choice} */ head) =>
    letter === "A" ? { layerA: layer, headA: head } : { layerB: layer, headB: head };
  const usable = (/** @type {Choice} */ layer) => layer !== "mean";
  const matrix = new TowerMatrix({
    letter,
    onhover: (layer, head = "mean") =>
      ctx.actions.tryChoice("vision", layer === null || !usable(layer) ? null : choose(layer, head)),
    onpick: (layer, head) => usable(layer) && ctx.actions.choose("vision", choose(layer, head)),
  });
  const curves = createLayerCurves({
    label: say("Mean distance of attention by layer, a line for each head"),
    onpick: (layer, line) => ctx.actions.choose("vision", choose(layer, line.head ?? "mean")),
  });
  const segments = createSegments(ctx, letter);
  const [side, title, places, placeWords] = [
    el("div", { class: "figures", "data-part": "figures" }),
    el("h3", {}),
    el("canvas", { class: "place-map" }),
    el("div", { class: "place-words", "data-part": "place-words" }),
  ];
  const cell = (/** @type {string} */ name, /** @type {Child[]} */ ...children) =>
    el("div", { class: name, "data-part": name, "data-letter": letter }, ...children);
  return {
    letter,
    stage,
    side,
    matrix,
    title,
    curves,
    segments,
    places,
    placeWords,
    cells: {
      stage: cell("stage-cell", stage.root, side),
      tower: cell(
        "tower-cell",
        el(
          "div",
          { class: "matrix-box" },
          el("div", { class: "title-line", "data-part": "title-line" }, title),
          matrix.root,
          el("div", { class: "matrix-axes", text: say("head →   layer ↓") }),
        ),
        el(
          "div",
          { class: "tower-curves" },
          el(
            "div",
            { class: "title-line", "data-part": "title-line" },
            el("h3", { text: say("Mean distance by layer") }),
            el("span", { text: say("a line a head; bold: their mean") }),
          ),
          curves.root,
        ),
      ),
      places: cell(
        "card place-card",
        el(
          "div",
          { class: "title-line", "data-part": "title-line" },
          el("h3", {}, letterBadge(letter), say("Where attention ends")),
          null,
        ),
        segments.root,
        el("div", { class: "place-row" }, places, placeWords),
      ),
    },
  };
}

/** @param {Answer<"vision_row">} row @param {Cell} cell */
function scaleFigures(row, [layer, head]) {
  const where =
    head === "mean"
      ? say("layer {layer}, mean of heads", { layer })
      : say("layer {layer}, head {head}", { layer, head });
  const most = row.column
    ? say("of one patch's row, the most, {where}", { where })
    : say("of the row in one patch, {where}", { where });
  const half = row.column
    ? say("of {n} patches give half of what it gets", { n: count(row.values.length) })
    : say("of {n} patches hold half", { n: count(row.values.length) });
  const last = row.column
    ? [row.total.toFixed(2), say("rows' worth of attention in all; 1 were even")]
    : [row.distance.toFixed(1), say("patches away on average; {even} were even", { even: row.even.toFixed(1) })];
  return [
    [percent(row.max), most],
    [count(row.half.length), half],
    last,
    [percent(row.own), say("on the patch itself")],
  ];
}

/** @param {Context} ctx @param {VisionColumn} view @param {Look} look @param {State} state @param {Selection} selection */
function drawStage(ctx, view, look, state, selection) {
  const { letter } = view;
  const { run, media, row } = look;
  const here = patchOf(media, state, selection, letter);
  const { inner, flat } = ctx.stageBox(view.cells.stage, media.size, STAGE_HEIGHT);
  toggle(view.cells.stage, "flat", flat);
  const value = row.value;
  const region = value && sumInRegion(selection, value);
  view.stage.update({
    image: ctx.picture("picture", run.id, selection.media, firstFrameOf(media, cellInTime(state, selection, letter))),
    size: media.size,
    box: inner,
    quiet: true,
    cells: value ? { values: value.values, grid: value.grid, max: value.max } : null,
    contour: value ? { cells: value.half, grid: value.grid } : null,
    outlines: [
      { box: cellBox(here.row, here.column, [1, 1], media.patch_grid), kind: "query" },
      ...(region ? [region.outline] : []),
    ],
    label: region?.label ?? { text: say("patch ({row}, {column})", here) },
    dimmed: value && !row.fresh ? say("row of patch ({row}, {column})", here) : null,
    note: row.error ? said(row.error) : null,
    aria: say("The row of patch ({row}, {column}) on the picture", here),
  });
  if (value) figures(view.side, scaleFigures(value, look.cell));
}

// Every head's line, the chosen head's and the mean of all.
/** @param {Answer<"vision_heads">} statistics @param {Cell} cell */
function distanceLines(statistics, [, head]) {
  const [layers, size] = statistics.distance.shape;
  const each = (/** @type {Choice} */ which) =>
    Array.from({ length: layers }, (_, layer) => shareAt(statistics.distance, layer, which));
  const named = (/** @type {Choice} */ which) =>
    which === "mean" ? say("mean of heads") : say("head {n}", { n: which });
  const faint = [...Array(size).keys()].filter((which) => which !== head);
  const line = (/** @type {Choice} */ which, /** @type {string} */ kind) => ({
    values: each(which),
    kind,
    name: named(which),
    head: which,
  });
  return [
    ...faint.map((which) => line(which, "faint")),
    line("mean", "strong"),
    ...(head === "mean" ? [] : [line(head, "chosen")]),
  ];
}

/** @param {VisionColumn} view @param {Look} look @param {Selection} selection */
function drawTower(view, look, selection) {
  const statistic = statisticOf(selection);
  setText(view.title, say(STATISTICS[statistic].title));
  const found = look.statistics.value;
  toggle(view.cells.tower, "waiting", !found);
  if (!found) return;
  const [layer] = look.cell;
  view.matrix.show(found, statistic, ...look.cell);
  const top = 1.15 * Math.max(found.even_distance, ...found.distance);
  view.curves.update({
    width: view.curves.root.clientWidth || 240,
    lines: distanceLines(found, look.cell),
    top,
    ticks: roundTicks(top),
    reference: { value: found.even_distance, text: say("even, {n}", { n: found.even_distance.toFixed(1) }) },
    chosen: layer,
    format: (value) => (Number.isInteger(value) ? String(value) : value.toFixed(1)),
    layer: (n) => say("layer {n}", { n }),
  });
}

/** @param {Context} ctx @param {VisionColumn} view @param {State} state @param {Selection} selection */
function drawColumn(ctx, view, state, selection) {
  const look = lookAt(ctx, state, selection, view.letter);
  belowStage(view).forEach((cell) => toggle(cell, "idle", !look));
  toggle(view.side, "idle", !look);
  if (!look) {
    view.stage.update(ctx.vacant(view.cells.stage, view.letter, STAGE_HEIGHT, state.runs[view.letter]));
    return;
  }
  drawStage(ctx, view, look, state, selection);
  drawTower(view, look, selection);
  drawPlaces(ctx, view, look, state, selection);
}

/** @param {Selection} selection @param {(Run | null)[]} runs @returns {HonestItems} */
function honest(selection, runs) {
  const plotted = selection.swap
    ? say("One column of one head: the weight of this patch in the exact row of every patch of its segment.")
    : say("One row of one head, exact, over the patches of its own segment; it sums to 1.");
  return [
    [say("Plotted"), plotted],
    [
      say("Normalised"),
      say("Colours run to the maximum of each map. Statistics are means over 64 evenly spread rows."),
    ],
    [
      say("Not shown"),
      `${say("What a head does with what it reads, and which of it reaches the answer.")} ${weightsNote(runs)}`,
    ],
  ];
}

/** @param {Context} ctx */
export const createView = (ctx) =>
  createFrame("vision", {
    tools: tools(ctx),
    column: (letter) => column(ctx, letter),
    draw: (view, state, selection) => drawColumn(ctx, view, state, selection),
    honest: (state, selection) =>
      honest(
        selection,
        LETTERS.map((letter) => state.runs[letter]),
      ),
  });

// What the status line says of this view.
/** @param {Context} ctx @param {State} state @param {Selection} selection @returns {StatusParts} */
export function status(ctx, state, selection) {
  /** @param {Letter} letter @returns {string[] | null} */
  const about = (letter) => {
    const look = lookAt(ctx, state, selection, letter);
    if (!look) return null;
    const { row, column: at } = patchOf(look.media, state, selection, letter);
    const [layer, head] = look.cell;
    const where =
      head === "mean"
        ? say("vision layer {layer}, mean of heads", { layer })
        : say("vision layer {layer} head {head}", { layer, head });
    const place = say("patch ({row}, {column})", { row, column: at });
    const value = look.row.value;
    if (!value || !look.row.fresh)
      return ["", letter, ` ${place}, ${look.row.error ? said(look.row.error) : say("its row is on its way")}`];
    const inside = sumInRegion(selection, value);
    if (inside) return ["", letter, ` ${place}, ${where}, ${inside.text}`];
    const rest = value.column
      ? say("{n} of {all} patches give half of what it gets", {
          n: count(value.half.length),
          all: count(value.values.length),
        })
      : say("half of its row on {n} of {all} patches, {own} on itself", {
          n: count(value.half.length),
          all: count(value.values.length),
          own: percent(value.own),
        });
    return ["", letter, ` ${place}, ${where}, ${rest}`];
  };
  return [
    [selection.keys ? say("a place on the picture") : say("the middle of the picture")],
    ...LETTERS.map(about).filter((part) => part !== null),
  ];
}
