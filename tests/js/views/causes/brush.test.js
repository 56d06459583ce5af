import assert from "node:assert/strict";
import { test } from "node:test";

import {
  SIDE,
  cellsOf,
  isPainted,
  readStrokes,
  stroke,
  turned,
  writeStrokes,
} from "../../../../app/static/views/causes/brush.js";

const empty = () => new Uint8Array(SIDE * SIDE);

test("a mask is the same after a round trip through its word", () => {
  const line = stroke(empty(), [0.1, 0.2], [0.8, 0.9], [640, 480]);
  const full = empty().fill(1);
  const first = empty();
  first[0] = 1;
  for (const mask of [empty(), full, first, line]) assert.deepEqual(readStrokes(writeStrokes(mask)), mask);
});

test("what is no mask paints nothing", () => {
  for (const text of ["", "b", "none", "b1.2", "bzzzz", `b${"1.".repeat(9)}`, null, undefined])
    assert.deepEqual(cellsOf(readStrokes(text)), []);
});

test("a dot is round on the picture, whatever the picture's shape", () => {
  const reach = (mask, row) => cellsOf(mask).filter((cell) => Math.floor(cell / SIDE) === row).length;
  const square = stroke(empty(), [0.5, 0.5], [0.5, 0.5], [500, 500]);
  const wide = stroke(empty(), [0.5, 0.5], [0.5, 0.5], [1000, 500]);
  assert.equal(reach(square, 32), 4);
  assert.equal(reach(wide, 32), 4);
  assert.ok(new Set(cellsOf(wide).map((cell) => Math.floor(cell / SIDE))).size > 4);
});

test("a stroke covers its whole way and leaves the mask it was given", () => {
  const before = empty();
  const after = stroke(before, [0, 0.5], [1, 0.5], [640, 480]);
  assert.deepEqual(cellsOf(before), []);
  for (let column = 0; column < SIDE; column += 1) assert.equal(after[32 * SIDE + column], 1);
});

test("turning a box twice wipes what it painted", () => {
  const box = [0.25, 0.25, 0.375, 0.5];
  const once = turned(empty(), box);
  assert.equal(isPainted(once, box), true);
  assert.equal(cellsOf(once).length, 8 * 16);
  assert.deepEqual(cellsOf(turned(once, box)), []);
});

test("a box smaller than a cell still turns one", () => {
  assert.equal(cellsOf(turned(empty(), [0.501, 0.501, 0.502, 0.502])).length, 1);
});
