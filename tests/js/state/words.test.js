import assert from "node:assert/strict";
import { test } from "node:test";

import "../page.js";

const { linkedWord, links, rowOfToken, sameWord, tokenOfWord, wordLabel, wordOfToken, wordPredictedBy } =
  await import("../../../app/static/state/words.js");

const run = (texts, answer_start = 10) => ({
  answer_start,
  words: texts.map((text, index) => ({ text, tokens: [answer_start + index], special: text === "<|im_end|>" })),
});

test("a word's tokens are that word's, and others are none's", () => {
  const one = run([" a", " cat"]);
  assert.deepEqual([wordOfToken(one, 11), wordOfToken(one, 3), wordOfToken(one, null)], [1, -1, -1]);
  assert.deepEqual([tokenOfWord(one, 1), tokenOfWord(one, 9)], [11, null]);
});

test("a word of the answer is predicted by the row before it, a token of the prompt has its own", () => {
  const one = run([" a"]);
  assert.deepEqual([rowOfToken(one, 10), rowOfToken(one, 4)], [9, 4]);
  assert.equal(wordPredictedBy(one, 9), 0);
});

test("the same word is the one nearest in order, with or without a space", () => {
  const [one, two] = [run([" the", " red", " the"]), run(["the", " blue", " red", " the"])];
  assert.equal(sameWord(one, 0, two), 0);
  assert.equal(sameWord(one, 2, two), 3);
  assert.equal(sameWord(one, 1, two), 2);
});

test("a special token is no word of the same text", () => {
  assert.equal(sameWord(run(["<|im_end|>"]), 0, run([" x", "<|im_end|>"])), 1);
  const spelled = { words: [{ text: "<|im_end|>", tokens: [5], special: false }] };
  assert.equal(sameWord(run(["<|im_end|>"]), 0, spelled), -1);
});

test("a word that the other never said is linked to the one at its place, and that is told", () => {
  assert.deepEqual(linkedWord(run([" a", " cat"]), 1, run([" one", " dog", " b"])), { index: 1, same: false });
  assert.deepEqual(linkedWord(run([" a", " cat"]), 1, run([" one"])), { index: 0, same: false });
  assert.deepEqual(linkedWord(run([" a"]), 0, run([])), { index: -1, same: false });
});

test("what cannot be printed has a name", () => {
  assert.equal(wordLabel({ text: "\n" }), "new line");
  assert.equal(wordLabel({ text: " " }), "space");
  assert.equal(wordLabel({ text: "x", special: true, label: "end" }), "end");
  assert.equal(wordLabel(undefined), "");
});

test("words are linked from either side, each pair once and in order", () => {
  const [one, two] = [run([" a", " cat"]), run([" cat", " sat", " a"])];
  assert.deepEqual(links(one, two), [
    [0, 2],
    [1, 0],
    [1, 1],
  ]);
  assert.deepEqual(links(one, run([])), []);
});

test("a special token is not linked to a word of the same text", () => {
  const spelled = {
    words: [
      { text: "x", tokens: [5], special: false },
      { text: "<|im_end|>", tokens: [6], special: false },
    ],
  };
  assert.deepEqual(links(run(["<|im_end|>"]), spelled), [
    [0, 0],
    [0, 1],
  ]);
});
