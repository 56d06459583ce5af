// The limit that bites: where a picture lies between min_pixels and max_pixels, what that did, and what would change it.

import { el } from "../../core/dom.js";
import { hasAdapter } from "../../core/families.js";
import { said, say } from "../../language/i18n.js";
import { count, times } from "../../language/numbers.js";

/** @import { Media, Run, Size, SizeRule } from "../../core/types.d.ts" */

/** @typedef {{ min_pixels?: number | null, max_pixels?: number | null }} Limits */

const FACTOR = 784; // pixels of the smallest picture there is, one token

/** @param {Size} size */
const sizeWords = ([width, height]) => times(width, height);

const area = (/** @type {readonly number[]} */ [first, second]) => first * second;

const NAME = 36; // the most that a mark's name takes, in percent of the bar: 11 px of a wide font on a card of 340 px

// How far a name stands to the left of its mark, in percent of its own width: in the middle where there is room.
/** @param {number} at */
const shiftAt = (at) => (at > 78 ? -92 : at < 20 ? -8 : -50);

/** @param {number} value @param {string} name @param {number} at @param {string} [below] */
function mark(value, name, at, below = "") {
  const style = { left: `${at}%`, "--shift": `${shiftAt(at)}%` };
  return el("span", { class: `limit-mark ${below}`, style }, el("small", { text: `${name} ${count(value)}` }));
}

// Whether the names of two marks would meet on one line.
/** @param {number} low @param {number} high */
const meet = (low, high) => high + (shiftAt(high) * NAME) / 100 < low + ((100 + shiftAt(low)) * NAME) / 100;

// The limits that were in force: of a clip's frames those of its sampling, else those of the question.
/** @param {Run} run @param {Media} media @returns {Limits} */
const limitsOf = (run, media) => (media.sampling?.max_pixels ? media.sampling : run.settings);

// What the limits of a clip did to the size of its frames.
/** @param {Media} media */
const clampsOf = (media) =>
  (media.sampling?.clamps ?? []).filter(({ name }) => name.endsWith("pixels") || name === "frame_floor");

// A bar on a logarithmic scale of pixels; none for a model that makes every picture the same square.
/** @param {Run} run @param {Media} media */
export function limitBar(run, media) {
  const { min_pixels: low, max_pixels: high } = limitsOf(run, media);
  if (!low || !high || hasAdapter(run)) return null;
  const here = area(media.size);
  const at = (/** @type {number} */ value) =>
    (100 * Math.log(value / FACTOR)) / Math.log((2 * Math.max(high, here)) / FACTOR);
  const left = Math.min(99, Math.max(0, at(here)));
  const close = meet(at(low), at(high)); // one name beneath the other
  return el(
    "div",
    { class: `limit-bar${close ? " tall" : ""}` },
    el("i", { style: { left: `${at(low)}%`, width: `${at(high) - at(low)}%` } }),
    mark(low, "min_pixels", at(low)),
    mark(high, "max_pixels", at(high), close ? "below" : ""),
    el(
      "b",
      { style: { left: `${left}%`, "--shift": `${shiftAt(left)}%` } },
      el("small", {
        text: say(media.sampling ? "a frame, {pixels} px" : "this picture, {pixels} px", { pixels: count(here) }),
      }),
    ),
  );
}

/** @param {Run} run @param {Media} media @param {SizeRule | undefined} rule */
export function limitTitle(run, media, rule) {
  if (!rule) return "";
  if (rule.name === "squash") return say("none: a square, always");
  const [clamp] = clampsOf(media);
  if (clamp) return clamp.name;
  if (rule.value !== null) return `${rule.name} ${count(rule.value)}`;
  const high = limitsOf(run, media).max_pixels;
  return high
    ? say("none: {share} % of max_pixels", { share: ((100 * area(media.resized)) / high).toFixed(1) })
    : say("none");
}

/** @param {number} stretch */
const percentOf = (stretch) => `${stretch >= 1 ? "+" : "−"}${(100 * Math.abs(stretch - 1)).toFixed(1)} %`;

// What the rule did, and what would change it.
/** @param {Media} media @param {SizeRule | undefined} rule */
export function limitWords(media, rule) {
  if (!rule) return "";
  const [from, to] = [sizeWords(media.size), sizeWords(media.resized)];
  const [across, down] = rule.stretch.map(percentOf);
  if (rule.name === "squash") return squashWords(media, rule);
  if (clampsOf(media).length)
    return clampsOf(media)
      .map(({ sentence }) => said(sentence))
      .join(" ");
  if (rule.name === "factor")
    return say("Each side goes to the nearest 28: width {across}, height {down}. No limit bites.", { across, down });
  const [free, tokens] = [rule.free && sizeWords(rule.free), rule.free_tokens && count(rule.free_tokens)];
  const values = { from, to, free, tokens, threshold: rule.threshold && count(rule.threshold) };
  if (rule.threshold === null)
    return say(
      "min_pixels made {from} into {to}: a side below 14 px rounds to nothing, so this picture always grows.",
      values,
    );
  if (rule.name === "max_pixels")
    return say("max_pixels made {from} into {to}. From {threshold} up it would be {free}, {tokens} tokens.", values);
  return say("min_pixels made {from} into {to}. From {threshold} down it would be {free}, {tokens} tokens.", values);
}

/** @param {Media} media @param {SizeRule} rule */
function squashWords(media, { stretch }) {
  const ratio = stretch[0] / stretch[1];
  const to = sizeWords(media.resized);
  if (Math.abs(ratio - 1) < 0.005) return say("Every picture becomes {to}; this one was a square already.", { to });
  const values = { to, ratio: (ratio > 1 ? ratio : 1 / ratio).toFixed(2) };
  return ratio > 1
    ? say("Every picture becomes {to}. A circle becomes an ellipse, {ratio} times wider.", values)
    : say("Every picture becomes {to}. A circle becomes an ellipse, {ratio} times taller.", values);
}
