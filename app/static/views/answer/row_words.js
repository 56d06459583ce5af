// A row of attention and a cell of the picture in words, for the status line of the Answer view.

import { ownGrid, ownUnit } from "../../core/families.js";
import { cellAt, cellBox } from "../../core/geometry.js";
import { said, say } from "../../language/i18n.js";
import { count, percent } from "../../language/numbers.js";
import { cellInTime, isClip, momentName, sharesInTime } from "../../state/time.js";
import { rowOfToken, sameWord, wordLabel, wordOfToken } from "../../state/words.js";

/** @import { Attended, Choice, Context, Letter, Media, Place, Run, Selection, State } from "../../core/types.d.ts" */

/** @param {Choice} layer */
export const layerWords = (layer) => (layer === "mean" ? say("mean of layers") : say("layer {layer}", { layer }));

/** @param {Choice} head */
export const headWords = (head) => (head === "mean" ? say("mean of heads") : say("head {head}", { head }));

/** @param {{ layer: Choice, head: Choice }} where */
export const languageWhere = ({ layer, head }) =>
  say("language {layer} {head}", { layer: layerWords(layer), head: headWords(head) });

/** @param {Attended} map */
const sunk = (map) => Object.values(map.sinks ?? {}).reduce((sum, share) => sum + share, 0);

/** @param {Attended} map */
const rowName = (map) =>
  map.rows?.length > 1
    ? say("mean of rows {rows}", { rows: map.rows.map(count).join(", ") })
    : say("row {row}", { row: count(map.row) });

/** @type {(map: Attended) => string | null} */
const NOWHERE = () => null;

// `placed`: in words how much of a map falls on the chosen place, which is then said instead of the share on the image.
/** @param {Context} ctx @param {Letter} letter @param {State} state @param {Selection} selection */
export function rowWords(ctx, letter, state, selection, placed = NOWHERE) {
  const run = state.runs[letter];
  if (!run) return state.live[letter] ? said(state.live[letter].step) : say("no answer yet");
  if (!run.media.length) return say("no picture in this question");
  if (selection.query[letter] === null) return say("nothing chosen");
  const { map, fresh, error } = ctx.mapResources(letter);
  const missing = follows(state, selection, letter);
  if (error) return said(error);
  const word = missing ? say("has no row for this word, shown: its “{word}”, ", { word: missing }) : "";
  const row = rowOfToken(run, selection.query[letter]);
  if (!map || !fresh) return word + say("row {row} on its way", { row: count(row) });
  const there = placed(map);
  if (there) return word + say("{row}, {where}, {there}", { row: rowName(map), where: languageWhere(map), there });
  const parts = { row: rowName(map), where: languageWhere(map), share: percent(map.shares_all ?? map.share) };
  const share = sunk(map);
  const image = share
    ? say("{row}, {where}, {share} of the row on the image, sinks {sinks}", { ...parts, sinks: percent(share) })
    : say("{row}, {where}, {share} of the row on the image, no sinks", parts);
  return word + image + inTime(run, state, selection, letter, map);
}

// Of a clip also how much falls on the moment on show.
/** @param {Run} run @param {State} state @param {Selection} selection @param {Letter} letter @param {Attended} map */
function inTime(run, state, selection, letter, map) {
  const media = run.media[selection.media];
  if (!isClip(media)) return "";
  const cell = cellInTime(state, selection, letter);
  return say(", {share} in {moment}", {
    share: percent(sharesInTime(run, media, map)[cell]),
    moment: momentName(media, cell),
  });
}

// The word that stands in where a model never said the chosen one; null where it said it, or was chosen by hand.
/** @param {State} state @param {Selection} selection @param {Letter} letter */
function follows(state, selection, letter) {
  const lead = selection.model;
  const [from, to] = [state.runs[lead], state.runs[letter]];
  if (letter === lead || !from || !to || selection.own[letter] || selection.query[letter] === null) return null;
  const index = wordOfToken(from, selection.query[lead]);
  if (index < 0 || sameWord(from, index, to) >= 0) return null;
  return wordLabel(to.words[wordOfToken(to, selection.query[letter])]);
}

// A cell in words: what it is, where, and which pixels of the original. `run` may be a letter's run or, as it was, none.
/** @param {Run} run @param {Media} media @param {Place} place */
export function cellWords(run, media, place) {
  const grid = ownGrid(run, media);
  const { row, column, index } = cellAt(place, grid);
  const [x1, y1, x2, y2] = cellBox(row, column, media.size, grid).map(Math.round);
  const gaps = { index: count(index), row, column, x1, y1, x2, y2 };
  return ownUnit(run) === "patch"
    ? say("patch {index}, cell ({row}, {column}), box {x1}, {y1} to {x2}, {y2} of the original", gaps)
    : say("token {index}, cell ({row}, {column}), box {x1}, {y1} to {x2}, {y2} of the original", gaps);
}
