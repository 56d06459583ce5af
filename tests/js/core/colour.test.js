import assert from "node:assert/strict";
import { test } from "node:test";

import { css, diverging, inkOn, opacity, tide, viridis } from "../../../app/static/core/colour.js";

test("viridis begins and ends where it is published to", () => {
  assert.deepEqual(viridis(0), [68, 1, 84]);
  assert.deepEqual(viridis(1), [253, 231, 37]);
  assert.deepEqual(viridis(7), viridis(1));
});

test("nothing is drawn over what was not looked at", () => {
  assert.equal(opacity(0), 0);
  assert.equal(opacity(0.015), 0);
  assert.equal(opacity(1), 0.92);
});

const light = ([red, green, blue]) => 0.2126 * red + 0.7152 * green + 0.0722 * blue;

test("tide runs from the page to the far end, in both themes", () => {
  for (let at = 1; at < 256; at += 1) {
    assert.ok(light(tide(at / 255, false)) <= light(tide((at - 1) / 255, false)) + 0.5);
    assert.ok(light(tide(at / 255, true)) >= light(tide((at - 1) / 255, true)) - 0.5);
  }
});

test("a signed map is rose below zero and teal above", () => {
  const [rose, teal] = [diverging(-1), diverging(1)];
  assert.ok(rose[0] > rose[1] && teal[1] > teal[0]);
});

test("ink reads on its colour", () => {
  assert.equal(inkOn([0, 0, 0]), "#ffffff");
  assert.equal(inkOn([255, 255, 255]), "#15181e");
  assert.equal(css([1, 2, 3], 0.5), "rgb(1 2 3 / 0.5)");
});
