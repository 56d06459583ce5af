// The answer told again: the word before and after, and what else changed.

import { el, refill, setText, toggle } from "../../core/dom.js";
import { said, say } from "../../language/i18n.js";
import { percent } from "../../language/numbers.js";
import { account } from "./words.js";

/** @import { CausesChoices, CausesTold, Run } from "../../core/types.d.ts" */
/** @import { Asked, Held } from "./work.js" */
/** @import { Column } from "./view.js" */

/**
 * What there is to tell of one column: the locked question, what is known of it, and the button that asks.
 * @typedef {object} Told
 * @property {Run} run
 * @property {CausesChoices} chosen
 * @property {Held} held
 * @property {Asked | null} asked
 * @property {string} word
 * @property {() => HTMLElement} start
 */

/** @type {Record<string, string>} */
/** @type {Record<string, string>} */
const DRAG = {
  box: "Drag on a picture to choose a place. It is the same place in both columns.",
  brush:
    "Drag on a picture, or move the cell with the arrows and press Enter to paint it. It is the same place in both columns.",
};

const LONG = 10; // seconds

/** @param {string} name @param {number} value @param {string} kind */
function bar(name, value, kind) {
  return el(
    "div",
    { class: `cause-bar ${kind}`, "data-part": "cause-bar" },
    el("span", { text: name }),
    el("span", { class: "bar-track" }, el("i", { style: { width: `${100 * value}%` } })),
    el("b", { text: percent(value) }),
  );
}

/** @param {string} text */
const spelled = (text) => (text.trim() ? text : text.includes("\n") ? "↵" : "␣");

/** @param {Run} run @param {CausesTold} effect @param {Asked} asked @param {string} word */
function told(run, effect, asked, word) {
  const alternatives = effect.likeliest.map((one) =>
    el(
      "span",
      { "data-part": "alternative", class: `alternative${one.id === run.tokens.id[effect.index] ? " taken" : ""}` },
      el("span", { text: spelled(one.text) }),
      el("b", { text: percent(one.probability) }),
    ),
  );
  const words = el(
    "div",
    {},
    el("p", { class: "causes-title", text: say("Probability of {word}", { word }) }),
    bar(say("as it was"), effect.before, "before"),
    bar(effect.tool === "paint" ? say("painted over") : say("hidden"), effect.after, "after"),
    el("p", { class: "causes-title", text: say("What it would say there now") }),
    el("div", { class: "likeliest now", "data-part": "likeliest" }, ...alternatives),
    el("p", { class: "causes-note", text: account(run, effect, asked) }),
  );
  if (!effect.received || !effect.received_size) return [words];
  const size = { width: effect.received_size[0], height: effect.received_size[1] };
  const received = el(
    "figure",
    { class: "received", "data-part": "received" },
    el("img", { src: effect.received, alt: say("The painted picture as the model received it") }),
    el("figcaption", { text: say("as the model received it, {width} × {height}", size) }),
  );
  return [el("div", { class: "told-row" }, words, received)];
}

/** @param {Column} view @param {Told} given */
export function drawEffect(view, { run, chosen, held, asked, word, start }) {
  const effect = held.value;
  setText(
    view.state,
    held.late
      ? say("telling it again")
      : held.milliseconds && effect
        ? say("{time} ms", { time: Math.round(held.milliseconds) })
        : "",
  );
  toggle(view.body, "late", held.late);
  const stamp = [run.id, asked, word, held.key, held.error, held.late && !effect, effect?.after];
  refill(view.body, stamp, () => {
    if (!word) return [el("p", { text: say("Choose a word of an answer: its probability is what changes.") })];
    if (!asked)
      return [
        el("p", { text: chosen.shape === "half" ? say("Choose a word of an answer.") : say(DRAG[chosen.shape]) }),
      ];
    if (held.error) return [el("p", { class: "bad", text: said(held.error) }), start()];
    if (!effect && held.late) return [el("p", { text: say("One moment: the answer is told again.") })];
    if (!effect || !held.asked)
      return [
        el("p", { text: say("This place came with the link or is new: its effect is not computed yet.") }),
        start(),
      ];
    return told(run, effect, held.asked, word);
  });
}

// Whether telling a run's answer again takes long enough to wait until somebody asks for it.
/** @param {Run | null} run */
export const isLong = (run) => (run?.seconds.replay ?? 0) > LONG;
