// The scaffold that charts share: scales, rules, lines and texts of an SVG drawing.

import { svg } from "../core/dom.js";

/** @import { Numbers } from "../core/types.d.ts" */

/**
 * Where a value lies between two ends of a drawing.
 * @param {number[]} domain the values at both ends
 * @param {number[]} range the ends
 * @returns {(value: number) => number}
 */
export function scale([low, high], [start, end]) {
  const span = high - low || 1;
  return (value) => start + ((end - start) * (value - low)) / span;
}

/**
 * The same on a logarithmic scale.
 * @param {number[]} domain
 * @param {number[]} range
 * @returns {(value: number) => number}
 */
export function logScale([low, high], range) {
  const linear = scale([Math.log(low), Math.log(high)], range);
  return (value) => linear(Math.log(Math.max(value, 1e-9)));
}

/**
 * Round steps from 0 to what a chart must hold.
 * @param {number} top
 * @param {number} [about] how many
 * @returns {number[]}
 */
export function roundTicks(top, about = 4) {
  if (!(top > 0)) return [0];
  const rough = top / about;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * unit).find((each) => each >= rough) ?? 10 * unit;
  return Array.from({ length: Math.floor(top / step + 1e-9) + 1 }, (_, index) => index * step);
}

/**
 * @param {number} x
 * @param {number} y
 * @param {string | number} words
 * @param {string | null} [name] a class of its own
 * @param {"start" | "middle" | "end"} [anchor]
 */
export const text = (x, y, words, name = null, anchor = "start") =>
  svg("text", { x, y, class: name, "text-anchor": anchor }, String(words));

/**
 * A straight line from left to right.
 * @param {number} from
 * @param {number} to
 * @param {number} y
 * @param {string} name
 */
export const across = (from, to, y, name) => svg("line", { x1: from, x2: to, y1: y, y2: y, class: name });

/**
 * A straight line from top to bottom.
 * @param {number} x
 * @param {number} from
 * @param {number} to
 * @param {string} name
 */
export const upright = (x, from, to, name) => svg("line", { x1: x, x2: x, y1: from, y2: to, class: name });

const places = (/** @type {Iterable<number[]>} */ points) =>
  Array.from(points, ([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");

/**
 * A line through points, [x, y] each.
 * @param {Iterable<number[]>} points
 * @param {string} name
 */
export const line = (points, name) => svg("polyline", { points: places(points), class: name });

/**
 * The surface between two lines over the same places.
 * @param {Numbers} xs
 * @param {Numbers} low
 * @param {Numbers} high
 * @param {string} name
 */
export const band = (xs, low, high, name) => {
  const along = (/** @type {Numbers} */ ys) => Array.from(xs, (x, at) => [x, ys[at]]);
  return svg("polygon", { points: places([...along(high), ...along(low).reverse()]), class: name });
};

/**
 * Grid lines with their values to the left of them.
 * @param {number[]} ticks
 * @param {(value: number) => number} y
 * @param {{ left: number, right: number, gap?: number, format: (value: number) => string }} shape
 */
export const grid = (ticks, y, { left, right, gap = 5, format }) =>
  ticks.flatMap((value) => [
    across(left, right, y(value), "chart-grid"),
    text(left - gap, y(value) + 4, format(value), null, "end"),
  ]);

/**
 * The drawing itself, in pixels; `fluid` is as wide as its column instead.
 * @param {{ width: number, height: number, label: string, fluid?: boolean, name?: string }} shape
 * @param {(Node | string)[]} parts
 */
export const chart = ({ width, height, label, fluid = false, name = "" }, parts) =>
  svg(
    "svg",
    {
      ...(fluid ? {} : { width, height }),
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      "aria-label": label,
      class: `chart ${name}`.trim(),
    },
    ...parts,
  );
