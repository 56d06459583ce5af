// Small drawings of what a step of a model does, for the Pipeline: counts in them are the model's own.

import { svg } from "../../core/dom.js";

/** @typedef {{ class?: string }} Pen */

const WIDTH = 76;
const HEIGHT = 48;

/** @param {string} name @param {(Node | string)[]} children */
const frame = (name, ...children) =>
  svg(
    "svg",
    {
      class: `glyph glyph-${name}`,
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      width: WIDTH,
      height: HEIGHT,
      "aria-hidden": "true",
    },
    ...children,
  );

/** @param {number} x @param {number} y @param {number} width @param {number} height @param {Pen} [more] */
const box = (x, y, width, height, more = {}) => svg("rect", { x, y, width, height, ...more });

/** @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 @param {Pen} [more] */
const line = (x1, y1, x2, y2, more = {}) => svg("line", { x1, y1, x2, y2, ...more });

/** @param {number} side @param {number} x @param {number} y @param {number} size */
function lattice(side, x, y, size) {
  const step = size / side;
  return Array.from({ length: side * side }, (_, index) =>
    box(x + (index % side) * step + 0.5, y + Math.floor(index / side) * step + 0.5, step - 1, step - 1),
  );
}

// As many sheets as there are blocks, and what tells them their places: a table, or an angle.
/** @param {number} blocks @param {boolean} rotary */
export function tower(blocks, rotary) {
  const step = Math.min(11, 50 / blocks);
  const left = 24 + (50 - step * blocks) / 2;
  const sheets = Array.from({ length: blocks }, (_, index) =>
    box(left + index * step, 8, Math.max(0.6, step * 0.7), 32),
  );
  const sign = rotary
    ? svg("path", { d: "M15 18 a7 7 0 1 0 2 6 m-1 -9 v4 h-4", class: "stroke" })
    : svg("g", {}, ...lattice(3, 3, 17, 14));
  return frame("tower", ...sheets, sign);
}

// Every query reads every patch.
export function readers() {
  const ys = [8, 19, 30, 41];
  const lines = [14, 24, 34].flatMap((to) => ys.map((from) => line(26, from, 56, to, { class: "stroke thin" })));
  const patches = ys.map((y) => box(18, y - 3.5, 7, 7));
  return frame("readers", ...lines, ...patches, ...[14, 24, 34].map((y) => svg("circle", { cx: 60, cy: y, r: 4 })));
}

// Four neighbours become one.
export function merger() {
  return frame(
    "merger",
    ...lattice(2, 12, 11, 26),
    svg("path", { d: "M42 24 h8 m-3 -3 l3 3 l-3 3", class: "stroke" }),
    box(54, 17, 14, 14),
  );
}

// A decoder's rows, each seeing what came before it.
/** @param {number} blocks */
export function triangle(blocks) {
  const rows = 7;
  const bars = Array.from({ length: rows }, (_, row) => box(18, 6 + row * 5.2, 5.6 * (row + 1), 3.8));
  const words = svg("text", { x: 70, y: 16, "text-anchor": "end", text: `×${blocks}` });
  return frame("triangle", ...bars, words);
}

// The prompt as it is: runs of tokens of one kind, as wide as they are long.
/** @param {string[]} kinds @param {number[][]} ids */
export function strip(kinds, ids) {
  const total = kinds.length;
  /** @type {{ kind: string, from: number, to: number }[]} */
  const runs = [];
  kinds.forEach((kind, index) => {
    const last = runs.at(-1);
    if (last?.kind === kind) last.to = index + 1;
    else runs.push({ kind, from: index, to: index + 1 });
  });
  const at = (/** @type {number} */ index) => 2 + (72 * index) / total;
  const bars = runs.map(({ kind, from, to }) =>
    box(at(from), 6, Math.max(0.8, at(to) - at(from)), 12, { class: `kind-${kind}` }),
  );
  return frame("strip", ...bars, ...idLines(ids, total));
}

/** @param {number[][]} ids @param {number} total */
function idLines(ids, total) {
  const top = Math.max(1, ...ids.map((row) => Math.max(...row)));
  const names = ids.length === 1 ? ["one"] : ["t", "h", "w"];
  const every = Math.max(1, Math.floor(total / 180));
  return ids.map((row, lane) => {
    const points = [];
    for (let index = 0; index < total; index += every)
      points.push(`${(2 + (72 * index) / total).toFixed(1)},${(44 - (20 * row[index]) / top).toFixed(1)}`);
    return svg("polyline", { points: points.join(" "), class: `stroke thin id-${names[lane]}` });
  });
}

// One tick a token of the answer.
/** @param {number} count */
export function ticks(count) {
  const shown = Math.min(count, 24);
  const step = 64 / Math.max(1, shown);
  return frame(
    "ticks",
    ...Array.from({ length: shown }, (_, index) => box(6 + index * step, 20, Math.max(1, step - 1.5), 9)),
  );
}
