// The region of the Causes view: read from the choice, drawn on the picture.

import { edges } from "../../core/geometry.js";
import { choices } from "../../state/selection.js";
import { THOUSANDTHS, edgesOf, rectangle } from "../../core/rectangle.js";
import { outline } from "../../drawing/region.js";
import { SIDE, cellsOf, readStrokes, stroke, writeStrokes } from "./brush.js";

/** @import { CausesChoices, Context, Grid, Letter, Place } from "../../core/types.d.ts" */
/** @import { BrushCell } from "./brush_keys.js" */
/** @import { Choose } from "./work.js" */

/**
 * The place that is taken away, as the server is told of it; a box in thousandths.
 * @typedef {{ kind: "half" } | { kind: "brush", mask: string } | { kind: "box", box: number[] }} ChosenPlace
 */

const REGION = { colour: "#ffffff", width: 1.75, dash: [5, 4] };

const BRUSH = { colour: "#ffffff", width: 2.5 };

const HATCH = "rgb(255 255 255 / .34)";

/**
 * @param {CausesChoices} chosen
 * @returns {ChosenPlace | null}
 */
export function regionOf(chosen) {
  if (chosen.shape === "half") return { kind: "half" };
  if (chosen.shape === "brush") return chosen.strokes === "none" ? null : { kind: "brush", mask: chosen.strokes };
  const box = edgesOf(chosen);
  return box && { kind: "box", box: box.map((edge) => Math.round(edge * THOUSANDTHS)) };
}

/** @param {boolean} hidden @param {BrushCell | null} here @param {CausesChoices} chosen */
export function paintRegion(chosen, hidden, here) {
  const box = chosen.shape === "box" ? edgesOf(chosen) : null;
  const strokes = chosen.shape === "brush" && chosen.strokes !== "none" ? cellsOf(readStrokes(chosen.strokes)) : [];
  /** @param {CanvasRenderingContext2D} context @param {number} ratio @param {number} width @param {number} height */
  return (context, ratio, width, height) => {
    if (strokes.length && !hidden) {
      context.fillStyle = HATCH;
      const [xs, ys] = [edges(SIDE, width), edges(SIDE, height)];
      strokes.forEach((cell) => {
        const [column, row] = [cell % SIDE, Math.floor(cell / SIDE)];
        context.fillRect(xs[column], ys[row], xs[column + 1] - xs[column], ys[row + 1] - ys[row]);
      });
    }
    const pixels = (/** @type {number[]} */ [left, top, right, bottom]) =>
      [left * width, top * height, right * width, bottom * height].map(Math.round);
    if (box) outline(context, ratio, pixels(box), REGION);
    if (here) outline(context, ratio, pixels(here.box), BRUSH);
  };
}

/** @param {number[]} cells @param {Grid} grid @param {number} frame */
export function inFrame(cells, [, rows, columns], frame) {
  const size = rows * columns;
  return cells.filter((cell) => Math.floor(cell / size) === frame).map((cell) => cell % size);
}

/** @param {Context} ctx @param {Letter} letter */
export function drawing(ctx, letter) {
  const chosen = () => choices(ctx.store.state.selection, "causes");
  /** @type {Uint8Array | null} */
  let mask = null;
  /** @type {Place | null} */
  let last = null;
  /** @param {Place} from @param {Place} to @param {boolean} done @param {Choose} choose */
  return function drag(from, to, done, choose) {
    if (chosen().shape !== "brush") {
      const patch = { shape: "box", ...rectangle(from, to) };
      return done ? choose(patch) : ctx.actions.tryChoice("causes", patch);
    }
    const media = ctx.run(letter)?.media[ctx.store.state.selection.media];
    mask = stroke(mask ?? readStrokes(chosen().strokes), last ?? from, to, media?.size ?? [1, 1]);
    last = done ? null : to;
    const patch = { strokes: writeStrokes(mask) };
    if (done) mask = null;
    return done ? choose(patch) : ctx.actions.tryChoice("causes", patch);
  };
}
