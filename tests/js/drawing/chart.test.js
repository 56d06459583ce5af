import assert from "node:assert/strict";
import { test } from "node:test";

import { logScale, roundTicks, scale } from "../../../app/static/drawing/chart.js";

test("a scale leads both ends of the values to both ends of the drawing", () => {
  const y = scale([2, 10], [100, 20]);
  assert.deepEqual([y(2), y(10), y(6)], [100, 20, 60]);
  assert.equal(scale([3, 3], [0, 50])(3), 0);
});

test("on a logarithmic scale equal factors are equal steps", () => {
  const x = logScale([1, 10_000], [0, 400]);
  [1, 10, 100, 1000, 10_000].forEach((value, at) => assert.ok(Math.abs(x(value) - 100 * at) < 1e-9));
  assert.ok(Number.isFinite(x(0)));
});

test("ticks are round, begin at 0 and stay within the chart", () => {
  assert.deepEqual(roundTicks(1), [0, 0.25, 0.5, 0.75, 1]);
  assert.deepEqual(roundTicks(37), [0, 10, 20, 30]);
  assert.deepEqual(roundTicks(0), [0]);
  for (const top of [0.003, 7, 99, 1234]) assert.ok(roundTicks(top).every((tick) => tick <= top));
});
