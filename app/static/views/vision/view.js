// Where a patch looks inside the vision tower: one row of one head on the picture, its statistics over all heads, and what
// the tower's position code says of places by itself.

import { el, isDark, letterBadge, refill, segmented, setText, sizeCanvas, toggle, token } from "../../core/dom.js";
import { tide } from "../../core/colour.js";
import { hasAdapter } from "../../core/families.js";
import { cellAt, cellBox, edges, fit } from "../../core/geometry.js";
import { said, say } from "../../core/i18n.js";
import { count, percent } from "../../core/numbers.js";
import { roundTicks } from "../../drawing/chart.js";
import { createLayerCurves } from "../../drawing/layer_curves.js";
import { belowStage, createFrame } from "../../drawing/frame.js";
import { weightsNote } from "../../drawing/honest.js";
import { sumInRegion } from "../../drawing/places.js";
import { figures } from "../../drawing/scale.js";
import { createSegments } from "./segments.js";
import { createStage } from "../../drawing/stage.js";
import { STATISTICS, TowerMatrix } from "./tower_matrix.js";
import { shareAt } from "../../drawing/matrix.js";
import { LETTERS, choices } from "../../core/selection.js";
import { cellInTime, firstFrameOf } from "../../core/time.js";

/** @import { Choice } from "../../core/types.d.ts" */

export const NAME = "Vision";
export const SITE = "vision";
export const SHOWS = ["picture", "place", "region", "swap"];
export const CHOICES = { layerA: null, headA: null, layerB: null, headB: null, statistic: "distance" };

const STAGE_HEIGHT = 250;
const PLACES = [128, 96];
const MIDDLE = [0.5, 0.5];

const own = (selection) => choices(selection, "vision");
const statisticOf = (selection) =>
  Object.hasOwn(STATISTICS, own(selection).statistic) ? own(selection).statistic : "distance";

const within = (value, size) => (Number.isInteger(value) && value >= 0 && value < size ? value : null);

// --- what is asked of the server ---

function heads(ctx, state, selection, letter) {
  const run = state.runs[letter];
  if (!run?.media[selection.media]) return null;
  const query = { run: run.id, media: selection.media, frame: cellInTime(state, selection, letter) };
  return ctx.client.resource(`tower ${letter}`, "vision_heads", query, { group: run.id });
}

// The chosen layer and head; where none was chosen, the most focused one, once it is known.
function chosenCell(run, selection, letter, statistics) {
  const { layers, heads: size } = run.sites.vision;
  const start = statistics ? statistics.start : [0, "mean"];
  const layer = within(own(selection)[`layer${letter}`], layers) ?? start[0];
  const head = own(selection)[`head${letter}`];
  return [layer, head === "mean" ? "mean" : (within(head, size) ?? start[1])];
}

// The patch under the chosen place, counted in its media; the middle one where none is chosen.
function patchOf(state, selection, letter) {
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

function placesOf(ctx, state, selection, letter) {
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
export function shown(state, letter, ctx) {
  const { selection, runs } = state;
  if (!runs[letter].media[selection.media]) return {};
  const statistics = heads(ctx, state, selection, letter)?.value;
  const [layer, head] = chosenCell(runs[letter], selection, letter, statistics);
  return { query: patchOf(state, selection, letter).patch, layer, head };
}

const lookAt = (ctx, state, selection, letter) => {
  const run = state.runs[letter];
  if (!run?.media[selection.media]) return null;
  const statistics = heads(ctx, state, selection, letter);
  const cell = chosenCell(run, selection, letter, statistics?.value);
  return { run, media: run.media[selection.media], statistics, cell, row: rowOf(ctx, state, selection, letter, cell) };
};

// --- one column ---

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
  const choose = (layer, head) => ({ [`layer${letter}`]: layer, [`head${letter}`]: head });
  const usable = (layer) => layer !== "mean";
  const matrix = new TowerMatrix({
    letter,
    onhover: (layer, head) =>
      ctx.actions.tryChoice(
        "vision",
        layer === null || layer === undefined || !usable(layer) ? null : choose(layer, head),
      ),
    onpick: (layer, head) => usable(layer) && ctx.actions.choose("vision", choose(layer, head)),
  });
  const curves = createLayerCurves({
    label: say("Mean distance of attention by layer, a line for each head"),
    onpick: (layer, line) => ctx.actions.choose("vision", choose(layer, line.head)),
  });
  const segments = createSegments(ctx, letter);
  const [side, title, places, placeWords] = [
    el("div", { class: "figures" }),
    el("h3", {}),
    el("canvas", { class: "place-map" }),
    el("div", { class: "place-words" }),
  ];
  const cell = (name, ...children) => el("div", { class: name, "data-letter": letter }, ...children);
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
          el("div", { class: "title-line" }, title),
          matrix.root,
          el("div", { class: "matrix-axes", text: say("head →   layer ↓") }),
        ),
        el(
          "div",
          { class: "tower-curves" },
          el(
            "div",
            { class: "title-line" },
            el("h3", { text: say("Mean distance by layer") }),
            el("span", { text: say("a line a head; bold: their mean") }),
          ),
          curves.root,
        ),
      ),
      places: cell(
        "card place-card",
        el("div", { class: "title-line" }, el("h3", {}, letterBadge(letter), say("Where attention ends")), null),
        segments.root,
        el("div", { class: "place-row" }, places, placeWords),
      ),
    },
  };
}

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

function drawStage(ctx, view, look, state, selection) {
  const { letter } = view;
  const { run, media, row } = look;
  const here = patchOf(state, selection, letter);
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
function distanceLines(statistics, [, head]) {
  const [layers, size] = statistics.distance.shape;
  const each = (which) => Array.from({ length: layers }, (_, layer) => shareAt(statistics.distance, layer, which));
  const named = (which) => (which === "mean" ? say("mean of heads") : say("head {n}", { n: which }));
  const faint = [...Array(size).keys()].filter((which) => which !== head);
  const line = (which, kind) => ({ values: each(which), kind, name: named(which), head: which });
  return [
    ...faint.map((which) => line(which, "faint")),
    line("mean", "strong"),
    ...(head === "mean" ? [] : [line(head, "chosen")]),
  ];
}

function drawTower(view, look, selection) {
  const statistic = statisticOf(selection);
  setText(view.title, say(STATISTICS[statistic].title));
  const found = look.statistics.value;
  toggle(view.cells.tower, "waiting", !found);
  if (!found) return;
  const [layer] = look.cell;
  view.matrix.update(found, statistic, ...look.cell);
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

function paintPlaces(canvas, answer, here) {
  const [, rows, columns] = answer.grid;
  const shape = fit([columns, rows], PLACES);
  const { context, ratio, width, height } = sizeCanvas(canvas, Math.round(shape.width), Math.round(shape.height));
  const [xs, ys] = [edges(columns, width), edges(rows, height)];
  const range = answer.most - answer.least || 1;
  answer.values.forEach((value, index) => {
    const [x, y] = [index % columns, Math.floor(index / columns)];
    const [red, green, blue] = tide((value - answer.least) / range, isDark());
    context.fillStyle = `rgb(${red} ${green} ${blue})`;
    context.fillRect(xs[x], ys[y], xs[x + 1] - xs[x], ys[y + 1] - ys[y]);
  });
  context.strokeStyle = token("--q");
  context.lineWidth = 1.5 * ratio;
  context.strokeRect(
    xs[here.column],
    ys[here.row],
    xs[here.column + 1] - xs[here.column],
    ys[here.row + 1] - ys[here.row],
  );
}

function placeLines(run, answer) {
  const numbers = { least: answer.least.toFixed(2), most: answer.most.toFixed(2) };
  if (hasAdapter(run)) {
    const table = answer.stretched
      ? say("stretched from {n} × {n}", { n: answer.stretched })
      : say("one row a patch, not stretched");
    return [
      ["b", say("A table of places, learnt")],
      [
        "span",
        say("Cosine similarity of this patch's row with every other, {table}. From {least} to {most}.", {
          table,
          ...numbers,
        }),
      ],
      ["span", say("Added to the patch once, before the first layer; nothing makes neighbours alike but training.")],
    ];
  }
  return [
    ["b", say("2-D rotary, nothing learnt")],
    ["span", say("Agreement of phases with every other patch. From {least} to {most}.", numbers)],
    ["code", "½ mean cos(ω·Δrow) + ½ mean cos(ω·Δcolumn)"],
    ["span", say("Turns queries and keys in every layer; it depends on the difference of places alone.")],
  ];
}

function drawPlaces(ctx, view, look, state, selection) {
  const { letter } = view;
  view.segments.update(look.run, selection.media, cellInTime(state, selection, letter));
  const { value, error } = placesOf(ctx, state, selection, letter);
  view.places.hidden = !value;
  if (error) refill(view.placeWords, [error], () => el("span", { text: said(error) }));
  if (!value) return;
  const [, rows, columns] = value.grid;
  const here = { row: Math.floor(value.place / columns), column: value.place % columns };
  const stamp = [look.run.id, value.place, rows, columns, isDark(), window.devicePixelRatio].join();
  if (view.places.dataset.stamp !== stamp) {
    view.places.dataset.stamp = stamp;
    paintPlaces(view.places, value, here);
  }
  refill(view.placeWords, [look.run.id, value.least, value.most], () =>
    placeLines(look.run, value).map(([tag, text]) => el(tag, { text })),
  );
}

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

function tools(ctx) {
  const [first, second] = [el("b", { class: "pen-words" }), el("b", { class: "pen-words" })];
  const pens = el(
    "div",
    { class: "pens" },
    el("span", {}, el("i", { class: "pen pen-query" }), first),
    el("span", {}, el("i", { class: "pen pen-key" }), second),
  );
  const direction = segmented(
    say("Direction"),
    [
      ["row", say("Looks at"), say("The patch's own row")],
      ["column", say("Is looked at by"), say("Its column: its weight in every patch's row")],
    ],
    (value) => ctx.store.select({ swap: value === "column" }),
  );
  const statistic = segmented(
    say("Statistic"),
    [
      ["distance", say("Distance")],
      ["entropy", say("Entropy")],
      ["own", say("On itself")],
    ],
    (value) => ctx.actions.choose("vision", { statistic: value }),
  );
  const media = ctx.mediaChoice();
  return {
    root: el("div", { class: "tools" }, pens, el("span", { class: "spring" }), media.root, direction, statistic),
    update(state, selection) {
      media.update(state, selection);
      const swapped = selection.swap;
      direction.choose(swapped ? "column" : "row");
      statistic.choose(statisticOf(selection));
      setText(first, selection.keys ? say("the chosen patch") : say("the middle patch: point at another"));
      setText(
        second,
        swapped
          ? say("fewest patches that give half of what it gets")
          : say("fewest patches that hold half of its row"),
      );
    },
  };
}

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
export function status(ctx, state, selection) {
  const about = (letter) => {
    const look = lookAt(ctx, state, selection, letter);
    if (!look) return null;
    const { row, column: at } = patchOf(state, selection, letter);
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
    ...LETTERS.map(about).filter(Boolean),
  ];
}
