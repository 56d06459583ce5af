// Curves of deletion and insertion while they are computed, and after.

import { setText } from "../../core/dom.js";
import { hasAdapter } from "../../core/families.js";
import { said, say } from "../../language/i18n.js";
import { count } from "../../language/numbers.js";
import { drawCurves } from "./curves.js";

/** @import { CausesCurves, Letter, Run, Selection } from "../../core/types.d.ts" */
/** @import { CurveKind, CurvesAsked, Walk } from "./work.js" */
/** @import { Column } from "./view.js" */

/** @type {CurveKind[]} */
const KINDS = ["deletion", "insertion"];

/** @type {CausesCurves} */
const NONE = { state: "none" };

/** @type {Record<string, (progress: CausesCurves) => string>} */
const STATES = {
  running: ({ done, total }) =>
    total === undefined ? say("starting") : say("{done} of {total} forward passes", { done, total }),
  stopped: ({ done, total }) =>
    say("Stopped after {done} of {total} forward passes.", { done: done ?? 0, total: total ?? "?" }),
};

/**
 * @param {Column} view
 * @param {Walk} walk
 * @param {CurvesAsked | null} question
 * @param {Run} run
 * @param {Selection} selection
 */
export function drawWalk(view, walk, question, run, selection) {
  const progress = walk.told ?? NONE;
  const current = walk.key === JSON.stringify(question);
  const running = current && progress.state === "running";
  setText(
    view.run,
    running ? say("Stop") : current && progress.state === "done" ? say("Compute again") : say("Compute"),
  );
  view.run.disabled = !question;
  view.progress.hidden = !running;
  view.done.style.width = `${progress.total ? (100 * (progress.done ?? 0)) / progress.total : 0}%`;
  setText(view.note, noteOf(progress, current, question, run, selection, view.letter));
  for (const kind of KINDS) {
    const pair = current ? progress[kind] : null;
    view.charts[kind].hidden = !pair;
    if (pair) drawCurves(view.charts[kind], kind, pair);
  }
}

/**
 * @param {CausesCurves} progress
 * @param {boolean} current
 * @param {CurvesAsked | null} question
 * @param {Run} run
 * @param {Selection} selection
 * @param {Letter} letter
 */
function noteOf(progress, current, question, run, selection, letter) {
  if (!question) return say("Choose a word of an answer: its map is taken away cell by cell.");
  const layer =
    selection.layer[letter] === "mean"
      ? say("mean of layers")
      : say("layer {layer}", { layer: selection.layer[letter] });
  const head =
    selection.head[letter] === "mean" ? say("mean of heads") : say("head {head}", { head: selection.head[letter] });
  if (!current || progress.state === "none")
    return say(
      "Not computed. The map of row {row}, {layer}, {head}; ten steps in its order, the reversed one and five random ones.",
      { row: question.query - 1, layer, head },
    );
  if (progress.state === "failed") return said(progress.because);
  if (STATES[progress.state]) return STATES[progress.state](progress);
  const { cells, seeds } = progress;
  if (cells === undefined || seeds === undefined) return "";
  const unit = hasAdapter(run) ? say("patches") : say("tokens");
  return say(
    "Map of row {row}, {layer}, {head}, over {cells} {unit}; shaded: from the lowest to the highest of {seeds} random orders.",
    {
      row: question.query - 1,
      layer,
      head,
      cells: count(cells),
      unit,
      seeds,
    },
  );
}
