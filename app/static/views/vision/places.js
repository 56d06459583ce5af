// Similarity of patches in the position code, beside the tower.

import { tide } from "../../core/colour.js";
import { el, isDark, refill, sizeCanvas, token } from "../../core/dom.js";
import { hasAdapter } from "../../core/families.js";
import { edges, fit } from "../../core/geometry.js";
import { said, say } from "../../language/i18n.js";
import { cellInTime } from "../../state/time.js";
import { placesOf } from "./asked.js";

/** @import { VisionColumn } from "./view.js" */
/** @import { Look } from "./asked.js" */
/** @import { Answer, Context, Run, Selection, State } from "../../core/types.d.ts" */

const PLACES = [128, 96];

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Answer<"vision_places">} answer
 * @param {{ row: number, column: number }} here
 */
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

/**
 * @param {Run} run
 * @param {Answer<"vision_places">} answer
 * @returns {[tag: "b" | "span" | "code", text: string][]}
 */
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

/** @param {Context} ctx @param {VisionColumn} view @param {Look} look @param {State} state @param {Selection} selection */
export function drawPlaces(ctx, view, look, state, selection) {
  const { letter } = view;
  view.segments.update(look.run, selection.media, cellInTime(state, selection, letter));
  const { value, error } = placesOf(ctx, look, state, selection, letter);
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
