import assert from "node:assert/strict";
import { test } from "node:test";

import "../page.js";

const { atCell, cellInTime, firstFrameOf, frameFor, framesOfCell, isClip, sharesInTime, timekeeper } =
  await import("../../../app/static/state/time.js");

// The same clip of eight frames: four tubes of two frames in B, eight pictures in A.
const TIMES = [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5];
const pictures = { index: 0, patch_grid: [8, 32, 32], frames: 8, times: TIMES, first_position: [5, 5, 5] };
const tubes = { index: 0, patch_grid: [4, 8, 8], frames: 8, times: TIMES, first_position: [5, 5, 5] };
const still = { index: 0, patch_grid: [1, 8, 8], frames: 1, times: [], first_position: [5, 5, 5] };
const state = (A, B) => ({ runs: { A: A && { media: [A] }, B: B && { media: [B] } } });
const at = (frame) => ({ media: 0, frame });

test("a media of more than one cell in time is a clip", () => {
  assert.deepEqual([isClip(tubes), isClip(still), isClip(undefined)], [true, false, false]);
  assert.deepEqual([framesOfCell(tubes), framesOfCell(pictures)], [2, 1]);
  assert.deepEqual([firstFrameOf(tubes, 3), firstFrameOf(pictures, 3)], [6, 3]);
});

test("tubes keep the time, else the model that sees most", () => {
  assert.equal(timekeeper(state(pictures, tubes), at(0)), "B");
  assert.equal(timekeeper(state(pictures, still), at(0)), "A");
  assert.equal(timekeeper(state(null, null), at(0)), null);
});

test("the other model shows what it saw nearest to that moment", () => {
  const both = state(pictures, tubes);
  assert.deepEqual(
    [0, 1, 2, 3].map((frame) => cellInTime(both, at(frame), "A")),
    [0, 2, 4, 6],
  );
  assert.deepEqual(
    [0, 3, 99].map((frame) => cellInTime(both, at(frame), "B")),
    [0, 3, 3],
  );
  assert.equal(cellInTime(state(still, tubes), at(2), "A"), 0);
});

test("pointing at a model's cell selects the moment that shows it", () => {
  const both = state(pictures, tubes);
  assert.equal(frameFor(both, at(0), "A", 4), 2);
  assert.equal(frameFor(both, at(0), "B", 3), 3);
});

test("one cell of a map is a map of a still, its strongest cell its own", () => {
  const map = {
    grid: [2, 1, 2],
    token_grid: [2, 1, 2],
    unit: "token",
    values: [0.1, 0.2, 0.3, 0.9],
    tokens: [0.1, 0.2, 0.9, 0.3],
  };
  const second = atCell(map, 1);
  assert.deepEqual([second.grid, [...second.values], second.max_index], [[1, 1, 2], [0.3, 0.9], 0]);
  assert.deepEqual(second.values.shape, [1, 1, 2]);
  assert.equal(atCell(map, 1), second);
});

test("the shares of a clip's cells add up to the row's share on the clip", () => {
  const run = { tokens: { media: [null, 0, 0, 1, 0], cell: [null, [0, 0, 0], [1, 0, 0], [0, 0, 0], [3, 0, 0]] } };
  const shares = sharesInTime(run, tubes, { keys: [0.5, 0.1, 0.2, 0.1, 0.1] });
  assert.deepEqual(shares, [0.1, 0.2, 0, 0.1]);
});
