import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import "../page.js";

const { language, onLanguage, say, setLanguage } = await import("../../../app/static/language/i18n.js");

afterEach(() => setLanguage("en"));

test("gaps are filled by name, and one without a value stays", () => {
  assert.equal(say("layer {layer} of {total}", { layer: 3 }), "layer 3 of {total}");
});

test("a sentence has its Chinese, and one without stays English", () => {
  setLanguage("zh");
  assert.equal(say("layer {layer}", { layer: 3 }).includes("3"), true);
  assert.doesNotMatch(say("layer {layer}", { layer: 3 }), /layer/);
  assert.equal(say("no such sentence"), "no such sentence");
});

test("an unknown language changes nothing; listeners hear each change once, until they stop", () => {
  const heard = [];
  const stop = onLanguage((next) => heard.push(next));
  setLanguage("xx");
  setLanguage("zh");
  setLanguage("zh");
  stop();
  setLanguage("en");
  assert.deepEqual([heard, language()], [["zh"], "en"]);
});
