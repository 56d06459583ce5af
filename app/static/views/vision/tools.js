// The tools of the Vision view.

import { el, segmented, setText } from "../../core/dom.js";
import { say } from "../../language/i18n.js";
import { statisticOf } from "./asked.js";

/** @import { Context, Part } from "../../core/types.d.ts" */

/**
 * @param {Context} ctx
 * @returns {Part}
 */
export function tools(ctx) {
  const [first, second] = [
    el("b", { class: "pen-words", "data-part": "pen-words" }),
    el("b", { class: "pen-words", "data-part": "pen-words" }),
  ];
  const pens = el(
    "div",
    { class: "pens" },
    el("span", {}, el("i", { class: "pen pen-query" }), first),
    el("span", {}, el("i", { class: "pen pen-key" }), second),
  );
  const direction = segmented(
    say("Direction"),
    [
      ["row", say("Looks at"), say("The patch's own row")],
      ["column", say("Is looked at by"), say("Its column: its weight in every patch's row")],
    ],
    (value) => ctx.store.select({ swap: value === "column" }),
  );
  const statistic = segmented(
    say("Statistic"),
    [
      ["distance", say("Distance")],
      ["entropy", say("Entropy")],
      ["own", say("On itself")],
    ],
    (value) => ctx.actions.choose("vision", { statistic: value }),
  );
  const media = ctx.mediaChoice();
  return {
    root: el("div", { class: "tools" }, pens, el("span", { class: "spring" }), media.root, direction, statistic),
    update(state, selection) {
      media.update(state, selection);
      const swapped = selection.swap;
      direction.choose(swapped ? "column" : "row");
      statistic.choose(statisticOf(selection));
      setText(first, selection.keys ? say("the chosen patch") : say("the middle patch: point at another"));
      setText(
        second,
        swapped
          ? say("fewest patches that give half of what it gets")
          : say("fewest patches that hold half of its row"),
      );
    },
  };
}
