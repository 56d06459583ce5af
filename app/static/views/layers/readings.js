// The same word layer by layer, and the likeliest words of one state.

import { el, findAll, isDark, refill, toggle } from "../../core/dom.js";
import { hasAdapter } from "../../core/families.js";
import { said, say } from "../../language/i18n.js";
import { percent } from "../../language/numbers.js";
import { cellInTime } from "../../state/time.js";
import { chosenLabel } from "../../state/words.js";
import { paintGrid } from "../../drawing/thumbnails.js";
import { READING, layerChoice, tokenOf, visualToken } from "./asked.js";
import { layersOf } from "./lens_curves.js";
import { quoted, reveal } from "./lens_table.js";

/** @import { LayersColumn, Look, PicturedLook } from "./asked.js" */
/** @import { Answer, Context, Resource, Selection, State } from "../../core/types.d.ts" */

const THUMB = [64, 44];

/** @type {(ctx: Context, view: LayersColumn, look: PicturedLook, state: State, selection: Selection) => void} */
export function drawThumbs(ctx, view, { run, media, word, layer }, state, selection) {
  const value = word?.value;
  toggle(view.thumbs, "idle", !value);
  if (!value) return;
  const [, rows, columns] = media.token_grid;
  const time = cellInTime(state, selection, view.letter);
  const pick = (/** @type {number} */ index) => ctx.actions.choose("layers", layerChoice(view.letter, index));
  const stamp = [run.id, value.id, media.index, time, isDark()];
  const made = refill(view.thumbs, stamp, () =>
    Array.from({ length: layersOf(run) }, (_, index) => {
      const canvas = el("canvas", { "aria-hidden": "true" });
      const from = index * value.values.shape[1] + time * rows * columns;
      paintGrid(canvas, value.values.subarray(from, from + rows * columns), [rows, columns], THUMB, 1, value.most);
      return el(
        "button",
        {
          type: "button",
          class: "lens-thumb",
          "data-part": "lens-thumb",
          "data-layer": index,
          "aria-label": say("layer {n}", { n: index }),
          onclick: () => pick(index),
        },
        canvas,
        el("span", { text: index }),
      );
    }),
  );
  findAll("button", view.thumbs).forEach((button) =>
    button.setAttribute("aria-pressed", String(Number(button.dataset.layer) === layer)),
  );
  if (made || view.thumbs.dataset.layer !== String(layer)) reveal(view.thumbs, view.thumbs.children[layer], layer);
}

// The five likeliest at one layer, and the first of every layer.
/**
 * @param {HTMLElement} root
 * @param {Resource<Answer<"lens_token">>} answer
 * @param {string} title
 * @param {number} layer
 */
function drawReading(root, answer, title, layer) {
  const { value, error } = answer;
  const key = [title, layer, value?.token, Boolean(value), error];
  refill(root, key, () => {
    if (error) return [el("h4", { text: title }), el("span", { class: "faint", text: said(error) })];
    if (!value) return [el("h4", { text: title }), el("span", { class: "faint", text: say(READING) })];
    const [, wide] = value.probabilities.shape;
    return [
      el("h4", { text: title }),
      ...value.texts[layer].map((text, rank) =>
        el(
          "div",
          { class: "lens-choice" },
          el("span", { text: quoted(text) }),
          el(
            "span",
            { class: "bar-track" },
            el("i", { style: { width: `${100 * value.probabilities[layer * wide + rank]}%` } }),
          ),
          el("span", { text: percent(value.probabilities[layer * wide + rank]) }),
        ),
      ),
    ];
  });
}

/** @type {(ctx: Context, view: LayersColumn, look: Look, state: State, selection: Selection) => void} */
export function drawReadings(ctx, view, { run, media, layer }, state, selection) {
  const token = selection.query[view.letter];
  const label = chosenLabel(run, token);
  const before = token !== null && token > 0 ? tokenOf(ctx, state, run, token - 1, `lens row ${view.letter}`) : null;
  view.before.hidden = !before;
  if (before) drawReading(view.before, before, say("Before {word}, layer {n}", { word: label, n: layer }), layer);
  view.at.hidden = !media;
  if (!media) return;
  const here = visualToken({ run, media }, state, selection, view.letter);
  const name = hasAdapter(run)
    ? say("Query {n}, layer {layer}", { n: here.row * media.token_grid[2] + here.column, layer })
    : say("Token ({row}, {column}), layer {layer}", { ...here, layer });
  drawReading(view.at, tokenOf(ctx, state, run, here.token, `lens cell ${view.letter}`), name, layer);
}
