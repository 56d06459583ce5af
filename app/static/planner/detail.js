// Below the table: the chosen row's arithmetic line by line and what would change it; what each toolchain does; each file.

import { el, refill, setText } from "../core/dom.js";
import { said, say } from "../language/i18n.js";
import { count, percent, times } from "../language/numbers.js";
import { planner, shownFile } from "./state.js";
import { isRefused } from "./table.js";
import { fullName, letterSize } from "./words.js";

/** @import { ChosenRow } from "./table.js" */
/** @import { Answer, PlannedMedia, PlannedToolchain, PlannerRow, Sentence } from "../core/types.d.ts" */

/** @param {readonly Sentence[]} step */
const line = ([label, value]) => el("div", {}, el("dt", { text: said(label) }), el("dd", { text: said(value) }));

export function createArithmetic() {
  const title = el("h3");
  const limits = el("ul", { class: "plan-limits", "data-part": "plan-limits" });
  const list = el("dl", { class: "plan-steps" });
  const root = el("section", { class: "card plan-arithmetic", "data-part": "plan-arithmetic" }, title, limits, list);
  return {
    root,
    update(/** @type {ChosenRow | null} */ chosen) {
      root.hidden = !chosen || isRefused(chosen.row);
      if (!chosen || isRefused(chosen.row)) return;
      const { row } = chosen;
      setText(title, say("How it is counted: {name}", { name: fullName(row.model) }));
      const told = [...row.limits, ...row.notes, ...row.suggestions];
      refill(limits, told, () => told.map((text) => el("li", { text: said(text) })));
      refill(list, row.steps, () => row.steps.map(line));
    },
  };
}

/** @param {PlannedToolchain} one */
function toolchainRow(one) {
  const head = el("th", { scope: "row", text: say(one.says) });
  const [media] = one.media ?? [];
  if (one.error || !media || !one.letter)
    return el("tr", {}, head, el("td", { class: "bad", colspan: 4, text: said(one.error) }));
  const fixed = one.key === "qwen-vl" ? say("448 × 448, always") : null;
  const limit = (one.prompt_tokens ?? 0) > (one.context ?? 0) ? say("longer than the context") : (fixed ?? media.limit);
  const frames = media.frames ? say("{n} frames", { n: count(media.frames) }) : "";
  return el(
    "tr",
    {},
    head,
    el("td", { class: "number", text: [times(...media.resized), frames].filter(Boolean).join(", ") }),
    el("td", { class: "number" }, el("b", { text: count(media.tokens) })),
    el("td", { class: "number", text: letterSize(one.letter) }),
    el("td", { class: "limit" }, limit ? el("span", { class: "tag amber", text: limit }) : "–"),
  );
}

const CHAIN = [
  ["What runs", ""],
  ["Resized to", "number"],
  ["Visual tokens", "number"],
  ["20 px letter becomes", "number"],
  ["Limit that bites", "limit"],
];

export function createToolchains() {
  const table = el("table", { class: "plan-table" });
  const title = el("h3");
  const scroll = el("div", { class: "plan-scroll", tabindex: 0, role: "region" }, table);
  const note = el("p", {
    class: "plan-note faint",
    "data-part": "plan-note",
    text: say(
      "Defaults of transformers 5.23, and of the two eras of qwen-vl-utils. Pixel limits are for one picture, not for all together.",
    ),
  });
  const root = el("section", { class: "card plan-chains", "data-part": "plan-chains" }, title, scroll, note);
  return {
    root,
    update(/** @type {Answer<"planner_plan">} */ answer) {
      const file = planner.files[shownFile()];
      root.hidden = !file || !answer.toolchains.length;
      if (root.hidden) return;
      setText(title, say("What each toolchain's defaults do with {name}", { name: file.name }));
      scroll.setAttribute("aria-label", title.textContent ?? "");
      refill(table, answer.toolchains, () => [
        el(
          "thead",
          {},
          el("tr", {}, ...CHAIN.map(([text, kind]) => el("th", { scope: "col", class: kind, text: say(text) }))),
        ),
        el("tbody", {}, ...answer.toolchains.map(toolchainRow)),
      ]);
    },
  };
}

/** @param {PlannerRow} row @param {PlannedMedia} media */
function fileRow(row, media) {
  const limit = media.clamps?.length ? media.clamps.join(", ") : media.limit;
  return el(
    "tr",
    {},
    el("th", { scope: "row", text: media.name }),
    el("td", { class: "number", text: times(...media.size) }),
    el("td", { class: "number", text: times(...media.resized) }),
    el("td", { class: "number", text: media.frames ? count(media.frames) : "" }),
    el("td", { class: "number" }, el("b", { text: count(media.tokens) })),
    el("td", { class: "number", text: row.visual_tokens ? percent(media.tokens / row.visual_tokens) : "–" }),
    el("td", { class: "limit" }, limit ? el("span", { class: "tag amber", text: limit }) : "–"),
  );
}

const FILES = [
  ["File", ""],
  ["Size", "number"],
  ["Resized to", "number"],
  ["Frames", "number"],
  ["Visual tokens", "number"],
  ["Of all", "number"],
  ["Limit that bites", "limit"],
];

export function createFiles() {
  const table = el("table", { class: "plan-table" });
  const title = el("h3");
  const scroll = el("div", { class: "plan-scroll", tabindex: 0, role: "region" }, table);
  const root = el("section", { class: "card plan-each", "data-part": "plan-each" }, title, scroll);
  return {
    root,
    update(/** @type {ChosenRow | null} */ chosen) {
      root.hidden = planner.files.length < 2 || !chosen || isRefused(chosen.row);
      if (!chosen || root.hidden || isRefused(chosen.row)) return;
      const { row } = chosen;
      setText(title, say("Each file in {name}", { name: fullName(row.model) }));
      scroll.setAttribute("aria-label", title.textContent ?? "");
      refill(table, row.media, () => [
        el(
          "thead",
          {},
          el("tr", {}, ...FILES.map(([text, kind]) => el("th", { scope: "col", class: kind, text: say(text) }))),
        ),
        el("tbody", {}, ...row.media.map((media) => fileRow(row, media))),
      ]);
    },
  };
}
