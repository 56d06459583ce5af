// The status line: one sentence that is always true of what is on screen. Each view says its own (`status`); what they
// share stands here.

import { cellAt, cellBox } from "./geometry.js";
import { count, percent } from "./numbers.js";
import { LETTERS, other } from "./store.js";
import { sameWord, wordLabel, wordOfToken } from "./words.js";

const where = (map) =>
  `language ${map.layer === "mean" ? "mean of layers" : `layer ${map.layer}`} ${map.head === "mean" ? "mean of heads" : `head ${map.head}`}`;

export function rowWords(ctx, letter, state, selection) {
  const run = state.runs[letter];
  if (!run) return state.live[letter] ? `${state.live[letter].step}` : "no answer yet";
  if (!run.media.length) return "no picture in this question";
  if (selection.query[letter] === null) return "nothing chosen";
  const { map, fresh, error } = ctx.mapResources(letter);
  const missing = follows(state, selection, letter);
  if (error) return error;
  const word = missing ? `has no row for this word, shown: its “${missing}”, ` : "";
  if (!map || !fresh) return `${word}row ${selection.query[letter] - 1} on its way`;
  return `${word}row ${map.row}, ${where(map)}, ${percent(map.shares_all ?? map.share)} of the row on the image`;
}

// The word that stands in where a model never said the chosen one; null where it said it, or was chosen by hand.
export function follows(state, selection, letter) {
  const lead = selection.model;
  const [from, to] = [state.runs[lead], state.runs[letter]];
  if (letter === lead || !from || !to || selection.own[letter] || selection.query[letter] === null) return null;
  const index = wordOfToken(from, selection.query[lead]);
  if (index < 0 || sameWord(from, index, to) >= 0) return null;
  return wordLabel(to.words[wordOfToken(to, selection.query[letter])]);
}

export function cellWords(letter, media, place) {
  const grid = letter === "A" ? media.patch_grid : media.token_grid;
  const { row, column, index } = cellAt(place, grid);
  const [x1, y1, x2, y2] = cellBox(row, column, media.size, grid).map(Math.round);
  const name = letter === "A" ? "patch" : "token";
  return `${name} ${count(index)}, cell (${row}, ${column}), box ${x1}, ${y1} to ${x2}, ${y2} of the original`;
}

// Parts of the sentence of a view: [text, bold, text] each.
export function statusParts(ctx, state, selection, sentence) {
  if (!LETTERS.some((letter) => state.runs[letter])) {
    const busy = LETTERS.map((letter) => state.live[letter]).find(Boolean);
    return [[busy ? busy.step : "No run yet: ask a question, or start from an example."]];
  }
  return sentence(ctx, state, selection);
}

export function statusHint(state, selection) {
  if (state.preview) return "Click to lock";
  const locked = selection.keys || LETTERS.some((letter) => selection.query[letter] !== null);
  return locked ? "Locked. Esc lets go" : "Hover to look, click to lock";
}

export const otherHasNoRow = (state, selection) => follows(state, selection, other(selection.model));
