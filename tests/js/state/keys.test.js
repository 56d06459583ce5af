import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import "../page.js";
import { listenToKeys } from "../../../app/static/state/keys.js";

const VIEWS = ["pipeline", "patches", "positions"];
let [done, open, heard] = [[], false, null];

const actions = Object.fromEntries(
  ["letGo", "swap", "play", "stepWord", "stopPlaying", "pickView"].map((name) => [
    name,
    (...given) => done.push([name, ...given]),
  ]),
);

beforeEach(() => {
  [done, open] = [[], false];
  globalThis.document.body = { classList: { contains: () => open } };
  globalThis.document.addEventListener = (_name, act) => (heard = act);
  listenToKeys(actions, VIEWS);
});

// An element that answers `closest` for the kinds it is of, and `matches` for those it plays on.
const target = (kinds = [], plays = false) => ({
  closest(selector) {
    return kinds.some((kind) => selector.includes(kind)) ? this : null;
  },
  matches: () => plays,
});

function press(key, more = {}) {
  let prevented = false;
  heard({ key, target: target(), preventDefault: () => (prevented = true), ...more });
  return prevented;
}

const meant = () => done.filter(([name]) => name !== "stopPlaying");

for (const [key, ...expected] of [
  ["Escape", "letGo"],
  ["q", "swap"],
  ["Q", "swap"],
  ["ArrowLeft", "stepWord", -1],
  ["ArrowRight", "stepWord", 1],
  ["2", "pickView", "patches"],
])
  test(`${key} does ${expected[0]}, and stops playing`, () => {
    press(key);
    assert.deepEqual(done, [["stopPlaying"], expected]);
  });

test("Space plays, and does not scroll", () => {
  assert.equal(press(" "), true);
  assert.deepEqual(done, [["play"]]);
});

test("Space presses a button that has the focus, but plays on a word", () => {
  press(" ", { target: target(["button"]) });
  assert.deepEqual(meant(), []);
  press(" ", { target: target(["button"], true) });
  assert.deepEqual(meant(), [["play"]]);
});

test("arrows belong to a widget that has the focus", () => {
  press("ArrowRight", { target: target(["[tabindex]"]) });
  assert.deepEqual(meant(), []);
});

test("a number without a view, and other letters, mean nothing", () => {
  ["0", "4", "x", "Enter"].forEach((key) => press(key));
  assert.deepEqual(meant(), []);
});

test("keys that are typed, chorded, or pressed in the planner mean nothing", () => {
  press("q", { target: target(["textarea"]) });
  press("q", { ctrlKey: true });
  press("q", { metaKey: true });
  open = true;
  press("q");
  assert.deepEqual(done, []);
});
