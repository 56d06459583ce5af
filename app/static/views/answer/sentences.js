// What the Answer view says of itself: how to read it, and its status line.

import { said, say } from "../../language/i18n.js";
import { count, percent } from "../../language/numbers.js";
import { LETTERS, choices } from "../../state/selection.js";
import { cellInTime } from "../../state/time.js";
import { chosenLabel, tokenLabel, wordLabel, wordOfToken, wordPredictedBy } from "../../state/words.js";
import { weightsNote } from "../../drawing/honest.js";
import { drawnGrid, drawnValues } from "../../drawing/ladder.js";
import { chosenCells, chosenRegion } from "../../drawing/places.js";
import { cellWords, rowWords } from "./row_words.js";
import { points } from "./over_map.js";

/** @import { Attended, Both, Context, Letter, Run, Selection, State, StatusParts } from "../../core/types.d.ts" */

/** @typedef {{ cells?: number[], key?: number | null }} KeyRead the cells or the token whose column is on show */

/** @param {Run} run @param {KeyRead} reading */
export function keyName(run, reading) {
  const { cells = [], key = null } = reading;
  if (cells.length > 1) return say("{n} chosen cells", { n: count(cells.length) });
  if (cells.length || key === null) return say("the chosen cell");
  return say("token {token} {text}", { token: count(key), text: tokenLabel(run, key) });
}

// A row of the language model by what it does: the word of the answer it predicts, else the token it belongs to.
/** @param {Run} run @param {number} row */
export function rowLabel(run, row) {
  const word = run.words[wordPredictedBy(run, row)];
  if (word) return say("row {row}, predicts “{word}”", { row: count(row), word: wordLabel(word) });
  return say("row {row}, {text}", { row: count(row), text: tokenLabel(run, row) });
}

/** @param {Selection} selection @param {Both<Run | null>} runs */
function plotted(selection, runs) {
  const averaged = (/** @type {Selection["head"]} */ pair) =>
    LETTERS.some((letter) => runs[letter] && pair[letter] === "mean");
  if (selection.swap) return say("A column: what each row that may see the key gives to it, exact.");
  if (choices(selection, "answer").scale === "difference")
    return say(
      "A minus B by area on one grid, each map scaled to sum to 1. IoU: of the two halves. JS: 0 same, 1 apart.",
    );
  if (selection.also.A.length || selection.also.B.length)
    return say("The mean of several rows, each exact and of equal weight. Only the part on the image is drawn.");
  return averaged(selection.head) || averaged(selection.layer)
    ? say("A row averaged over heads or layers, exact. Only the part on the image is drawn.")
    : say("One row of one head, exact. Only the part that falls on the image is drawn.");
}

/** @param {Selection} selection */
function normalised(selection) {
  const { mode, scale } = choices(selection, "answer");
  if (selection.swap) return say("Colours run to the column's maximum. Printed weights are of each reading row.");
  if (scale === "difference")
    return say("Both sides run to the largest difference, in even shares. Zero is bare picture.");
  if (mode === "sinks") return say("Sinks count 0, nothing is scaled up to make good. What was removed is printed.");
  if (mode === "neutral") return say("Both maps scaled to sum to 1, then subtracted: teal more, rose less, zero bare.");
  return say("Colours run to the maximum of each scale. Printed shares are of the whole row.");
}

/** @param {Selection} selection @param {Both<Run | null>} runs */
export function honest(selection, runs) {
  const note = weightsNote(LETTERS.map((letter) => runs[letter]));
  return [
    [say("Plotted"), plotted(selection, runs)],
    [say("Normalised"), normalised(selection)],
    [say("Not shown"), `${say("A high share is no cause. Gradients, rollout: left for later.")} ${note}`.trim()],
  ];
}

/** @param {Context} ctx @param {State} state @param {Letter} letter */
function swapped(ctx, state, letter) {
  const run = state.runs[letter];
  const reading = run && ctx.reading(letter);
  if (!run || !reading?.value) return reading?.error ? said(reading.error) : say("no column yet");
  const best = reading.value.strongest[0];
  if (best === undefined) return say("{key}, no later row reads it", { key: keyName(run, reading) });
  const gaps = { key: keyName(run, reading), row: rowLabel(run, best), share: percent(reading.value.values[best]) };
  return say("{key}, read most by {row}: {share} of it", gaps);
}

// How much of a row falls on the chosen place.
/** @param {Attended} map @param {Selection} selection */
function placedWords(map, selection) {
  const region = chosenRegion(selection, map);
  if (region) {
    if (region.share === null) return null;
    return say("region: {map} of its image attention, {part} of the row", {
      map: percent(region.ofMap),
      part: percent(region.share),
    });
  }
  const pin = chosenCells(selection, map.unit, drawnGrid(map), drawnValues(map));
  if (!pin || pin.sum === null) return null;
  if (map.mode === "neutral")
    return say("{cell}: {points} against the neutral row", { cell: pin.text, points: points(pin.sum) });
  return say("{cell}: {share} of the row", { cell: pin.text, share: percent(pin.sum) });
}

// What the status line says of this view.
/** @param {Context} ctx @param {State} state @param {Selection} selection @returns {StatusParts} */
export function status(ctx, state, selection) {
  const run = state.runs[selection.model];
  const token = selection.query[selection.model];
  const label = chosenLabel(run, token);
  if (selection.swap && (label || selection.keys || selection.region))
    return [
      [say("column, query and key swapped")],
      ...LETTERS.map((letter) => ["", letter, ` ${swapped(ctx, state, letter)}`]),
    ];
  const { keys } = selection;
  if (!label && keys && !selection.region)
    return [
      [say("a place on the picture")],
      ...LETTERS.flatMap((letter) => {
        const there = state.runs[letter];
        const media = there?.media[selection.media];
        return media ? [["", letter, ` ${cellWords(there, media, keys)}`]] : [];
      }),
    ];
  if (!label) return [[say("Nothing is chosen: point at a word of an answer to see the row that predicts it.")]];
  const kind = run && wordOfToken(run, token) >= 0 ? `${say("answer word")} ` : "";
  const words = (/** @type {Letter} */ letter) => {
    const now = { ...selection, frame: cellInTime(state, selection, letter) };
    return ` ${rowWords(ctx, letter, state, selection, (map) => placedWords(map, now))}`;
  };
  return [[kind, label], ...LETTERS.map((letter) => ["", letter, words(letter)])];
}
