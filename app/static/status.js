// The status line: one sentence that is always true of what is on screen.

import { cellAt, cellBox, cellSize } from "./geometry.js";
import { count, percent, pixels } from "./numbers.js";
import { LETTERS, other } from "./store.js";
import { chosenLabel, sameWord, wordLabel, wordOfToken } from "./words.js";

const where = (map) =>
  `language ${map.layer === "mean" ? "mean of layers" : `layer ${map.layer}`} ${map.head === "mean" ? "mean of heads" : `head ${map.head}`}`;

function rowWords(ctx, letter, state, selection) {
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

function answer(ctx, state, selection) {
  const run = state.runs[selection.model];
  const token = selection.query[selection.model];
  const label = chosenLabel(run, token);
  if (!label) return [["Nothing is chosen: point at a word of an answer to see the row that predicts it."]];
  return [
    [wordOfToken(run, token) >= 0 ? "answer word " : "", label],
    ...LETTERS.map((letter) => ["", letter, ` ${rowWords(ctx, letter, state, selection)}`]),
  ];
}

function cellWords(letter, media, place) {
  const grid = letter === "A" ? media.patch_grid : media.token_grid;
  const { row, column, index } = cellAt(place, grid);
  const [x1, y1, x2, y2] = cellBox(row, column, media.size, grid).map(Math.round);
  const name = letter === "A" ? "patch" : "token";
  return `${name} ${count(index)}, cell (${row}, ${column}), box ${x1}, ${y1} to ${x2}, ${y2} of the original`;
}

function patches(ctx, state, selection) {
  const parts = LETTERS.filter((letter) => state.runs[letter]?.media[selection.media]).map((letter) => {
    const media = state.runs[letter].media[selection.media];
    if (selection.keys) return ["", letter, ` ${cellWords(letter, media, selection.keys)}`];
    const [width, height] = cellSize(media.size, media.patch_grid);
    const number = media.patch_grid.reduce((product, size) => product * size, 1);
    return ["", letter, ` ${count(number)} patches, ${pixels(width)} × ${pixels(height)} px of the original each`];
  });
  return [[selection.keys ? "a place on the picture" : "the grids on the original picture"], ...parts];
}

function adapter(ctx, state, selection) {
  const parts = [["adapter query ", String(selection.adapter.query)]];
  const map = state.runs.A && ctx.adapterMap();
  const heads = selection.adapter.head === "mean" ? "mean of the heads" : `head ${selection.adapter.head}`;
  if (map)
    parts.push([
      "",
      "A",
      ` ${heads}, at most ${percent(map.max)} of the row in one patch, ${count(map.half.length)} of ${count(map.values.length)} patches hold half`,
    ]);
  const media = state.runs.B?.media[selection.media];
  if (media) {
    const place = ctx.adapterPlace(selection);
    const { row, column } = cellAt(place, media.token_grid);
    parts.push(["", "B", ` at that place token (${row}, ${column}), four patches, no attention`]);
  }
  return parts;
}

function positions(ctx, state, selection) {
  const parts = LETTERS.filter((letter) => state.runs[letter] && selection.query[letter] !== null).map((letter) => {
    const run = state.runs[letter];
    const [t, h, w] = run.positions.map((lane) => lane[selection.query[letter]]);
    return [
      "",
      letter,
      ` token ${count(selection.query[letter])} ${letter === "A" ? `has id ${t}` : `has ids t ${t}, h ${h}, w ${w}`}`,
    ];
  });
  const largest = LETTERS.filter((letter) => state.runs[letter]).map((letter) => [
    "",
    letter,
    ` ${count(state.runs[letter].account.prompt_tokens)} prompt tokens, largest id ${count(state.runs[letter].account.largest_position)}`,
  ]);
  return [[parts.length ? "a token and its ids" : "the ids of the prompt"], ...(parts.length ? parts : largest)];
}

const SENTENCES = { answer, patches, adapter, positions };

export function statusParts(ctx, state, selection) {
  if (!LETTERS.some((letter) => state.runs[letter])) {
    const busy = LETTERS.map((letter) => state.live[letter]).find(Boolean);
    return [[busy ? busy.step : "No run yet: ask a question, or start from an example."]];
  }
  return SENTENCES[selection.view](ctx, state, selection);
}

export function statusHint(state, selection) {
  if (state.preview) return "Click to lock";
  const locked = selection.keys || LETTERS.some((letter) => selection.query[letter] !== null);
  return locked ? "Locked. Esc lets go" : "Hover to look, click to lock";
}

export const otherHasNoRow = (state, selection) => follows(state, selection, other(selection.model));
