// Where a cell of a grid lies on the original picture, and the way round a set of cells.

/** @import { Grid, Numbers, Place, Region, Selection, Size } from "./types.d.ts" */

/**
 * Pixel edges of `cells` equal cells over `length` device pixels: whole numbers, so that cells are hard-edged.
 * @param {number} cells
 * @param {number} length
 * @returns {number[]}
 */
export function edges(cells, length) {
  return Array.from({ length: cells + 1 }, (_, index) => Math.round((index * length) / cells));
}

/**
 * The picture fitted into a box; never cropped.
 * @param {Size} size
 * @param {Size} box
 */
export function fit([width, height], [boxWidth, boxHeight]) {
  const scale = Math.min(boxWidth / width, boxHeight / height);
  return { width: Math.max(1, width * scale), height: Math.max(1, height * scale) };
}

/**
 * The cell under a place, counted in raster order.
 * @param {Place} place
 * @param {Grid} grid
 */
export function cellAt([x, y], [, rows, columns]) {
  const column = Math.min(columns - 1, Math.floor(x * columns));
  const row = Math.min(rows - 1, Math.floor(y * rows));
  return { row, column, index: row * columns + column };
}

/**
 * The middle of a cell.
 * @param {number} row
 * @param {number} column
 * @param {Grid} grid
 * @returns {Place}
 */
export const placeOf = (row, column, [, rows, columns]) => [(column + 0.5) / columns, (row + 0.5) / rows];

/**
 * A cell's row and column in its frame.
 * @param {number} index
 * @param {Grid} grid
 * @returns {[row: number, column: number]}
 */
export function rowAndColumn(index, [, rows, columns]) {
  const within = index % (rows * columns);
  return [Math.floor(within / columns), within % columns];
}

/**
 * Size of one cell in pixels of the original picture.
 * @param {Size} size
 * @param {Grid} grid
 * @returns {[width: number, height: number]}
 */
export const cellSize = ([width, height], [, rows, columns]) => [width / columns, height / rows];

/**
 * Box of a cell in pixels of the original picture: x1, y1, x2, y2.
 * @param {number} row
 * @param {number} column
 * @param {Size} size
 * @param {Grid} grid
 * @returns {number[]}
 */
export function cellBox(row, column, [width, height], [, rows, columns]) {
  return [
    (column * width) / columns,
    (row * height) / rows,
    ((column + 1) * width) / columns,
    ((row + 1) * height) / rows,
  ];
}

/**
 * All patches of a fine grid that overlap a box.
 * @param {Region} box
 * @param {Grid} grid
 * @returns {number[]}
 */
export function cellsUnder([x1, y1, x2, y2], [, rows, columns]) {
  const found = [];
  const slack = 1e-9;
  for (let row = Math.floor(y1 * rows + slack); row < Math.min(rows, Math.ceil(y2 * rows - slack)); row += 1)
    for (
      let column = Math.floor(x1 * columns + slack);
      column < Math.min(columns, Math.ceil(x2 * columns - slack));
      column += 1
    )
      found.push(row * columns + column);
  return found;
}

/**
 * The cells that a selection's places lie in, or of a region those whose middle does; counted over all frames.
 * @param {Pick<Selection, "keys" | "places" | "region" | "frame">} selection
 * @param {Grid} grid
 * @returns {number[]}
 */
export function cellsOf({ keys, places, region, frame }, grid) {
  const [frames, rows, columns] = grid;
  const first = Math.min(frame, frames - 1) * rows * columns;
  if (!region) return [...new Set((keys ? [keys, ...places] : []).map((place) => first + cellAt(place, grid).index))];
  const found = [];
  for (let row = 0; row < rows; row += 1)
    for (let column = 0; column < columns; column += 1) {
      const [x, y] = placeOf(row, column, grid);
      if (x >= region[0] && x < region[2] && y >= region[1] && y < region[3])
        found.push(first + row * columns + column);
    }
  return found;
}

/**
 * Which part of each of `count` equal cells of 0..1 lies between start and end.
 * @param {number} count
 * @param {number} start
 * @param {number} end
 * @returns {number[]}
 */
const inside = (count, start, end) =>
  Array.from({ length: count }, (_, index) =>
    Math.max(0, Math.min(1, (Math.min(end, (index + 1) / count) - Math.max(start, index / count)) * count)),
  );

/**
 * The sum of a map over a rectangle of the picture, all frames; a cell that the edge cuts counts by the part inside.
 * @param {Numbers} values
 * @param {Grid} grid
 * @param {Region} region
 * @returns {number}
 */
export function regionSum(values, [frames, rows, columns], [left, top, right, bottom]) {
  const [down, across] = [inside(rows, top, bottom), inside(columns, left, right)];
  let sum = 0;
  for (let frame = 0; frame < frames; frame += 1)
    down.forEach((part, row) => {
      if (!part) return;
      const start = (frame * rows + row) * columns;
      across.forEach((other, column) => (sum += other ? values[start + column] * part * other : 0));
    });
  return sum;
}

/** @param {Iterable<number>} cells @param {number} columns */
function borderSteps(cells, columns) {
  const inside = new Set(cells);
  /** @type {Map<string, number[][]>} from a corner to those one can go to, keeping the cells on the right */
  const steps = new Map();
  /** @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 */
  const add = (x1, y1, x2, y2) => {
    const key = `${x1},${y1}`;
    steps.set(key, [...(steps.get(key) || []), [x2, y2]]);
  };
  for (const cell of inside) {
    const [x, y] = [cell % columns, Math.floor(cell / columns)];
    if (!inside.has(cell - columns)) add(x, y, x + 1, y);
    if (x === columns - 1 || !inside.has(cell + 1)) add(x + 1, y, x + 1, y + 1);
    if (!inside.has(cell + columns)) add(x + 1, y + 1, x, y + 1);
    if (x === 0 || !inside.has(cell - 1)) add(x, y + 1, x, y);
  }
  return steps;
}

/** @param {Map<string, number[][]>} steps @param {number[]} corner */
function takeStep(steps, [x, y]) {
  const targets = steps.get(`${x},${y}`);
  if (!targets) return null;
  const next = targets.shift() ?? null;
  if (!targets.length) steps.delete(`${x},${y}`);
  return next;
}

/**
 * Closed loops round a set of raster cells, as corner points in cell units: what a dashed contour follows.
 * @param {Iterable<number>} cells
 * @param {number} columns
 * @returns {number[][][]}
 */
export function contour(cells, columns) {
  const steps = borderSteps(cells, columns);
  const loops = [];
  while (steps.size) {
    const [corner] = steps.keys();
    const start = corner.split(",").map(Number);
    const loop = [start];
    let at = takeStep(steps, start);
    while (at && (at[0] !== start[0] || at[1] !== start[1])) {
      loop.push(at);
      at = takeStep(steps, at);
    }
    loops.push(loop);
  }
  return loops;
}
