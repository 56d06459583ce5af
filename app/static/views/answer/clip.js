// What the Answer view adds where a clip is looked at: its timeline and all its tubes above the frame on show, and
// beneath it what the clip costs and which ids follow it.

import { el } from "../../core/dom.js";
import { LETTERS } from "../../state/selection.js";
import { timekeeper } from "../../state/time.js";
import { createClipFacts } from "./clip_facts.js";
import { createTimeline } from "./timeline.js";
import { createTubes } from "./tubes.js";

/** @import { Both, Context, MapResources, Selection, State } from "../../core/types.d.ts" */

/** @param {Context} ctx */
export function createClip(ctx) {
  const timeline = createTimeline(ctx);
  const facts = createClipFacts(ctx);
  const tubes = Object.fromEntries(LETTERS.map((letter) => [letter, createTubes(ctx, letter)]));
  const cells = LETTERS.map((letter) => el("div", { class: "tubes-cell", "data-letter": letter }, tubes[letter].root));
  const pair = el("div", { class: "pair pair-tubes" }, ...cells);
  return {
    above: [timeline.root, pair],
    below: [facts.root],
    /** @param {State} state @param {Selection} selection @param {Both<MapResources>} resources */
    update(state, selection, resources) {
      timeline.update(state, selection);
      LETTERS.forEach((letter) => tubes[letter].update(state, selection, resources[letter]));
      pair.hidden = LETTERS.every((letter) => tubes[letter].root.hidden);
      facts.update(state, selection, timekeeper(state, selection));
    },
  };
}
