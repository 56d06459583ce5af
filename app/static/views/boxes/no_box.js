// What stands where an answer has no box: a question that asks for one.

import { el } from "../../core/dom.js";
import { say } from "../../language/i18n.js";

/** @import { Run } from "../../core/types.d.ts" */

const COLOURS = "red orange yellow green cyan blue purple pink black white".split(" ");

const SHAPES = "circle square triangle cross diamond star ring heart".split(" ");

// A question the tiny checkpoints were trained on, about what this question and answer named already.
/** @param {Run} run */
function suggestion(run) {
  const words = `${run.question} ${run.answer}`.toLowerCase().match(/[a-z]+/g) ?? [];
  const named = [COLOURS, SHAPES].map((known) => words.find((word) => known.includes(word)));
  if (run.model.size_label !== "tiny") return say("Give the box of the main object.");
  return `Where is the ${named[0] ?? "red"} ${named[1] ?? "circle"}?`;
}

/** @param {string} text */
function fillQuestion(text) {
  const area = document.querySelector("#question")?.querySelector("textarea");
  if (!area) return;
  area.value = text;
  area.dispatchEvent(new Event("input", { bubbles: true }));
  area.focus();
}

/** @param {Run} run */
export function nothing(run) {
  const text = suggestion(run);
  return [
    el("p", { text: say("This answer holds no box, so there is nothing to draw.") }),
    el("button", {
      type: "button",
      class: "text-button",
      "data-part": "text-button",
      text: say("Put “{question}” into the question field", { question: text }),
      onclick: () => fillQuestion(text),
    }),
  ];
}
