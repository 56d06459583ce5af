// The boxes an answer writes, on the original picture: the numbers as written, in the pixels the model saw and in the
// original's, the tokens that write them, and where the row that predicts a number falls.

import { el, letterBadge, refill, segmented, toggle } from "../../core/dom.js";
import { said, say } from "../../language/i18n.js";
import { count, percent } from "../../language/numbers.js";
import { LETTERS, both, choices } from "../../state/selection.js";
import { cellInTime } from "../../state/time.js";
import { twoColumns } from "../../drawing/frame.js";
import { honestPanel, weightsNote } from "../../drawing/honest.js";
import { drawnGrid, drawnValues } from "../../drawing/ladder.js";
import { EDGES, NO_RECTANGLE, edgesOf, rectangle, shifted } from "../../core/rectangle.js";
import { createLayer, edgeFields, outline } from "../../drawing/region.js";
import { figures } from "../../drawing/scale.js";
import { createStage } from "../../drawing/stage.js";
import { boxBlock, mark } from "./blocks.js";
import { nothing } from "./no_box.js";
import { ask, boxAt, edgeNames, firstToken, overlap, placeOf, pointing, relative } from "./pointing.js";

/** @import { Attended, Both, BoxesChoices, Context, Letter, Media, Place } from "../../core/types.d.ts" */
/** @import { Region, Run, Selection, State, StatusParts, ViewDrawing, WrittenBox } from "../../core/types.d.ts" */
/** @import { BoxPlace, Pointing } from "./pointing.js" */

/** @typedef {ReturnType<typeof column>} Column */

/** @typedef {{ media: Media, selection: Selection, at: BoxPlace, yours: Region | null }} Shown */

export const NAME = "Boxes";

export const SITE = "language";

export const CHOICES = { beneath: true, ...NO_RECTANGLE };

// What is shown of one run, for an export.
/** @param {State} state */
export function shown(state) {
  const chosen = choices(state.selection, "boxes");
  return { yours: edgesOf(chosen) && EDGES.map((name) => chosen[name]) };
}

const STAGE_HEIGHT = 288;

const WRITTEN = { colour: "#ffffff", width: 2 };

const CHOSEN = { colour: "#ffffff", width: 3.5 };

const QUERY = { colour: "#ff9840", width: 3 };

const YOURS = { colour: "#ffffff", width: 1.5, dash: [5, 4] };

/** @param {Context} ctx */
function tools(ctx) {
  const choose = (/** @type {Partial<BoxesChoices>} */ patch) => ctx.actions.choose("boxes", patch);
  const beneath = segmented(
    say("Beneath"),
    [
      ["true", say("Map beneath"), say("The row that predicts the chosen number, under the boxes")],
      ["false", say("Boxes alone")],
    ],
    (value) => choose({ beneath: value === "true" }),
  );
  const fields = edgeFields(say("Your box, thousandths"), edgeNames(), choose);
  const clear = el("button", {
    type: "button",
    class: "text-button",
    "data-part": "text-button",
    text: say("Clear"),
    onclick: () => choose(NO_RECTANGLE),
  });
  const media = ctx.mediaChoice();
  const pens = el(
    "div",
    { class: "pens" },
    el("span", {}, el("i", { class: "pen pen-written" }), say("written by the model")),
    el("span", {}, el("i", { class: "pen pen-query" }), say("edge whose number is chosen")),
    el("span", {}, el("i", { class: "pen pen-yours" }), say("yours: drag on a picture")),
  );
  const root = el(
    "div",
    { class: "tools" },
    pens,
    el("span", { class: "spring" }),
    media.root,
    fields.root,
    clear,
    beneath,
  );
  return { root, beneath, fields, clear, media };
}

/** @param {Context} ctx @param {Letter} letter @param {Pointing} point */
function column(ctx, letter, point) {
  const choose = (/** @type {Partial<BoxesChoices>} */ patch) => ctx.actions.choose("boxes", patch);
  const stage = createStage({
    letter,
    title: say("The picture with the boxes of model {letter}", { letter }),
    onhover: () => {},
    onpick: () => {},
    onstep: (rows, columns) => {
      const chosen = choices(ctx.store.state.selection, "boxes");
      if (edgesOf(chosen)) choose(shifted(chosen, rows, columns));
    },
  });
  /** @type {{ boxes: WrittenBox[], media: Media | null }} */
  const answered = { boxes: [], media: null };
  const tokenAt = (/** @type {Place | null} */ place) => {
    const found = place && answered.media && boxAt(answered.boxes, answered.media, place);
    return found ? firstToken(answered.boxes[found.index], found.edge) : null;
  };
  const layer = createLayer(stage, {
    onhover: (place) => point.hover(letter, tokenAt(place)),
    onclick: (place) => {
      const token = tokenAt(place);
      if (token !== null) point.pick(letter, token);
    },
    ondrag: (from, to, done) =>
      done ? choose(rectangle(from, to)) : ctx.actions.tryChoice("boxes", rectangle(from, to)),
  });
  const side = el("div", { class: "figures", "data-part": "figures" });
  const cell = el("div", { class: "stage-cell", "data-part": "stage-cell", "data-letter": letter }, stage.root, side);
  const body = el("div", { class: "boxes-body", "data-part": "boxes-body" });
  const title = el(
    "div",
    { class: "title-line", "data-part": "title-line" },
    el("h3", {}, letterBadge(letter), say("Boxes in the answer")),
  );
  const card = el(
    "section",
    { class: "card boxes-card", "data-part": "boxes-card", "data-letter": letter },
    title,
    body,
  );
  return { letter, stage, layer, side, cell, body, card, answered };
}

/** @param {WrittenBox[]} boxes @param {Media} media @param {BoxPlace} at @param {Region | null} yours */
function paintBoxes(boxes, media, at, yours) {
  /** @param {CanvasRenderingContext2D} context @param {number} ratio @param {number} width @param {number} height */
  return (context, ratio, width, height) => {
    const scaled = (/** @type {Region} */ box) =>
      [box[0] * width, box[1] * height, box[2] * width, box[3] * height].map(Math.round);
    boxes.forEach((box, index) => {
      if (!box.original) return;
      const [x1, y1, x2, y2] = scaled(relative(box.original, media.size));
      outline(context, ratio, [x1, y1, x2, y2], index === at.index ? CHOSEN : WRITTEN);
      if (index !== at.index || at.edge < 0) return;
      const line = [
        [x1, y1, x1, y2],
        [x1, y1, x2, y1],
        [x2, y1, x2, y2],
        [x1, y2, x2, y2],
      ][at.edge];
      outline(context, ratio, line, QUERY);
    });
    if (yours) outline(context, ratio, scaled(yours), YOURS);
  };
}

// What lies below the boxes: the map of the row that predicts the chosen token, or nothing.
/** @param {Context} ctx @param {Letter} letter @param {Selection} selection @param {BoxPlace} at */
function beneath(ctx, letter, selection, at) {
  const bare = { quiet: false, cells: null, dimmed: null, note: null };
  const { map, late, error } = ctx.mapResources(letter);
  if (at.index < 0 || !choices(selection, "boxes").beneath) return { spec: bare, map: null };
  const note = error && said(error);
  if (!map) return { spec: { ...bare, note, dimmed: late }, map: null };
  const grid = drawnGrid(map);
  const frame = cellInTime(ctx.store.state, selection, letter);
  const cells = { values: drawnValues(map), grid, max: map.max, offset: frame * grid[1] * grid[2] };
  return { spec: { quiet: true, cells, dimmed: late, note }, map: late ? null : map };
}

/**
 * @param {WrittenBox[]} boxes
 * @param {Attended | null} map
 * @param {Media} media
 * @param {BoxPlace} at
 * @param {Region | null} yours
 */
function sideFigures(boxes, map, media, at, yours) {
  const drawn = boxes.flatMap((box) => (box.original ? [box.original] : []));
  const items = [[count(boxes.length), boxes.length === 1 ? say("box in the answer") : say("boxes in the answer")]];
  if (yours && drawn.length) {
    const pointed = at.index >= 0 ? boxes[at.index].original : null;
    const shares = (pointed ? [pointed] : drawn).map((box) => overlap(relative(box, media.size), yours));
    items.push([percent(Math.max(...shares)), say("overlap (IoU) with your box")]);
  }
  if (map) {
    const layer = map.layer === "mean" ? say("mean of layers") : say("layer {layer}", { layer: map.layer });
    const head = map.head === "mean" ? say("mean of heads") : say("head {head}", { head: map.head });
    items.push([
      percent(map.share),
      say("of row {row} on this picture, {layer}, {head}", { row: map.row, layer, head }),
    ]);
    items.push([percent(map.max), say("of it in one cell, the end of the scale")]);
  }
  return items;
}

/**
 * @param {Context} ctx
 * @param {Column} view
 * @param {Pointing} point
 * @param {State} state
 * @param {Selection} selection
 */
function drawColumn(ctx, view, point, state, selection) {
  const { letter } = view;
  const run = state.runs[letter];
  const answer = ask(ctx, state, selection, letter);
  const media = run?.media[selection.media];
  const boxes = answer?.value?.boxes ?? [];
  Object.assign(view.answered, { boxes, media: media ?? null });
  const chosen = selection.query[letter];
  const at = placeOf(boxes, chosen);
  const yours = edgesOf(choices(selection, "boxes"));
  view.stage.root.dataset.boxes = String(boxes.length);
  if (run && media) drawStage(ctx, view, run, { media, selection, at, yours });
  else {
    view.stage.update(ctx.vacant(view.cell, letter, STAGE_HEIGHT, run));
    view.layer.draw([], () => {});
    refill(view.side, [], () => []);
  }
  view.card.hidden = !run;
  if (!run) return;
  if (answer?.error) refill(view.body, answer.error, () => el("p", { text: said(answer.error) }));
  else if (answer?.value)
    refill(view.body, [run.id, selection.media, yours, boxes.length], () =>
      boxes.length
        ? boxes.map((box, index) => boxBlock(run, box, index, { letter, point, media, yours }))
        : nothing(run),
    );
  mark(view.body, chosen, at);
}

/** @param {Context} ctx @param {Column} view @param {Run} run @param {Shown} shown */
function drawStage(ctx, view, run, { media, selection, at, yours }) {
  const { boxes } = view.answered;
  const { inner, flat } = ctx.stageBox(view.cell, media.size, STAGE_HEIGHT);
  const image = ctx.picture("picture", run.id, selection.media);
  const { spec, map } = beneath(ctx, view.letter, selection, at);
  view.stage.update({ image, size: media.size, box: inner, ...spec });
  toggle(view.cell, "flat", flat);
  view.layer.draw(
    [run.id, selection.media, boxes.map((box) => box.original), at, yours],
    paintBoxes(boxes, media, at, yours),
  );
  figures(view.side, sideFigures(boxes, map, media, at, yours));
}

/** @param {Both<Run | null>} runs */
function honest(runs) {
  return [
    [
      say("Plotted"),
      say(
        "The numbers of the answer, over 1000, times the original's sides. Neither notation names a picture: they are drawn on the one that is chosen.",
      ),
    ],
    [
      say("Scale"),
      say(
        "A map beneath is one row, of the token before the chosen one, at the layer and head chosen in Answer; it runs to its own maximum.",
      ),
    ],
    [
      say("Not shown"),
      `${say("Whether the box is right: compare with your own.")} ${weightsNote(LETTERS.map((letter) => runs[letter]))}`,
    ],
  ];
}

/** @param {Context} ctx @returns {ViewDrawing} */
export function createView(ctx) {
  /** @type {Both<{ boxes: WrittenBox[] }>} */
  const parts = both({ boxes: [] });
  const point = pointing(ctx, parts);
  const { columns, pair, stages } = twoColumns((letter) => column(ctx, letter, point));
  LETTERS.forEach((letter) => (parts[letter] = columns[letter].answered));
  const tool = tools(ctx);
  const panel = honestPanel();
  return {
    root: el(
      "div",
      { class: "view view-boxes", "data-part": "view" },
      tool.root,
      pair("cell", ({ cell }) => cell),
      pair("card", ({ card }) => card),
      panel.root,
    ),
    stages,
    update(state, selection) {
      const chosen = choices(selection, "boxes");
      tool.media.update(state, selection);
      tool.fields.update(chosen);
      tool.beneath.choose(String(chosen.beneath));
      tool.clear.disabled = EDGES.every((name) => chosen[name] === null);
      LETTERS.forEach((letter) => drawColumn(ctx, columns[letter], point, state, selection));
      panel.update(honest(state.runs));
    },
  };
}

// Without the visitor's own box; null where none is drawn.
/** @param {BoxesChoices} chosen */
export const letGo = (chosen) => (edgesOf(chosen) ? NO_RECTANGLE : null);

// What the status line says of this view.
/** @param {Context} ctx @param {State} state @param {Selection} selection @returns {StatusParts} */
export function status(ctx, state, selection) {
  const yours = edgesOf(choices(selection, "boxes"));
  const told = LETTERS.filter((letter) => state.runs[letter]).map((letter) => {
    const boxes = ask(ctx, state, selection, letter)?.value?.boxes;
    if (!boxes) return ["", letter, ` ${say("boxes on their way")}`];
    if (!boxes.length) return ["", letter, ` ${say("no box in this answer")}`];
    const token = selection.query[letter];
    const { index, edge } = placeOf(boxes, token);
    if (index < 0)
      return ["", letter, ` ${boxes.length === 1 ? say("1 box") : say("{count} boxes", { count: boxes.length })}`];
    const box = boxes[index];
    const written = box.written
      ? `(${box.written.slice(0, 2).join(",")}),(${box.written.slice(2).join(",")})`
      : box.text;
    const number =
      edge < 0 || !box.written || token === null
        ? ""
        : `, ${say("{edge} edge {value}, predicted by row {row}", { edge: edgeNames()[edge], value: box.written[edge], row: token - 1 })}`;
    return ["", letter, ` ${say("box {index}", { index })} ${written}${number}`];
  });
  const start = yours
    ? say("your box {box} thousandths", { box: yours.map((edge) => Math.round(1000 * edge)).join(", ") })
    : say("boxes of the answers");
  return [[start], ...told];
}
