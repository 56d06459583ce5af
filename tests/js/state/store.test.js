import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { draw, frames } from "../page.js";
import { createStore, effective } from "../../../app/static/state/store.js";
import { choices, nothingChosen } from "../../../app/static/state/selection.js";
import { letGoOf, registerViews, shows } from "../../../app/static/state/view_registry.js";

beforeEach(() => {
  frames.length = 0;
  registerViews({
    answer: { SITE: "language", SHOWS: ["place", "swap"], CHOICES: { mode: "raw" } },
    boxes: { SITE: "language", CHOICES: { box: null }, letGo: ({ box }) => (box === null ? null : { box: null }) },
  });
});

test("several changes before a frame are drawn once", () => {
  const store = createStore();
  const drawn = [];
  store.subscribe((state) => drawn.push(state.shown));
  store.set({ shown: "B" });
  store.select({ frame: 1 });
  store.set({ busy: true });
  assert.equal(frames.length, 1);
  assert.equal(store.drawnState(), null);
  draw();
  assert.deepEqual(drawn, ["B"]);
  assert.equal(store.drawnState(), store.state);
});

test("hovering lies over the selection until something is chosen", () => {
  const store = createStore();
  store.select({ media: 1 });
  store.preview({ frame: 3 });
  assert.equal(effective(store.state).frame, 3);
  assert.equal(effective(store.state).media, 1);
  assert.equal(store.state.selection.frame, 0);
  store.select({ swap: true });
  assert.equal(store.state.preview, null);
  assert.equal(effective(store.state).frame, 0);
});

test("leaving what was not hovered draws nothing", () => {
  const store = createStore();
  store.preview(null);
  assert.equal(frames.length, 0);
});

test("a state that was handed out does not change", () => {
  const store = createStore();
  const before = store.state;
  store.select({ media: 2 });
  assert.equal(before.selection.media, 0);
});

test("choices of a view begin as it says, each selection with its own", () => {
  const [one, two] = [createStore(), createStore()];
  assert.deepEqual(choices(one.state.selection, "answer"), { mode: "raw" });
  assert.notEqual(choices(one.state.selection, "answer"), choices(two.state.selection, "answer"));
});

test("letting go asks the view, and views that have nothing of their own answer null", () => {
  const store = createStore();
  assert.equal(letGoOf("answer", store.state.selection), null);
  assert.equal(letGoOf("boxes", store.state.selection), null);
  store.select({ of_boxes: { box: 2 } });
  assert.deepEqual(letGoOf("boxes", store.state.selection), { box: null });
});

test("a view draws what it says it shows", () => {
  assert.equal(shows("answer", "swap"), true);
  assert.equal(shows("boxes", "swap"), false);
});

test("letting go of everything leaves no word, place or region", () => {
  const store = createStore();
  store.select({ query: { A: 1, B: 2 }, keys: [0.5, 0.5], region: [0, 0, 1, 1], also: { A: [3], B: [] }, swap: true });
  store.select(nothingChosen());
  const { query, keys, region, also, swap } = store.state.selection;
  assert.deepEqual([query, keys, region, also, swap], [{ A: null, B: null }, null, null, { A: [], B: [] }, false]);
});
