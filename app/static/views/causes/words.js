// What Causes says in words: how much changed, what was done, and which token it is about.

import { say } from "../../language/i18n.js";
import { count, percent } from "../../language/numbers.js";
import { chosenLabel, leadingSpace, wordOfToken } from "../../state/words.js";

/** @import { CausesTold, Grid, Media, Run, Word } from "../../core/types.d.ts" */
/** @import { Asked } from "./work.js" */

// Two decimals, and two digits of what is too small for them: never 0.00 for what is not 0.
/** @param {number} value */
const decimals = (value) => (value === 0 || value >= 0.1 ? value.toFixed(2) : String(Number(value.toPrecision(2))));
/** @param {number} value */
const logarithm = (value) => `${value < 0 ? "−" : ""}${decimals(Math.abs(value))}`;
/** @param {number} value */
const signed = (value) => `${value > 0 ? "+" : ""}${logarithm(value)}`;

/** @param {Media} media @param {CausesTold | null} effect @param {string} word */
export function sideFigures(media, effect, word) {
  if (!effect) return [];
  const changed = say("log-probability of the whole answer, {before} to {after}", {
    before: logarithm(effect.answer_before),
    after: logarithm(effect.answer_after),
  });
  return [
    [
      percent(effect.after),
      say("probability of {word} now, {before} before", { word, before: percent(effect.before) }),
    ],
    [signed(effect.answer_after - effect.answer_before), changed],
    [amount(media, effect), effect.tool === "paint" ? say("of the picture painted over") : hiddenWords(effect)],
  ];
}

/** @param {Grid} grid */
const cellsIn = (grid) => grid.reduce((product, size) => product * size, 1);

/** @param {Media} media @param {CausesTold} effect */
function amount(media, effect) {
  if (effect.tool === "paint")
    return percent(
      effect.pixels /
        (media.size[0] * media.size[1] * (effect.pixels > media.size[0] * media.size[1] ? media.patch_grid[0] : 1)),
    );
  const all = effect.unit === "patch" ? cellsIn(media.patch_grid) : cellsIn(media.token_grid);
  return say("{some} of {all}", { some: count(effect.hidden.length), all: count(all) });
}

/** @param {CausesTold} effect */
function hiddenWords(effect) {
  if (effect.unit === "patch") return say("patches hidden from the adapter's queries");
  return effect.unit === "query" ? say("adapter queries hidden from rows") : say("visual tokens hidden from rows");
}

/** @param {string} fill */
const fillWords = (fill) =>
  fill === "mean" ? say("its mean colour") : fill === "black" ? say("black") : say("a blur of itself");

// What exactly was done, in one sentence.
/** @param {Run} run @param {CausesTold} effect @param {Asked} asked */
export function account(run, effect, asked) {
  if (asked.tool === "paint") {
    const fill = fillWords(asked.fill);
    if (run.media[asked.media].patch_grid[0] > 1 && asked.place.kind !== "half")
      return say("The place is painted with {fill} in every frame, and the clip read anew; the answer is forced.", {
        fill,
      });
    return say("The picture is painted with {fill}, resized and read anew; the answer is forced.", { fill });
  }
  if (effect.unit === "patch")
    return say(
      "The queries of the adapter cannot read these patches; they read all others as before. The answer is forced.",
    );
  const rows = asked.rows === "answer" ? say("the rows that predict the answer") : say("all later text rows");
  const [first, last] = asked.layers;
  return say("Hidden from {rows}, language layers {first} to {last}; the answer is forced.", { rows, first, last });
}

/** @param {Word} word */
const letters = (word) => !word.special && /^\s?[A-Za-z]+$/.test(word.text);

// The token in question, and the written word it is a part of: “d” of “diamond”.
/** @param {Run} run @param {number | null} token @returns {string} */
export function nameOf(run, token) {
  const at = wordOfToken(run, token);
  const label = chosenLabel(run, token);
  if (at < 0 || !letters(run.words[at])) return label;
  let [first, last] = [at, at];
  while (first > 0 && !leadingSpace(run.words[first]) && letters(run.words[first - 1])) first -= 1;
  while (run.words[last + 1] && letters(run.words[last + 1]) && !leadingSpace(run.words[last + 1])) last += 1;
  const whole = run.words
    .slice(first, last + 1)
    .map((word) => word.text)
    .join("")
    .trim();
  return first === last ? label : say("{token} of “{word}”", { token: label, word: whole });
}
