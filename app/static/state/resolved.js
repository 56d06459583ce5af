// What the page shows of one run, with every choice made: what an export asks the server to draw, so that the server
// decides nothing a second time. Anything hovered is left out.

import { ownGrid } from "../core/families.js";
import { cellsOf } from "../core/geometry.js";
import { cellInTime } from "./time.js";
import { isPredicted } from "./words.js";

/** @import { Letter, Run, State } from "../core/types.d.ts" */

/** @param {State} state @param {Letter} letter @param {Run} run */
export function resolved(state, letter, run) {
  const { selection } = state;
  const media = run.media[selection.media];
  const query = selection.query[letter];
  const frame = cellInTime(state, selection, letter);
  return {
    query,
    why: query !== null && isPredicted(run, query),
    also: selection.also[letter],
    layer: selection.layer[letter],
    head: selection.head[letter],
    media: selection.media,
    frame,
    cells: media && selection.swap ? cellsOf({ ...selection, frame }, ownGrid(run, media)) : [],
    region: selection.region,
    swapped: selection.swap,
  };
}
