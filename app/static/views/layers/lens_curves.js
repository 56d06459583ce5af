// Curves of the Layers view: how likely the chosen word of the answer was after each layer, and how long the states were.

import { setText, toggle } from "../../core/dom.js";
import { say } from "../../language/i18n.js";
import { other } from "../../state/selection.js";
import { chosenLabel } from "../../state/words.js";
import { roundTicks } from "../../drawing/chart.js";

/** @import { LayersColumn, Look } from "./asked.js" */
/** @import { Answer, Context, LayerLine, Letter, Resource, Run, State } from "../../core/types.d.ts" */

/** @param {Run} run */
export const layersOf = (run) => run.sites.language.layers;

/** @typedef {Resource<Answer<"lens">> & { waits?: number }} Lens */

const LONG = 10; // seconds: a reading that may take longer waits until it is asked for
/** @type {Set<string>} */
const begun = new Set(); // runs whose reading was asked for

/** @param {Context} ctx @param {Run} run */
export function beginReading(ctx, run) {
  begun.add(run.id);
  ctx.store.redraw();
}

// Every layer's reading of a run; where it would take long and nobody asked for it, only how long (`waits`, seconds).
/**
 * @param {Context} ctx
 * @param {Run} run
 * @param {Letter} letter
 * @returns {Lens}
 */
export function lensOf(ctx, run, letter) {
  const query = { run: run.id };
  const free = ctx.frozen || !(run.lens_seconds > LONG) || begun.has(run.id) || ctx.client.has("lens", query);
  if (!free) return { value: null, fresh: true, error: null, waits: run.lens_seconds };
  return ctx.client.resource(`lens ${letter}`, "lens", query, { group: run.id });
}

/**
 * @param {Context} ctx
 * @param {State} state
 * @param {Letter} letter
 * @param {string} kind
 * @returns {LayerLine | null}
 */
function saidLine(ctx, state, letter, kind) {
  const run = state.runs[letter];
  if (!run) return null;
  const token = effectiveToken(state, letter);
  const lens = lensOf(ctx, run, letter).value;
  if (!lens || token === null || token < run.answer_start) return null;
  const at = token - run.answer_start;
  const values = Array.from({ length: layersOf(run) }, (_, layer) => lens.said[layer * lens.said.shape[1] + at]);
  return { values, kind, name: `${letter} ${chosenLabel(run, token)}` };
}

/** @param {State} state @param {Letter} letter */
const effectiveToken = (state, letter) => (state.preview?.query ?? state.selection.query)[letter];

/** @param {Context} ctx @param {LayersColumn} view @param {Look} look @param {State} state */
export function drawCurves(ctx, view, { run, lens, layer }, state) {
  const value = lens.value;
  if (!value) return;
  const lines = [
    saidLine(ctx, state, view.letter, "strong"),
    saidLine(ctx, state, other(view.letter), "dashed"),
  ].filter((line) => line !== null);
  const layerName = (/** @type {number} */ n) => say("layer {n}", { n });
  toggle(view.chance.root, "idle", !lines.length);
  if (lines.length)
    view.chance.update({
      width: view.chance.root.clientWidth || 220,
      lines,
      top: 1.08,
      ticks: [0, 0.5, 1],
      reference: null,
      chosen: layer,
      format: (share) => `${Math.round(100 * share)} %`,
      layer: layerName,
    });
  const kinds = Object.entries(value.norms);
  const top = 1.1 * Math.max(...kinds.flatMap(([, values]) => [...values]));
  /** @type {Record<string, string>} */
  const names = { text: say("text"), image: say("image"), answer: say("answer") };
  view.norms.update({
    width: view.norms.root.clientWidth || 220,
    lines: kinds.map(([kind, values]) => ({ values: Array.from(values), kind: `kind-${kind}`, name: names[kind] })),
    top,
    ticks: roundTicks(top),
    reference: null,
    chosen: layer,
    format: (length) => (length >= 1000 ? `${(length / 1000).toFixed(1)}k` : Number(length.toPrecision(3)).toString()),
    layer: layerName,
  });
  setText(view.words, run.words.length ? "" : say("This run has no answer."));
}
