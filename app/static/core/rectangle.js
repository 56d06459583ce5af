// A rectangle of a picture, in whole thousandths of its sides: as an address can hold it.

/** @import { Rectangle } from "./types.d.ts" */

export const THOUSANDTHS = 1000;

/** @type {(keyof Rectangle)[]} */
export const EDGES = ["left", "top", "right", "bottom"];

/** @param {number[]} from @param {number[]} to */
export function rectangle([x1, y1], [x2, y2]) {
  /** @param {number} value */
  const edge = (value) => Math.round(value * THOUSANDTHS);
  return {
    left: edge(Math.min(x1, x2)),
    top: edge(Math.min(y1, y2)),
    right: edge(Math.max(x1, x2)),
    bottom: edge(Math.max(y1, y2)),
  };
}

// The four edges of a choice in 0..1; null while any is missing or they hold nothing.
/** @param {Rectangle} chosen */
export function edgesOf(chosen) {
  const box = EDGES.map((name) => chosen[name] ?? NaN);
  if (!box.every((edge) => Number.isInteger(edge) && edge >= 0 && edge <= THOUSANDTHS)) return null;
  return box[2] > box[0] && box[3] > box[1] ? box.map((edge) => edge / THOUSANDTHS) : null;
}

/** @type {Rectangle} */
export const NO_RECTANGLE = { left: null, top: null, right: null, bottom: null };

// Moved whole by this many cells of a hundredth, and kept on the picture.
/** @param {Rectangle} chosen @param {number} rows @param {number} columns */
export function shifted(chosen, rows, columns) {
  const [x1, y1, x2, y2] = EDGES.map((name) => chosen[name] ?? 0);
  const [width, height] = [x2 - x1, y2 - y1];
  const left = Math.min(THOUSANDTHS - width, Math.max(0, x1 + 10 * columns));
  const top = Math.min(THOUSANDTHS - height, Math.max(0, y1 + 10 * rows));
  return { left, top, right: left + width, bottom: top + height };
}
