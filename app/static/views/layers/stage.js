// A word on the visual tokens, drawn on the stage of the Layers view.

import { toggle } from "../../core/dom.js";
import { hasAdapter } from "../../core/families.js";
import { cellAt, cellBox, rowAndColumn } from "../../core/geometry.js";
import { said, say } from "../../language/i18n.js";
import { percent } from "../../language/numbers.js";
import { firstFrameOf } from "../../state/time.js";
import { figures } from "../../drawing/scale.js";
import { READING, visualToken } from "./asked.js";
import { quoted } from "./lens_table.js";

/** @import { LayersColumn, PicturedLook } from "./asked.js" */
/** @import { Context, Letter, Place, Selection, StageGestures, State } from "../../core/types.d.ts" */

export const STAGE_HEIGHT = 204;

/**
 * @param {Context} ctx
 * @param {Letter} letter
 * @returns {StageGestures}
 */
export function boardGestures(ctx, letter) {
  const query = (/** @type {Place} */ place) => {
    const { state } = ctx.store;
    const media = state.runs[letter]?.media[state.selection.media];
    return media ? cellAt(place, media.token_grid).index : 0;
  };
  const board = () => {
    const run = ctx.store.state.runs[letter];
    return run && hasAdapter(run);
  };
  const step = (/** @type {number} */ rows, /** @type {number} */ columns) => {
    const { state } = ctx.store;
    const media = state.runs[letter]?.media[state.selection.media];
    if (!media) return;
    const [, height, width] = media.token_grid;
    const [row, column] = rowAndColumn(state.selection.adapter.query, [1, height, width]);
    const held = (/** @type {number} */ value, /** @type {number} */ size) => Math.max(0, Math.min(size - 1, value));
    ctx.actions.pickQuery(held(row + rows, height) * width + held(column + columns, width));
  };
  return {
    onhover: (place) => (board() ? ctx.actions.hoverQuery(place && query(place)) : ctx.actions.hoverPlace(place)),
    onpick: (place) => (board() ? ctx.actions.pickQuery(query(place)) : ctx.actions.pickPlace(place)),
    onstep: (rows, columns) => (board() ? step(rows, columns) : ctx.actions.stepPlace(letter, rows, columns)),
  };
}

/** @type {(ctx: Context, view: LayersColumn, look: PicturedLook, state: State, selection: Selection) => void} */
export function drawStage(ctx, view, look, state, selection) {
  const { run, media, word, layer, lens } = look;
  const board = hasAdapter(run);
  const here = visualToken(look, state, selection, view.letter);
  const [, rows, columns] = media.token_grid;
  const size = board ? [columns, rows] : media.size;
  const { inner, flat } = ctx.stageBox(view.cells.stage, size, STAGE_HEIGHT);
  toggle(view.cells.stage, "flat", flat);
  const value = word?.value;
  const image = board ? null : ctx.picture("picture", run.id, media.index, firstFrameOf(media, here.time));
  const offset = layer * (value?.values.shape[1] ?? 0) + here.time * rows * columns;
  const late = !lens.fresh || (word && !word.fresh) ? say(READING) : null;
  const error = lens.error ?? word?.error;
  view.stage.update({
    image,
    size,
    box: inner,
    quiet: true,
    cells: value && !error ? { values: value.values, grid: media.token_grid, max: value.most, offset } : null,
    lines: board ? media.token_grid : null,
    outlines: [{ box: cellBox(here.row, here.column, [1, 1], media.token_grid), kind: "query" }],
    label: board ? null : { text: say("token ({row}, {column})", here) },
    dimmed: value ? late : null,
    note: error ? said(error) : value ? null : late,
    frame: offset,
    aria: say("One word on the visual tokens, model {letter}", { letter: view.letter }),
  });
  drawFigures(view, look, here);
}

/** @param {LayersColumn} view @param {PicturedLook} look @param {ReturnType<typeof visualToken>} here */
function drawFigures(view, { run, word, layer }, here) {
  const value = word?.value;
  if (!value) {
    figures(view.side, [
      [String(layer), say("layer on show")],
      ["–", say("choose a word to look for")],
    ]);
    return;
  }
  const width = value.values.shape[1];
  const values = value.values.subarray(layer * width, (layer + 1) * width);
  const most = values.reduce((a, b) => Math.max(a, b), 0);
  figures(view.side, [
    [
      quoted(value.text),
      hasAdapter(run)
        ? say("looked for at every query, layer {n}", { n: layer })
        : say("looked for at every token, layer {n}", { n: layer }),
    ],
    [
      percent(values[here.cell]),
      hasAdapter(run)
        ? say("at query {n}, which is no place", { n: here.row * here.columns + here.column })
        : say("at the chosen one"),
    ],
    [percent(most), say("the most at this layer")],
    [percent(value.most), say("the most of all, layer {n}; end of the scale", { n: value.layer })],
  ]);
}
