// What the authors report of multimodal ids, and nothing here measures: quoted, losses with gains, with its source.

import { el, refill } from "../../core/dom.js";
import { say } from "../../language/i18n.js";
import { count } from "../../language/numbers.js";

/** @import { Reported, ReportedScore } from "../../core/types.d.ts" */

const [LOW, HIGH] = [30, 90]; // of the scale, in percent

/** @param {number} value */
const at = (value) => `${(100 * (value - LOW)) / (HIGH - LOW)}%`;

/** @param {number} value */
const signed = (value) => `${value > 0 ? "+" : value < 0 ? "−" : "±"}${Math.abs(value).toFixed(1)}`;

// Two marks on one scale and what lies between them: hollow 1-D, filled multimodal, dashed where it lost.
/** @param {ReportedScore} score */
function row(score) {
  const { test, one, multimodal, gain } = score;
  const [from, to] = [Math.min(one, multimodal), Math.max(one, multimodal)];
  const between = { left: at(from), width: `${(100 * (to - from)) / (HIGH - LOW)}%` };
  return el(
    "div",
    { "data-part": "reported-row", class: `reported-row${gain < 0 ? " lost" : ""}`, "data-test": test },
    el("span", { text: test }),
    el(
      "div",
      { class: "reported-scale", "aria-hidden": "true" },
      el("i", { class: "between", style: between }),
      el("i", { class: "one", style: { left: at(one) } }),
      el("i", { class: "many", style: { left: at(multimodal) } }),
    ),
    el("span", { text: `${one.toFixed(1)} → ${multimodal.toFixed(1)}` }),
    el("b", { text: signed(gain) }),
  );
}

/** @param {string} title @param {ReportedScore[]} scores @param {number[]} means */
function group(title, scores, [one, multimodal]) {
  const means = say("mean {one} → {many}", { one: one.toFixed(2), many: multimodal.toFixed(2) });
  return el(
    "div",
    {},
    el(
      "div",
      { class: "title-line", "data-part": "title-line" },
      el("span", { text: title }),
      el("span", { text: means }),
    ),
    ...scores.map(row),
  );
}

/** @param {number[]} outcome */
function words([better, equal, worse]) {
  return [
    say("{better} of {all} better, {equal} equal, {worse} worse; most is gained on clips. One small model with each.", {
      better: count(better),
      equal: count(equal),
      worse: count(worse),
      all: count(better + equal + worse),
    }),
    say(
      "Fewer ids are arithmetic, see the budget above. That the 72B, trained on at most 16K tokens, stays good on clips of up to 80K is reported too (Fig. 5).",
    ),
    say("So is that pictures and clips were mixed in training (section 2.1). Weights show neither."),
  ];
}

// The card, and the button that opens it: it is longer than a screen has room for beside what was measured.
export function reportedCard() {
  const opener = el("button", {
    type: "button",
    class: "link reported-opener",
    hidden: true,
    text: say("What the authors report of three ids"),
  });
  /** @param {boolean} on */
  const open = (on) => {
    root.hidden = !on;
    opener.setAttribute("aria-expanded", String(on));
    if (on) root.scrollIntoView({ block: "nearest" });
  };
  const body = el("div", { class: "reported-groups" });
  const root = el(
    "section",
    { class: "card reported", "data-part": "reported", hidden: true },
    el(
      "div",
      { class: "title-line", "data-part": "title-line" },
      el("h3", { text: say("What the authors report of three ids") }),
      el("span", { text: say("2409.12191v2, Table 8: Qwen2-1.5B with a ViT-L; ○ one id, ● three; percent") }),
    ),
    body,
  );
  opener.setAttribute("aria-expanded", "false");
  opener.addEventListener("click", () => open(root.hidden));
  return {
    root,
    opener,
    update(/** @type {Reported | null} */ reported) {
      opener.hidden = !reported;
      if (!reported) return void open(false);
      /** @param {string} about */
      const of = (about) => reported.scores.filter((score) => score.about === about);
      refill(body, reported, () => [
        group(say("Tests about pictures"), of("image"), reported.means.image),
        el(
          "div",
          {},
          group(say("Tests about clips"), of("video"), reported.means.video),
          ...words(reported.outcome).map((text) => el("p", { text })),
        ),
      ]);
    },
  };
}
