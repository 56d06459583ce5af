import assert from "node:assert/strict";
import { test } from "node:test";

import { NO_RECTANGLE, edgesOf, rectangle, shifted } from "../../../app/static/core/rectangle.js";

test("a rectangle is the same from whichever corner it is drawn, in thousandths", () => {
  const expected = { left: 100, top: 250, right: 700, bottom: 900 };
  assert.deepEqual(rectangle([0.1, 0.25], [0.7, 0.9]), expected);
  assert.deepEqual(rectangle([0.7, 0.25], [0.1, 0.9]), expected);
  assert.deepEqual(rectangle([0.7, 0.9], [0.1, 0.25]), expected);
});

test("its edges are parts of the picture; none while one is missing, outside or the wrong way round", () => {
  const whole = rectangle([0.1, 0.25], [0.7, 0.9]);
  assert.deepEqual(edgesOf(whole), [0.1, 0.25, 0.7, 0.9]);
  assert.equal(edgesOf(NO_RECTANGLE), null);
  for (const wrong of [{ left: null }, { right: 1001 }, { top: -1 }, { bottom: 250 }, { left: 0.5 }])
    assert.equal(edgesOf({ ...whole, ...wrong }), null);
});

test("a rectangle that is moved keeps its size and stays on the picture", () => {
  const whole = rectangle([0.1, 0.25], [0.7, 0.9]);
  assert.deepEqual(shifted(whole, 1, -2), { left: 80, top: 260, right: 680, bottom: 910 });
  assert.deepEqual(shifted(whole, 99, 99), { left: 400, top: 350, right: 1000, bottom: 1000 });
  assert.deepEqual(shifted(whole, -99, -99), { left: 0, top: 0, right: 600, bottom: 650 });
});
