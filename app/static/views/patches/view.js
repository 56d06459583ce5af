// How the picture is cut: the grids on the original, the three orders of its patches, four folding into one token, and
// the picture rebuilt from what the model received.

import { css, viridis } from "../../core/colour.js";
import { el, letterBadge, refill, sizeCanvas } from "../../core/dom.js";
import { hasAdapter, ownGrid } from "../../core/families.js";
import { cellAt, cellBox, cellSize, cellsUnder, fit } from "../../core/geometry.js";
import { said, say } from "../../language/i18n.js";
import { count, pixels, times } from "../../language/numbers.js";
import { LETTERS, choices, other } from "../../state/selection.js";
import { cellInTime, firstFrameOf } from "../../state/time.js";
import { twoColumns } from "../../drawing/frame.js";
import { honestPanel } from "../../drawing/honest.js";
import { cellsOf, pathOf } from "../../drawing/patch_orders.js";
import { figures } from "../../drawing/scale.js";
import { createStage } from "../../drawing/stage.js";
import { cardsOf } from "./cards.js";

/** @import { Both, Context, Letter, Media, Place, Run } from "../../core/types.d.ts" */
/** @import { Selection, Size, State, StatusParts, ViewDrawing } from "../../core/types.d.ts" */
/** @import { Card } from "./cards.js" */

/** @typedef {ReturnType<typeof column>} Column */

export const NAME = "Patches";

export const SITE = "vision";

export const SHOWS = ["picture", "place"];

export const CHOICES = { order: "none" };

const STAGE_HEIGHT = 250;

const PICTURES_KEPT = 12;

const ratioWords = (/** @type {readonly number[]} */ [width, height]) =>
  width >= height ? `${(width / height).toFixed(2)} : 1` : `1 : ${(height / width).toFixed(2)}`;

/** @param {Run} run @param {Media} media */
function keyFigures(run, media) {
  const [width, height] = cellSize(media.size, media.patch_grid);
  const each = [`${pixels(width)} × ${pixels(height)}`, say("px of the original, each patch")];
  const number = count(cellsOf(media.patch_grid));
  if (hasAdapter(run))
    return [
      each,
      [ratioWords(media.size), say("squashed to 1 : 1")],
      [times(media.resized[0], media.resized[1]), say("fixed, bicubic")],
      [
        number,
        media.patch_grid[0] > 1
          ? say("patches in {frames} frames", { frames: media.patch_grid[0] })
          : say("patches, for any picture"),
      ],
    ];
  const kept = media.limit ? say("kept, within {limit}", { limit: media.limit }) : say("kept, to the nearest 28");
  return [
    each,
    [ratioWords(media.size), kept],
    [times(media.resized[0], media.resized[1]), say("from {size}", { size: times(media.size[0], media.size[1]) })],
    [
      number,
      media.patch_grid[0] > 1
        ? say("patches in {pairs} pairs of frames", { pairs: media.patch_grid[0] })
        : say("patches, for this one"),
    ],
  ];
}

// The chosen place: a model's own cell in orange; the patches of one that has no merged tokens, under the other's token,
// in dashed blue.
/**
 * @param {Letter} letter
 * @param {Both<Run | null>} runs
 * @param {Run} run
 * @param {Media} media
 * @param {Selection} selection
 */
function marks(letter, runs, run, media, selection) {
  if (!selection.keys) return {};
  const far = runs[other(letter)];
  const farMedia = far?.media[selection.media];
  if (hasAdapter(run) && far && farMedia && !hasAdapter(far)) {
    const { row, column } = cellAt(selection.keys, farMedia.token_grid);
    const covering = cellsUnder(cellBox(row, column, [1, 1], farMedia.token_grid), media.patch_grid);
    const text =
      covering.length === 1
        ? say("1 patch covers the same place")
        : say("{count} patches cover the same place", { count: count(covering.length) });
    return { contour: { cells: covering, grid: media.patch_grid }, label: { text } };
  }
  const grid = ownGrid(run, media);
  const { row, column } = cellAt(selection.keys, grid);
  const text = hasAdapter(run)
    ? say("patch ({row}, {column})", { row, column })
    : say("token ({row}, {column})", { row, column });
  return { outlines: [{ box: cellBox(row, column, [1, 1], grid), kind: "query" }], label: { text } };
}

/** @param {HTMLCanvasElement} canvas @param {Size} size @param {Size} box @param {Place[]} places */
function paintPath(canvas, size, box, places) {
  const shape = fit(size, box);
  const { context, ratio, width, height } = sizeCanvas(canvas, shape.width, shape.height);
  context.lineWidth = 1.25 * ratio;
  places.slice(1).forEach(([x, y], at) => {
    const [fromX, fromY] = places[at];
    context.strokeStyle = css(viridis((at + 1) / places.length), 0.9);
    context.beginPath();
    context.moveTo(fromX * width, fromY * height);
    context.lineTo(x * width, y * height);
    context.stroke();
  });
}

/** @param {Column} view @param {Run} run @param {Media} media @param {number[]} box @param {string} order */
function drawPath(view, run, media, box, order) {
  const own = hasAdapter(run) && order !== "none" ? "raster" : order;
  const stamp = [run.id, media.index, own, ...box].join();
  if (view.path.dataset.stamp === stamp) return;
  view.path.dataset.stamp = stamp;
  view.path.dataset.order = own;
  paintPath(view.path, media.size, box, own === "none" ? [] : pathOf(own, media));
}

// Images made from what the server answered, the last few.
/** @param {() => void} redraw */
function createImages(redraw) {
  /** @type {Map<string, HTMLImageElement>} */
  const held = new Map();
  return (/** @type {string | undefined} */ source) => {
    if (!source) return null;
    const image = held.get(source) ?? new Image();
    if (!held.has(source)) {
      image.onload = redraw;
      image.src = source;
      held.set(source, image);
      const [oldest] = held.keys();
      if (held.size > PICTURES_KEPT) held.delete(oldest);
    }
    return image.complete && image.naturalWidth ? image : null;
  };
}

/** @param {Letter} letter @param {Run} run @param {number} index */
function arithmetic(letter, run, index) {
  const steps = run.account.steps[index].flatMap((step, at) => [
    at ? el("span", { class: "arrow", text: "→" }) : null,
    el("div", { class: "sum-step" }, el("b", { text: step.value }), el("small", { text: said(step.label) })),
  ]);
  const right = hasAdapter(run) ? say("the same for every picture") : say("follows the picture");
  return [
    el(
      "div",
      { class: "title-line", "data-part": "title-line" },
      el("h3", {}, letterBadge(letter), say("Token arithmetic")),
      el("span", { text: right }),
    ),
    el("div", { class: "sum" }, ...steps.filter(Boolean)),
  ];
}

/** @param {Context} ctx @param {Letter} letter */
function column(ctx, letter) {
  const stage = createStage({
    letter,
    title: say("The original picture under the grid of model {letter}", { letter }),
    onhover: (place) => ctx.actions.hoverPlace(place),
    onpick: (place) => ctx.actions.pickPlace(place),
    onstep: (rows, columns) => ctx.actions.stepPlace(letter, rows, columns),
  });
  const [side, path] = [
    el("div", { class: "figures", "data-part": "figures" }),
    el("canvas", { class: "order-path", "data-part": "order-path", "aria-hidden": "true" }),
  ];
  stage.root.append(path);
  const sum = el("section", { class: "card sum-card", "data-part": "sum-card", "data-letter": letter });
  const cell = el("div", { class: "stage-cell", "data-part": "stage-cell", "data-letter": letter }, stage.root, side);
  /** @type {{ letter: Letter, cards: Card[], family: string | null }} */
  const held = { letter, cards: [], family: null };
  return { letter, stage, side, path, sum, cell, held };
}

/** @param {Context} ctx @param {Letter} letter @param {Run} run @param {Media} media @param {number} frame */
function askRebuilt(ctx, letter, run, media, frame) {
  return ctx.client.resource(
    `rebuilt ${letter}`,
    "rebuilt",
    { run: run.id, media: media.index, frame },
    { group: `${run.id} ${media.index}` },
  ).value;
}

// The pixels of the token in question, from the model's own input; null while they are on their way.
/**
 * @param {Context} ctx
 * @param {State} state
 * @param {Letter} letter
 * @param {{ run: Run, media: Media, frame: number, keys: Place | null }} given
 */
function askToken(ctx, state, letter, { run, media, frame, keys }) {
  const { index } = cellAt(keys ?? [0.5, 0.5], media.token_grid);
  const token = index + frame * media.token_grid[1] * media.token_grid[2];
  const options = { group: `${run.id} ${media.index}`, hovering: state.preview !== null };
  const { value, fresh } = ctx.client.resource(
    `token ${letter}`,
    "token_pixels",
    { run: run.id, media: media.index, token },
    options,
  );
  return fresh ? value : null;
}

/**
 * @param {Context} ctx
 * @param {Column} view
 * @param {State} state
 * @param {Selection} selection
 * @param {ReturnType<typeof createImages>} image
 */
function drawColumn(ctx, view, state, selection, image) {
  const { letter } = view;
  const run = state.runs[letter];
  const media = run?.media[selection.media];
  view.sum.hidden = view.path.hidden = !media;
  if (!run || !media) {
    view.stage.update(ctx.vacant(view.cell, letter, STAGE_HEIGHT, run));
    figures(view.side, []);
    [view.held.cards, view.held.family] = [[], null];
    return;
  }
  const { inner, flat } = ctx.stageBox(view.cell, media.size, STAGE_HEIGHT);
  const frame = cellInTime(state, selection, letter);
  view.stage.update({
    image: ctx.picture("picture", run.id, selection.media, firstFrameOf(media, frame)),
    size: media.size,
    box: inner,
    quiet: false,
    lines: media.patch_grid,
    cells: null,
    ...marks(letter, state.runs, run, media, selection),
  });
  drawPath(view, run, media, inner, choices(selection, "patches").order);
  view.cell.classList.toggle("flat", flat);
  figures(view.side, keyFigures(run, media));
  refill(view.sum, [run.id, selection.media], () => arithmetic(letter, run, selection.media));
  const rebuilt = askRebuilt(ctx, letter, run, media, frame);
  const drawn = choices(selection, "patches").order;
  const looked = { run, media, frame, keys: selection.keys };
  const token = hasAdapter(run) ? null : askToken(ctx, state, letter, looked);
  const images = { image: image(rebuilt?.picture), pixels: image(token?.picture) };
  const shown = { ...looked, rebuilt, drawn, ...images };
  cardsOf(ctx, view.held, run).forEach((each) => each.update(shown));
}

// Three cards stand side by side, one or two or four in two columns.
/** @param {HTMLElement} box @param {Record<string, Column>} columns */
function arrange(box, columns) {
  const cards = LETTERS.flatMap((letter) => columns[letter].held.cards);
  box.className = cards.length === 3 ? "triple patch-cards" : "pair patch-cards";
  if (cards.length === box.children.length && cards.every(({ root }, at) => root === box.children[at])) return;
  box.replaceChildren(...cards.map(({ root }) => root));
}

function honest() {
  return [
    [say("Plotted"), say("The grids that the processors really cut, mapped back to the original picture.")],
    [
      say("Proof"),
      say("The model's own input, put back in place and un-normalised; the error counts values that differ."),
    ],
    [say("Not shown"), say("Anything a model made of it: this view needs no weights and holds for any of them.")],
  ];
}

/** @param {Context} ctx @returns {ViewDrawing} */
export function createView(ctx) {
  const { columns, pair, stages } = twoColumns((letter) => column(ctx, letter));
  const panel = honestPanel();
  panel.update(honest());
  const choice = ctx.mediaChoice();
  const [cards, image] = [el("div", {}), createImages(ctx.store.redraw)];
  return {
    root: el(
      "div",
      { class: "view view-patches", "data-part": "view" },
      choice.root,
      pair("cell", ({ cell }) => cell),
      pair("sum", ({ sum }) => sum),
      cards,
      panel.root,
    ),
    stages,
    update(state, selection) {
      choice.update(state, selection);
      LETTERS.forEach((letter) => drawColumn(ctx, columns[letter], state, selection, image));
      arrange(cards, columns);
    },
  };
}

/** @param {Run} run @param {Media} media @param {Place} place @param {number} frame */
function placeWords(run, media, place, frame) {
  const grid = ownGrid(run, media);
  const { row, column, index } = cellAt(place, grid);
  const box = cellBox(row, column, media.size, grid).map(Math.round);
  const values = {
    index: count(index + frame * grid[1] * grid[2]),
    row,
    column,
    left: box[0],
    top: box[1],
    right: box[2],
    bottom: box[3],
  };
  return hasAdapter(run)
    ? say("patch {index}, cell ({row}, {column}), box {left}, {top} to {right}, {bottom} of the original", values)
    : say("token {index}, cell ({row}, {column}), box {left}, {top} to {right}, {bottom} of the original", values);
}

// What the status line says of this view.
/** @param {Context} _ctx @param {State} state @param {Selection} selection @returns {StatusParts} */
export function status(_ctx, state, selection) {
  const parts = LETTERS.flatMap((letter) => {
    const run = state.runs[letter];
    const media = run?.media[selection.media];
    if (!media) return [];
    if (selection.keys)
      return [["", letter, ` ${placeWords(run, media, selection.keys, cellInTime(state, selection, letter))}`]];
    const [width, height] = cellSize(media.size, media.patch_grid);
    const values = { count: count(cellsOf(media.patch_grid)), width: pixels(width), height: pixels(height) };
    return [["", letter, ` ${say("{count} patches, {width} × {height} px of the original each", values)}`]];
  });
  return [[selection.keys ? say("a place on the picture") : say("the grids on the original picture")], ...parts];
}
