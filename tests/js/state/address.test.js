import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { at } from "../page.js";
import { fromLine, readAddress, toLine, writeAddress } from "../../../app/static/state/address.js";
import { MOST_ADDED, emptySelection } from "../../../app/static/state/selection.js";
import { registerViews } from "../../../app/static/state/view_registry.js";

beforeEach(() =>
  registerViews({
    answer: { SITE: "language", CHOICES: { mode: "raw", smooth: false } },
    adapter: { SITE: "adapter", CHOICES: { order: "index" } },
    vision: { SITE: "vision", CHOICES: { layerA: null, statistic: "distance" } },
    layers: { SITE: "language" },
  }),
);

const chosen = () => ({
  ...emptySelection(),
  view: "vision",
  site: "vision",
  model: "B",
  layer: { A: 3, B: "mean" },
  head: { A: "mean", B: 7 },
  query: { A: 41, B: null },
  own: { A: true, B: false },
  also: { A: [40, 42], B: [] },
  media: 1,
  adapter: { query: 17, head: 2 },
  keys: [0.25, 0.5],
  places: [
    [0, 1],
    [0.125, 0.75],
  ],
  region: [0.1, 0.2, 0.3, 0.4],
  swap: true,
  frame: 5,
  of_answer: { mode: "sinks", smooth: true },
  of_adapter: { order: "entropy" },
  of_vision: { layerA: 2, statistic: "entropy" },
});

test("a selection is the same after a round trip through its line", () => {
  for (const selection of [emptySelection(), chosen()]) assert.deepEqual(fromLine(toLine(selection)), selection);
});

test("a line holds only what differs from the beginning, besides the view and both models", () => {
  assert.equal(toLine(emptySelection()), "view=answer;model=A;A=,0,mean;B=,0,mean;media=0;adapter=0,mean");
});

test("the adapter's query and the adapter view's choices share a name and not a meaning", () => {
  const selection = { ...emptySelection(), adapter: { query: 9, head: 1 }, of_adapter: { order: "place" } };
  assert.match(toLine(selection), /;adapter=9,1;.*adapter=order:place/);
  assert.deepEqual(fromLine(toLine(selection)), selection);
});

for (const [name, line] of Object.entries({
  "an unknown view": "view=nothing",
  "a name of the prototype": "view=toString;constructor=1;__proto__=x",
  "a place outside": "keys=0.5,1.5",
  "a place of words": "keys=a,b",
  "half a place": "places=0.1,0.2,0.3",
  "a region the wrong way round": "region=0.5,0.5,0.1,0.9",
  "a mean media": "media=mean;frame=mean",
  "a mean query": "A=mean,0,mean",
  "negative tokens": "alsoA=-1,1.5,x",
  "an unknown choice": "answer=nothing:1",
  nothing: "",
  "no line": null,
}))
  test(`${name} in a line leaves the selection as it begins`, () => {
    assert.deepEqual(fromLine(line), emptySelection());
  });

test("a choice keeps the kind of its initial value", () => {
  const { of_answer, of_vision } = fromLine("answer=mode:neutral,smooth:true;vision=layerA:null,statistic:3");
  assert.deepEqual(of_answer, { mode: "neutral", smooth: true });
  assert.deepEqual(of_vision, { layerA: null, statistic: 3 });
});

test("a line adds no more places and tokens than a gesture does", () => {
  const many = Array.from({ length: 3 * MOST_ADDED }, (_, index) => index);
  const selection = fromLine(`alsoA=${many};places=${many.map(() => "0.5,0.5")}`);
  assert.equal(selection.also.A.length, MOST_ADDED);
  assert.equal(selection.places.length, MOST_ADDED);
});

test("the address names the runs and keeps the line readable", () => {
  const written = at("/?theme=dark&b=old");
  writeAddress({ ...emptySelection(), run: { A: "first", B: null } });
  assert.equal(written.length, 1);
  assert.match(written[0], /\?theme=dark#a=first&sel=view=answer;model=A;A=,0,mean;/);
  assert.doesNotMatch(written[0], /[?&#]b=/);
});

test("an address without runs holds no selection, and is not written anew", () => {
  const written = at("/");
  writeAddress(emptySelection());
  assert.deepEqual(written, []);
  assert.deepEqual(readAddress(), { A: null, B: null, line: null });
});

test("an address is read as it was written", () => {
  const written = at("/");
  const selection = { ...chosen(), run: { A: "first", B: "second" } };
  writeAddress(selection);
  at(written[0]);
  const { A, B, line } = readAddress();
  assert.deepEqual([A, B], ["first", "second"]);
  assert.deepEqual({ ...fromLine(line), run: { A, B } }, selection);
});

test("a link of an earlier version opens, and its ids leave the query", () => {
  const written = at("/?a=first&b=second&sel=view=boxes");
  const { A, B, line } = readAddress();
  assert.deepEqual([A, B, line], ["first", "second", "view=boxes"]);
  writeAddress({ ...emptySelection(), run: { A, B } });
  assert.match(written[0], /\/#a=first&b=second&sel=/);
});
