// Where attention of a vision tower ends: one segment a picture, or one a cell in time of a clip. Drawn as wide as long.

import { el, refill } from "../../core/dom.js";
import { hasAdapter } from "../../core/families.js";
import { say } from "../../language/i18n.js";
import { count, percent } from "../../language/numbers.js";
import { frameFor } from "../../state/time.js";

/** @import { Context, Letter, Run } from "../../core/types.d.ts" */

/** @typedef {{ media: number, cell: number, patches: number }} Segment */

const BUTTONS = 40; // more segments than that are too thin to be pressed

// Each segment of a run: its media, its cell in time, its patches.
/** @param {Run} run */
function segmentsOf(run) {
  return run.media.flatMap((media) =>
    Array.from({ length: media.patch_grid[0] }, (_, cell) => ({
      media: media.index,
      cell,
      patches: media.patch_grid[1] * media.patch_grid[2],
    })),
  );
}

// Which part of all pairs of patches may look at each other.
/** @param {Segment[]} segments */
function pairShare(segments) {
  const all = segments.reduce((sum, { patches }) => sum + patches, 0);
  return segments.reduce((sum, { patches }) => sum + patches * patches, 0) / all ** 2;
}

/** @param {Run} run @param {Segment} segment */
function name(run, { media, cell, patches }) {
  const numbers = { m: media + 1, n: count(patches), t: cell };
  if (run.media[media].patch_grid[0] > 1) return say("media {m}, cell {t} in time, {n} patches", numbers);
  return say("picture {m}, {n} patches", numbers);
}

/** @param {Context} ctx @param {Letter} letter */
export function createSegments(ctx, letter) {
  const strip = el("div", { class: "tower-segments" });
  const words = el("p", { class: "faint" });
  const root = el("div", { class: "tower-segments-box", "data-part": "tower-segments-box" }, strip, words);

  /** @param {Segment} segment */
  function pick(segment) {
    ctx.actions.pickMedia(segment.media);
    const { state } = ctx.store;
    ctx.store.select({ frame: frameFor(state, state.selection, letter, segment.cell) });
  }

  /** @type {(run: Run, segment: Segment, here: boolean, pressable: boolean) => HTMLElement} */
  const piece = (run, segment, here, pressable) =>
    el(pressable ? "button" : "i", {
      type: pressable ? "button" : null,
      class: here ? "tower-segment here" : "tower-segment",
      title: name(run, segment),
      "aria-label": pressable ? name(run, segment) : null,
      "aria-pressed": pressable ? String(here) : null,
      style: { "flex-grow": String(segment.patches) },
      onclick: () => pick(segment),
    });

  return {
    root,
    /** @param {Run} run @param {number} media @param {number} cell */
    update(run, media, cell) {
      const segments = segmentsOf(run);
      const pressable = segments.length > 1 && segments.length <= BUTTONS;
      refill(strip, [run.id, media, cell], () =>
        segments.map((each) => piece(run, each, each.media === media && each.cell === cell, pressable)),
      );
      const numbers = { n: count(segments.length), share: percent(pairShare(segments)) };
      refill(words, [run.id], () => [
        segments.length === 1
          ? say("1 segment: every patch may look at every other.")
          : hasAdapter(run)
            ? say("{n} pictures, each by itself: {share} of all pairs of patches may look at each other.", numbers)
            : say("{n} segments packed end to end: {share} of all pairs of patches may look at each other.", numbers),
      ]);
    },
  };
}
