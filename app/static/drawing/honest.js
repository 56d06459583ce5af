// "Read this as": what a view plots, how it is scaled, and what it does not show.

import { el, refill } from "../core/dom.js";
import { say } from "../language/i18n.js";

/** @import { HonestItems, Run } from "../core/types.d.ts" */

// Open where there is room, folded on a phone; the panels that are on the page follow when that changes.
const wide = window.matchMedia("(min-width: 721px)");
wide.addEventListener("change", () =>
  document.querySelectorAll("details").forEach((panel) => {
    if (panel.classList.contains("honest")) panel.open = wide.matches;
  }),
);

export function honestPanel() {
  const root = el("details", { class: "card honest" });
  root.open = wide.matches;
  const summary = el(
    "summary",
    {},
    el("span", { class: "info", text: "i", "aria-hidden": "true" }),
    el("b", { text: say("Read this as") }),
  );
  summary.addEventListener("click", (event) => wide.matches && event.preventDefault());
  const body = el("div", { class: "honest-body" });
  root.append(summary, body);
  return {
    root,
    update(/** @type {HonestItems} */ items) {
      refill(body, items, () =>
        items.map(([title, sentence]) => el("p", {}, el("b", { text: `${title}. ` }), sentence)),
      );
    },
  };
}

/** @param {(Run | null)[]} runs */
export function weightsNote(runs) {
  const untrained = runs.filter((run) => run && !run.model.trained);
  if (untrained.length) return say("Untrained weights: exact numbers, empty answers.");
  return runs.some((run) => run?.model.size_label === "tiny") ? say("Tiny demo weights, not the released ones.") : "";
}
