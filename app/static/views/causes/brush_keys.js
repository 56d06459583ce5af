// A place in Causes without a pointer: arrows move the rectangle, or the brush's cell, which Enter paints or wipes.

import { ownGrid } from "../../core/families.js";
import { cellAt, cellBox } from "../../core/geometry.js";
import { say } from "../../language/i18n.js";
import { choices } from "../../state/selection.js";
import { isPainted, readStrokes, turned, writeStrokes } from "./brush.js";
import { edgesOf, shifted } from "../../core/rectangle.js";

/** @import { Context, Letter, Media, Run, Selection } from "../../core/types.d.ts" */
/** @import { Choose } from "./work.js" */

/**
 * The cell that a brush stands on, its box in 0..1; `painted` is null where no brush is chosen.
 * @typedef {{ row: number, column: number, box: number[], painted: boolean | null }} BrushCell
 */

const MIDDLE = [0.5, 0.5];

// The cell of this run under the locked place, where a brush stands: its box in 0..1 and, of a brush, whether it is painted.
/**
 * @param {Run | null} run
 * @param {Media | null | undefined} media
 * @param {Selection} selection
 * @returns {BrushCell | null}
 */
export function brushCell(run, media, selection) {
  const { shape, strokes } = choices(selection, "causes");
  if (!run || !media || !selection.keys) return null;
  const { row, column } = cellAt(selection.keys, ownGrid(run, media));
  const box = cellBox(row, column, [1, 1], ownGrid(run, media));
  return { row, column, box, painted: shape === "brush" ? isPainted(readStrokes(strokes), box) : null };
}

/** @param {Omit<BrushCell, "box">} cell */
export function brushWords({ row, column, painted }) {
  if (painted === null) return say("cell ({row}, {column})", { row, column });
  return painted
    ? say("cell ({row}, {column}), painted", { row, column })
    : say("cell ({row}, {column}), not painted", { row, column });
}

// What the keys of one column's stage do; `choose` changes the place and asks what depends on it.
/** @param {Context} ctx @param {Letter} letter @param {Choose} choose */
export function brushKeys(ctx, letter, choose) {
  const { store } = ctx;
  const chosen = () => choices(store.state.selection, "causes");
  return {
    /** @param {number} rows @param {number} columns */
    onstep(rows, columns) {
      const { shape } = chosen();
      if (shape === "box" && edgesOf(chosen())) choose(shifted(chosen(), rows, columns));
      if (shape === "brush") ctx.actions.stepPlace(letter, rows, columns);
    },
    onenter() {
      if (chosen().shape !== "brush") return;
      const { selection, runs } = store.state;
      const here = brushCell(runs[letter], runs[letter]?.media[selection.media], selection);
      if (!here) return void store.select({ keys: MIDDLE });
      const mask = turned(readStrokes(chosen().strokes), here.box);
      choose({ strokes: mask.includes(1) ? writeStrokes(mask) : "none" });
    },
  };
}
