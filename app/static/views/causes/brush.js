// Strokes of a brush over a picture, kept on a square grid of cells and written as one word for the address.

/** @import { Region } from "../../core/types.d.ts" */

export const SIDE = 64;
const RADIUS = 0.035; // of the picture's longer side

// Runs of unpainted and painted cells in turn, row by row, in base 36 after a "b".
/** @param {Uint8Array} mask */
export function writeStrokes(mask) {
  const runs = [];
  let painted = 0;
  let length = 0;
  for (const cell of mask) {
    if (cell === painted) {
      length += 1;
      continue;
    }
    runs.push(length);
    [painted, length] = [cell, 1];
  }
  return `b${[...runs, length].map((run) => run.toString(36)).join(".")}`;
}

// The cells of a written mask, 0 or 1 each; none painted where it cannot be read.
/** @param {string | null | undefined} text */
export function readStrokes(text) {
  const mask = new Uint8Array(SIDE * SIDE);
  if (!text || !/^b[0-9a-z]{1,3}(\.[0-9a-z]{1,3})*$/.test(text)) return mask;
  const runs = text
    .slice(1)
    .split(".")
    .map((run) => parseInt(run, 36));
  if (runs.reduce((sum, run) => sum + run, 0) !== SIDE * SIDE) return mask;
  let at = 0;
  runs.forEach((run, index) => {
    if (index % 2) mask.fill(1, at, at + run);
    at += run;
  });
  return mask;
}

// The same mask with every cell painted that a round brush touches on its way from one place to the next.
/**
 * @param {Uint8Array} mask
 * @param {number[]} from
 * @param {number[]} to
 * @param {number[]} size of the picture
 */
export function stroke(mask, [x1, y1], [x2, y2], [width, height]) {
  const painted = mask.slice();
  const longer = Math.max(width, height);
  const [wide, tall] = [width / longer, height / longer];
  const [dx, dy] = [(x2 - x1) * wide, (y2 - y1) * tall];
  const length = dx * dx + dy * dy;
  for (let row = 0; row < SIDE; row += 1)
    for (let column = 0; column < SIDE; column += 1) {
      const [px, py] = [((column + 0.5) / SIDE - x1) * wide, ((row + 0.5) / SIDE - y1) * tall];
      const along = length > 0 ? Math.min(1, Math.max(0, (px * dx + py * dy) / length)) : 0;
      if (Math.hypot(px - along * dx, py - along * dy) <= RADIUS) painted[row * SIDE + column] = 1;
    }
  return painted;
}

/** @param {number[]} place */
const strokeAt = ([x, y]) => Math.min(SIDE - 1, Math.floor(y * SIDE)) * SIDE + Math.min(SIDE - 1, Math.floor(x * SIDE));

/** @param {Region} box */
const middleOf = ([left, top, right, bottom]) => [(left + right) / 2, (top + bottom) / 2];

// Whether the middle of a box, [left, top, right, bottom] in 0..1, is painted.
/** @param {Uint8Array} mask @param {Region} box */
export const isPainted = (mask, box) => mask[strokeAt(middleOf(box))] === 1;

// The same mask with a box painted, or wiped where it was: the cells whose middle lies in it, and the one at its own middle.
/** @param {Uint8Array} mask @param {Region} box */
export function turned(mask, box) {
  const [left, top, right, bottom] = box;
  const [after, value] = [mask.slice(), isPainted(mask, box) ? 0 : 1];
  after[strokeAt(middleOf(box))] = value;
  mask.forEach((_, cell) => {
    const [x, y] = [((cell % SIDE) + 0.5) / SIDE, (Math.floor(cell / SIDE) + 0.5) / SIDE];
    if (x >= left && x < right && y >= top && y < bottom) after[cell] = value;
  });
  return after;
}

/** @param {Uint8Array} mask */
export const cellsOf = (mask) => [...mask.keys()].filter((cell) => mask[cell]);
