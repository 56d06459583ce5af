// Places on the picture: the cells that are pointed at, what they are in the model, and how much falls on them.

import { hasAdapter } from "../core/families.js";
import { cellAt, cellBox, cellsOf, placeOf, regionSum, rowAndColumn } from "../core/geometry.js";
import { say } from "../language/i18n.js";
import { count, percent } from "../language/numbers.js";
import { drawnGrid, drawnValues } from "./ladder.js";

/** @import { Attended, Context, Grid, Letter, Media, Numbers, Place, Run, Selection } from "../core/types.d.ts" */

/** @param {Selection} selection @param {Grid} grid */
export const frameOf = (selection, [frames]) => Math.min(selection.frame, frames - 1);

/** @param {string} unit @param {number} row @param {number} column */
const cellName = (unit, row, column) =>
  unit === "patch" ? say("patch ({row}, {column})", { row, column }) : say("token ({row}, {column})", { row, column });

// The chosen cells of a model's own grid: where they are, and their sum where there is a map.
/** @param {Selection} selection @param {string} unit @param {Grid} grid @param {Numbers | null} values */
export function chosenCells(selection, unit, grid, values) {
  if (!selection.keys || selection.region) return null;
  const cells = cellsOf(selection, grid);
  const places = cells.map((cell) => rowAndColumn(cell, grid));
  const [first] = places;
  const sum = values ? cells.reduce((total, cell) => total + values[cell], 0) : null;
  const text = cells.length === 1 ? cellName(unit, ...first) : say("{n} cells", { n: count(cells.length) });
  const outlines = places.map(([row, column]) => ({ box: cellBox(row, column, [1, 1], grid), kind: "key" }));
  return { cells, sum, text, outlines, place: placeOf(...first, grid), signed: false };
}

// A rectangle of the picture: what of the map and of the row lies in it.
/** @param {Selection} selection @param {Attended | null} map */
export function chosenRegion(selection, map) {
  if (!selection.region) return null;
  const [left, top] = selection.region;
  const outlines = [{ box: selection.region, kind: "key" }];
  if (!map || map.mode === "neutral") return { outlines, text: say("region"), corner: [left, top], share: null };
  const sum = regionSum(drawnValues(map), drawnGrid(map), selection.region);
  const drawn = drawnValues(map).reduce((total, value) => total + value, 0);
  const [ofMap, ofRow] = [drawn > 0 ? sum / drawn : 0, sum];
  const text = say("{map} of the map, {row} of the row", { map: percent(ofMap), row: percent(ofRow) });
  return { outlines, text, corner: [left, top], share: ofRow, ofMap };
}

// A rectangle over a map whose cells are shares of one row, or with `column` of as many rows.
/**
 *
 * @param {Selection} selection
 * @param {{ values: Numbers, grid: Grid, column?: boolean }} map
 */
export function sumInRegion(selection, { values, grid, column = false }) {
  if (!selection.region) return null;
  const sum = regionSum(values, grid, selection.region);
  const text = column
    ? say("{rows} rows' worth from the region", { rows: sum.toFixed(2) })
    : say("{share} of the row in the region", { share: percent(sum) });
  const short = column
    ? say("{rows} rows' worth", { rows: sum.toFixed(2) })
    : say("{share} of the row", { share: percent(sum) });
  const [left, top] = selection.region;
  return { sum, text, outline: { box: selection.region, kind: "key" }, label: { text: short, place: [left, top] } };
}

// What a place is in the model. Qwen2-VL: its visual token, where that stands in the prompt, and its ids. Qwen-VL: the
// adapter queries that read the patch most, which are no places themselves.
/** @param {Context} ctx @param {Letter} letter @param {Run} run @param {Media} media @param {Selection} selection */
export function placeLines(ctx, letter, run, media, selection) {
  if (!selection.keys || selection.region) return [];
  const place = selection.keys;
  return hasAdapter(run) ? readerLines(ctx, letter, media, selection, place) : tokenLines(run, media, selection, place);
}

/** @param {Run} run @param {Media} media @param {Selection} selection @param {Place} place */
function tokenLines(run, media, selection, place) {
  const grid = media.token_grid;
  const index = frameOf(selection, grid) * grid[1] * grid[2] + cellAt(place, grid).index;
  const token = media.first_token + index;
  const [t, h, w] = run.positions.map((lane) => lane[token]);
  return [
    [say("visual token {index}", { index: count(index) }), ""],
    ["", say("prompt position {token}, its row {token}", { token: count(token) })],
    ["", say("ids t {t}, h {h}, w {w}", { t, h, w })],
  ];
}

/**
 * @param {Context} ctx
 * @param {Letter} letter
 * @param {Media} media
 * @param {Selection} selection
 * @param {Place} place
 */
function readerLines(ctx, letter, media, selection, place) {
  const readers = ctx.patchReaders(letter);
  if (!readers) return [];
  const grid = media.patch_grid;
  const patch = frameOf(selection, grid) * grid[1] * grid[2] + cellAt(place, grid).index;
  const each = readers.queries.shape[1];
  const lines = [0, 1, 2].map((at) => [
    say("query {query}", { query: count(readers.queries[patch * each + at]) }),
    ` ${percent(readers.weights[patch * each + at])}`,
  ]);
  const title = say("Of each query's own row, mean of the adapter's heads. A query is no place in the picture.");
  return [["", say("read most by"), title], ...lines, ["", say("a query is no place"), title]];
}
