// What the tiny checkpoints know: the table of their measured figures, in a dialog behind the weights badge.

import { el, refill } from "../core/dom.js";
import { said, say } from "../language/i18n.js";

/** @import { MeasuredTable } from "./types.d.ts" */
/** @import { Sentence } from "../core/types.d.ts" */

/** @param {"th" | "td"} tag @param {Sentence[]} cells */
const row = (tag, cells) => el("tr", {}, ...cells.map((cell) => el(tag, { text: said(cell) })));

/** @param {MeasuredTable} measured */
function table({ columns, rows }) {
  const head = el("thead", {}, row("th", ["", ...columns]));
  return el("table", {}, head, el("tbody", {}, ...rows.map((cells) => row("td", cells))));
}

export function createMeasured() {
  const body = el("div", { class: "measured-body" });
  /** @type {HTMLButtonElement} */
  const close = el("button", { type: "button", class: "quiet", text: say("Close"), onclick: () => root.close() });
  /** @type {HTMLDialogElement} */
  const root = el(
    "dialog",
    { class: "measured", "aria-label": say("What these weights know") },
    el("div", { class: "measured-head" }, el("h2", { text: say("What these weights know") }), close),
    body,
  );
  root.addEventListener("click", (event) => event.target === root && root.close());
  return {
    root,
    open: () => root.showModal(),
    update: (/** @type {MeasuredTable | null} */ measured) =>
      refill(body, measured, () =>
        measured ? [table(measured), ...measured.notes.map((text) => el("p", { text: said(text) }))] : [],
      ),
  };
}
