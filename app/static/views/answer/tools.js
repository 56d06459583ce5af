// The tools of the Answer view: what is drawn of a row, on which scale, which statistic.

import { el, segmented, setText, toggle } from "../../core/dom.js";
import { say } from "../../language/i18n.js";
import { chosenLabel, isPredicted } from "../../state/words.js";
import { STATISTICS } from "../../drawing/matrix.js";

/** @import { Context, MapRow, Run } from "../../core/types.d.ts" */

function pens() {
  const [query, key] = [
    el("span", { class: "pen-words", "data-part": "pen-words" }),
    el("span", { class: "pen-words", "data-part": "pen-words" }),
  ];
  const root = el(
    "div",
    { class: "pens" },
    el("span", {}, el("i", { class: "pen pen-query" }), query),
    el("span", {}, el("i", { class: "pen pen-key" }), key),
  );
  return {
    root,
    /** @param {Run | null} run @param {number | null} token @param {boolean} swap */
    update(run, token, swap) {
      toggle(root, "idle", token === null || !run);
      if (token === null || !run) return;
      const label = chosenLabel(run, token);
      const row = isPredicted(run, token)
        ? say("row that predicts {word}", { word: label })
        : say("row of {word}", { word: label });
      setText(query, swap ? say("rows that give most to the key") : row);
      setText(key, swap ? say("key") : say("fewest cells that hold half of its image share"));
    },
  };
}

/** @returns {[MapRow["mode"], string, string][]} */
const modes = () => [
  ["raw", say("Raw"), say("The row as it is")],
  [
    "sinks",
    say("Sinks aside"),
    say("Keys that draw a large share of most rows count 0; how much that removes is printed"),
  ],
  [
    "neutral",
    say("Against a neutral question"),
    say("The map scaled to sum to 1, minus the same of the last row of the prompt “Describe the image.”"),
  ],
];

/** @returns {[string, string, string][]} */
const scales = () => [
  ["own", say("Own scale"), say("Each map to its own maximum")],
  ["shared", say("Shared"), say("Both maps to the larger maximum")],
  ["difference", say("Difference"), say("A minus B on one grid, each map scaled to sum to 1")],
];

/** @param {Context} ctx */
export function tools(ctx) {
  const pen = pens();
  /** @param {string} text @param {string} label @param {() => void} act */
  const button = (text, label, act) =>
    el("button", { type: "button", class: "tool", text, "aria-label": label, title: label, onclick: act });
  const play = button("▶", say("Play the answer word by word"), () => ctx.actions.play());
  const mode = segmented(say("What is drawn"), modes(), (value) => ctx.actions.choose("answer", { mode: value }));
  const scale = segmented(say("Scale"), scales(), (value) => {
    ctx.store.set({ shared: value === "shared" });
    ctx.actions.choose("answer", { scale: value });
  });
  const media = ctx.mediaChoice();
  const steps = el(
    "div",
    { class: "steps" },
    button("‹", say("Previous word"), () => ctx.actions.stepWord(-1)),
    play,
    button("›", say("Next word"), () => ctx.actions.stepWord(1)),
  );
  const root = el(
    "div",
    { class: "tools wide" },
    steps,
    pen.root,
    el("span", { class: "spring" }),
    media.root,
    mode,
    scale,
  );
  return { root, pen, mode, scale, media, play };
}

/** @param {Context} ctx */
export function statisticChoice(ctx) {
  const options = Object.entries(STATISTICS).map(([value, { title }]) => el("option", { value, text: title() }));
  const list = el(
    "select",
    {
      class: "statistic",
      "data-part": "statistic",
      "aria-label": say("Statistic"),
      onchange: ({ currentTarget }) => ctx.actions.choose("answer", { statistic: currentTarget.value }),
    },
    ...options,
  );
  return list;
}
