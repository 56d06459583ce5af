import assert from "node:assert/strict";
import { test } from "node:test";

import {
  cellAt,
  cellBox,
  cellSize,
  cellsOf,
  cellsUnder,
  contour,
  edges,
  fit,
  placeOf,
  regionSum,
  rowAndColumn,
} from "../../../app/static/core/geometry.js";

const GRIDS = [
  [1, 1, 1],
  [1, 4, 6],
  [3, 5, 2],
  [2, 28, 44],
];

test("edges are whole pixels from the first to the last", () => {
  assert.deepEqual(edges(3, 10), [0, 3, 7, 10]);
  const found = edges(16, 333);
  assert.equal(found.length, 17);
  assert.ok(found.every(Number.isInteger) && found[16] === 333);
});

test("a picture is fitted into a box, keeping its shape", () => {
  assert.deepEqual(fit([400, 200], [100, 100]), { width: 100, height: 50 });
  assert.deepEqual(fit([10, 1000], [100, 50]), { width: 1, height: 50 });
});

test("the middle of every cell lies in that cell", () => {
  for (const grid of GRIDS)
    for (let index = 0; index < grid[1] * grid[2]; index += 1) {
      const [row, column] = rowAndColumn(index, grid);
      assert.deepEqual(cellAt(placeOf(row, column, grid), grid), { row, column, index });
    }
});

test("a place on the far edge lies in the last cell", () => {
  assert.deepEqual(cellAt([1, 1], [1, 4, 6]), { row: 3, column: 5, index: 23 });
});

test("an index of a later frame has the row and column of its frame", () => {
  assert.deepEqual(rowAndColumn(3 * 2 + 10, [3, 5, 2]), [3, 0]);
});

test("boxes of cells cover the picture", () => {
  assert.deepEqual(cellBox(0, 0, [600, 400], [1, 4, 6]), [0, 0, 100, 100]);
  assert.deepEqual(cellBox(3, 5, [600, 400], [1, 4, 6]), [500, 300, 600, 400]);
  assert.deepEqual(cellSize([600, 400], [1, 4, 6]), [100, 100]);
});

test("a token's box lies over its four patches and no others", () => {
  const [tokens, patches] = [
    [1, 14, 22],
    [1, 28, 44],
  ];
  for (const [row, column] of [
    [0, 0],
    [13, 21],
    [5, 7],
  ]) {
    const first = 2 * row * 44 + 2 * column;
    const found = cellsUnder(cellBox(row, column, [1, 1], tokens), patches);
    assert.deepEqual(found, [first, first + 1, first + 44, first + 45]);
  }
});

test("places that share a cell count once, and count in the frame on show", () => {
  const places = {
    keys: [0.1, 0.1],
    places: [
      [0.15, 0.12],
      [0.9, 0.9],
    ],
    region: null,
    frame: 2,
  };
  assert.deepEqual(cellsOf(places, [3, 4, 4]), [32, 47]);
  assert.deepEqual(cellsOf({ ...places, frame: 9 }, [3, 4, 4]), [32, 47]);
  assert.deepEqual(cellsOf({ keys: null, places: [], region: null, frame: 0 }, [1, 4, 4]), []);
});

test("a region holds the cells whose middle lies in it", () => {
  const region = { keys: null, places: [], region: [0.1, 0.1, 0.6, 0.4], frame: 0 };
  assert.deepEqual(cellsOf(region, [1, 4, 4]), [0, 1, 4, 5]);
});

test("the sum over the whole picture is the map's, over all frames", () => {
  const values = Array.from({ length: 24 }, (_, index) => index);
  assert.equal(regionSum(values, [2, 3, 4], [0, 0, 1, 1]), 276);
});

test("a cell that the edge of a region cuts counts by the part inside", () => {
  const close = (found, expected) => assert.ok(Math.abs(found - expected) < 1e-12, `${found} is not ${expected}`);
  close(regionSum([1, 1, 1, 1], [1, 2, 2], [0.25, 0.25, 0.75, 0.75]), 1);
  close(regionSum([8, 0, 0, 0], [1, 2, 2], [0, 0, 0.25, 1]), 4);
});

const area = (loop) =>
  loop.reduce((sum, [x, y], at) => {
    const [nextX, nextY] = loop[(at + 1) % loop.length];
    return sum + (x * nextY - nextX * y) / 2;
  }, 0);

test("a contour encloses as many cells as it was given, holes taken away", () => {
  const ring = [0, 1, 2, 4, 6, 8, 9, 10]; // in four columns: a square of three with a hole
  const loops = contour(ring, 4);
  assert.equal(loops.length, 2);
  assert.equal(
    loops.map(area).reduce((sum, one) => sum + one, 0),
    ring.length,
  );
});

test("cells at the right edge do not join those of the next row's left edge", () => {
  const loops = contour([3, 4], 4);
  assert.equal(loops.length, 2);
  assert.deepEqual(loops.map(area), [1, 1]);
});
