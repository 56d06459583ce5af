// Words of an answer: one per token, and which word of the other model belongs to one.

import { say } from "../language/i18n.js";
import { count } from "../language/numbers.js";

/** @import { Run, Word } from "../core/types.d.ts" */

/** @param {Word} word */
const plain = (word) => word.text.trim();

/** @param {Run | null | undefined} run @param {number | null} token */
export const wordOfToken = (run, token) =>
  run && token !== null ? run.words.findIndex((word) => word.tokens.includes(token)) : -1;

// The row that is shown for a token: of an answer's word the one that predicts it, of the prompt's tokens their own.
/** @param {Run} run @param {number} token */
export const isPredicted = (run, token) => token >= run.answer_start;
/** @param {Run} run @param {number} token */
export const rowOfToken = (run, token) => (isPredicted(run, token) ? token - 1 : token);

// The same the other way: which word of the answer a row predicts; -1 for none.
/** @param {Run} run @param {number} row */
export const wordPredictedBy = (run, row) => wordOfToken(run, row + 1);

/** @param {Run | null} run @param {number} index */
export const tokenOfWord = (run, index) => run?.words[index]?.tokens[0] ?? null;

// The word of `to` with the same text nearest in order to word `index` of `from`; -1 where it never said it.
/** @param {Run} from @param {number} index @param {Run} to */
export function sameWord(from, index, to) {
  const text = plain(from.words[index]);
  let best = -1;
  to.words.forEach((word, at) => {
    if (plain(word) !== text || word.special !== from.words[index].special) return;
    if (best < 0 || Math.abs(at - index) < Math.abs(best - index)) best = at;
  });
  return best;
}

// The other model's word for a locked one: the same word, else the one at the same place, which the page then says.
/** @param {Run} from @param {number} index @param {Run} to */
export function linkedWord(from, index, to) {
  const same = sameWord(from, index, to);
  if (same >= 0) return { index: same, same: true };
  return { index: to.words.length ? Math.min(index, to.words.length - 1) : -1, same: false };
}

// Every word of either answer with the one of the other that it is linked to: pairs of indices in order.
/** @param {Run} one @param {Run} two @returns {[one: number, two: number][]} */
export function links(one, two) {
  /** @type {[one: number, two: number][]} */
  const pairs = [];
  one.words.forEach((_, index) => pairs.push([index, linkedWord(one, index, two).index]));
  two.words.forEach((_, index) => pairs.push([linkedWord(two, index, one).index, index]));
  const known = pairs.filter((pair) => pair.every((index) => index >= 0));
  return [...new Map(known.map((pair) => [pair.join(), pair])).values()].sort(
    ([here, there], [next, beside]) => here - next || there - beside,
  );
}

/** @param {{ text: string, label?: string, special?: boolean } | null | undefined} word */
export function wordLabel(word) {
  if (!word) return "";
  if (word.special && word.label) return word.label;
  if (word.text.trim()) return word.text.trim();
  return word.text.includes("\n") ? say("new line") : say("space");
}

/** @param {Word} word */
export const leadingSpace = (word) => /^\s/.test(word.text);

/** @param {Word} word */
export const unprintable = (word) => word.special || !word.text.trim();

// How the page names a chosen token: the word in quotation marks, or its index where it is no word of the answer.
/** @param {Run | null} run @param {number | null} token */
export function chosenLabel(run, token) {
  if (!run || token === null) return "";
  const word = run.words[wordOfToken(run, token)];
  return word
    ? `“${wordLabel(word)}”`
    : say("token {token} {text}", { token: count(token), text: tokenLabel(run, token) });
}

// What a token reads as: its text in quotation marks, or what kind of token it is.
/** @param {Run} run @param {number} token */
export function tokenLabel(run, token) {
  const text = run.tokens.text[token] ?? "";
  if (run.tokens.kind[token] === "image" || run.tokens.kind[token] === "video") return say("of the image");
  if (text === "\n" || text.includes("\n")) return say("(new line)");
  return `“${text.trim() || " "}”`;
}
