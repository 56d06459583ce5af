// The position budget: how many tokens media take, and how many ids those spend.

import { el } from "../../core/dom.js";
import { say } from "../../language/i18n.js";
import { count } from "../../language/numbers.js";

/** @import { Letter, Media, PositionCost } from "../../core/types.d.ts" */

const THIS = 2; // pictures of the run that are listed

/** @param {Media} media @param {boolean} several */
function nameOf(media, several) {
  const clip = media?.kind === "video";
  if (several) return say(clip ? "Clip {n}" : "Picture {n}", { n: media.index + 1 });
  return clip ? say("This clip") : say("This picture");
}

/** @import { Known } from "./choosing.js" */

/** @typedef {{ name: string, cost: (one: Known) => PositionCost | undefined }} CostRow */

/** @param {Known[]} known @returns {CostRow[]} */
function rowsOf(known) {
  const [{ run, facts }] = known;
  const most = Math.max(...known.map((one) => one.facts.media.length));
  /** @type {CostRow[]} */
  const mine = Array.from({ length: Math.min(THIS, most) }, (_, index) => ({
    name: nameOf(run.media[index], most > 1),
    cost: (one) => one.facts.media[index],
  }));
  const prompt = (/** @type {Known} */ { run: { account } }) => ({
    tokens: account.prompt_tokens,
    ids: account.largest_position + 1,
  });
  /** @type {CostRow[]} */
  const others = Object.keys(facts.others).map((name) => ({
    name: say(name),
    cost: (one) => one.facts.others[name],
  }));
  return [...mine, { name: say("Whole prompt"), cost: prompt }, ...others];
}

/** @param {number} most */
const ticks = (most) => [1, 10, 100, 1000, 10_000, 100_000].filter((value) => value <= most);

/** @param {Letter} letter @param {PositionCost} cost @param {(value: number) => string} width */
function pair(letter, { tokens, ids }, width) {
  return el(
    "div",
    { class: "budget-pair", "data-part": "budget-pair", "data-letter": letter, "data-tokens": tokens, "data-ids": ids },
    el("b", { text: letter }),
    el(
      "div",
      { class: "budget-bars" },
      el("i", { class: "tokens", style: { width: width(tokens) } }),
      el("i", { class: "ids", style: { width: width(ids) } }),
    ),
    el("span", { text: say("{tokens} in {ids}", { tokens: count(tokens), ids: count(ids) }) }),
  );
}

// Bars on one logarithmic scale, tokens grey, ids ink.
/** @param {Known[]} known at least one */
export function costRows(known) {
  const rows = rowsOf(known);
  const most = Math.max(10, ...rows.flatMap(({ cost }) => known.map((one) => cost(one)?.tokens ?? 1)));
  /** @param {number} value */
  const at = (value) => `${(100 * Math.log10(Math.max(1.1, value))) / Math.log10(most)}%`;
  const axis = el(
    "div",
    { class: "budget-axis" },
    ...ticks(most).map((value) =>
      el("i", {
        style: { left: value === 1 ? "0%" : at(value) },
        text: value < 1000 ? String(value) : `${value / 1000} k`,
      }),
    ),
  );
  return [
    ...rows.map(({ name, cost }) => {
      const pairs = known.flatMap((one) => {
        const spent = cost(one);
        return spent ? [pair(one.letter, spent, at)] : [];
      });
      return el("div", { class: "budget-row" }, el("span", { text: name }), el("div", {}, ...pairs));
    }),
    el(
      "div",
      { class: "budget-row" },
      el("span", {}),
      el("div", { class: "budget-pair", "data-part": "budget-pair" }, el("b", {}), axis, el("span", {})),
    ),
  ];
}
