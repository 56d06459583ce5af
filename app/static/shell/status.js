// The status line: one sentence that is always true of what is on screen. Each view says its own (`status`).

import { said, say } from "../language/i18n.js";
import { LETTERS } from "../state/selection.js";
import { letGoOf, shows } from "../state/view_registry.js";

/** @import { Context, Selection, State, StatusParts } from "../core/types.d.ts" */

// Parts of the sentence of a view: [text, bold, text] each.
/**
 * @param {Context} ctx
 * @param {State} state
 * @param {Selection} selection
 * @param {(ctx: Context, state: State, selection: Selection) => StatusParts} sentence
 * @returns {StatusParts}
 */
export function statusParts(ctx, state, selection, sentence) {
  if (!LETTERS.some((letter) => state.runs[letter])) {
    const busy = LETTERS.map((letter) => state.live[letter]).find(Boolean);
    return [[busy ? said(busy.step) : say("No run yet: ask a question, or start from an example.")]];
  }
  const bare = LETTERS.every((letter) => !state.runs[letter]?.media.length);
  if (bare && shows(selection.view, "picture")) return [[say("No picture in this question: this view needs one.")]];
  return sentence(ctx, state, selection);
}

/** @param {State} state @param {Selection} selection */
export function statusHint(state, selection) {
  if (state.preview) return say("Click to lock");
  if (state.remark === "swap") return say("No one row here to swap: Q works in Vision and Answer");
  const { view } = selection;
  const place = (selection.keys && shows(view, "place")) || (selection.region && shows(view, "region"));
  const locked = place || letGoOf(view, selection) || LETTERS.some((letter) => selection.query[letter] !== null);
  return locked ? say("Locked. Esc lets go") : say("Hover to look, click to lock");
}
