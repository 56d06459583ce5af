// The status line: one sentence that is always true of what is on screen. Each view says its own (`status`); what they
// share stands here.

import { ownGrid, ownUnit } from "../core/families.js";
import { cellAt, cellBox } from "../core/geometry.js";
import { say, said } from "../core/i18n.js";
import { count, percent } from "../core/numbers.js";
import { LETTERS } from "../core/selection.js";
import { letGoOf, shows } from "../core/view_registry.js";
import { cellInTime, isClip, momentName, sharesInTime } from "../core/time.js";
import { rowOfToken, sameWord, wordLabel, wordOfToken } from "../core/words.js";

/** @import { Attended } from "../core/types.d.ts" */

export const layerWords = (layer) => (layer === "mean" ? say("mean of layers") : say("layer {layer}", { layer }));
export const headWords = (head) => (head === "mean" ? say("mean of heads") : say("head {head}", { head }));

export const languageWhere = ({ layer, head }) =>
  say("language {layer} {head}", { layer: layerWords(layer), head: headWords(head) });

const sunk = (map) => Object.values(map.sinks ?? {}).reduce((sum, share) => sum + share, 0);

const rowName = (map) =>
  map.rows?.length > 1
    ? say("mean of rows {rows}", { rows: map.rows.map(count).join(", ") })
    : say("row {row}", { row: count(map.row) });

/** @type {(map: Attended) => string | null} */
const NOWHERE = () => null;

// `placed`: in words how much of a map falls on the chosen place, which is then said instead of the share on the image.
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
  const sinks = percent(sunk(map));
  const image = say("{row}, {where}, {share} of the row on the image, sinks {sinks}", { ...parts, sinks });
  return word + image + inTime(state, selection, letter, map);
}

// Of a clip also how much falls on the moment on show.
function inTime(state, selection, letter, map) {
  const run = state.runs[letter];
  const media = run.media[selection.media];
  if (!isClip(media)) return "";
  const cell = cellInTime(state, selection, letter);
  return say(", {share} in {moment}", {
    share: percent(sharesInTime(run, media, map)[cell]),
    moment: momentName(media, cell),
  });
}

// The word that stands in where a model never said the chosen one; null where it said it, or was chosen by hand.
function follows(state, selection, letter) {
  const lead = selection.model;
  const [from, to] = [state.runs[lead], state.runs[letter]];
  if (letter === lead || !from || !to || selection.own[letter] || selection.query[letter] === null) return null;
  const index = wordOfToken(from, selection.query[lead]);
  if (index < 0 || sameWord(from, index, to) >= 0) return null;
  return wordLabel(to.words[wordOfToken(to, selection.query[letter])]);
}

// A cell in words: what it is, where, and which pixels of the original. `run` may be a letter's run or, as it was, none.
export function cellWords(run, media, place) {
  const grid = ownGrid(run, media);
  const { row, column, index } = cellAt(place, grid);
  const [x1, y1, x2, y2] = cellBox(row, column, media.size, grid).map(Math.round);
  const gaps = { index: count(index), row, column, x1, y1, x2, y2 };
  return ownUnit(run) === "patch"
    ? say("patch {index}, cell ({row}, {column}), box {x1}, {y1} to {x2}, {y2} of the original", gaps)
    : say("token {index}, cell ({row}, {column}), box {x1}, {y1} to {x2}, {y2} of the original", gaps);
}

// Parts of the sentence of a view: [text, bold, text] each.
export function statusParts(ctx, state, selection, sentence) {
  if (!LETTERS.some((letter) => state.runs[letter])) {
    const busy = LETTERS.map((letter) => state.live[letter]).find(Boolean);
    return [[busy ? said(busy.step) : say("No run yet: ask a question, or start from an example.")]];
  }
  const bare = LETTERS.every((letter) => !state.runs[letter]?.media.length);
  if (bare && shows(selection.view, "picture")) return [[say("No picture in this question: this view needs one.")]];
  return sentence(ctx, state, selection);
}

export function statusHint(state, selection) {
  if (state.preview) return say("Click to lock");
  if (state.remark === "swap") return say("No one row here to swap: Q works in Vision and Answer");
  const { view } = selection;
  const place = (selection.keys && shows(view, "place")) || (selection.region && shows(view, "region"));
  const locked = place || letGoOf(view, selection) || LETTERS.some((letter) => selection.query[letter] !== null);
  return locked ? say("Locked. Esc lets go") : say("Hover to look, click to lock");
}
