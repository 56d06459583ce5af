// The likeliest word before each word of the answer, a row a layer: a table that drives the view.

import { css, inkOn, tide } from "../../core/colour.js";
import { around, el, find, findAll, isDark, refill, toggle } from "../../core/dom.js";
import { say } from "../../language/i18n.js";
import { percent } from "../../language/numbers.js";
import { wordLabel, wordOfToken } from "../../state/words.js";
import { layerChoice } from "./asked.js";
import { layersOf } from "./lens_curves.js";

/** @import { LayersColumn, Look } from "./asked.js" */
/** @import { Answer, Context, Letter, Run, Selection } from "../../core/types.d.ts" */

const COLUMN = 58;

/** @param {string} text */
const flatten = (text) => text.replace(/\n/g, "⏎");
/** @param {string} text */
export const quoted = (text) => `“${flatten(text).trim() || flatten(text)}”`;

// Deep models have more layers than fit: scroll the strip or the table, and nothing else, to one of them.
/** @param {HTMLElement} scroller @param {Element} child @param {number} layer */
export function reveal(scroller, child, layer) {
  scroller.dataset.layer = String(layer);
  const [box, at] = [scroller, child].map((element) => element.getBoundingClientRect());
  if (at.left < box.left || at.right > box.right)
    scroller.scrollLeft += at.left + at.width / 2 - (box.left + box.width / 2);
  if (at.top < box.top || at.bottom > box.bottom)
    scroller.scrollTop += at.top + at.height / 2 - (box.top + box.height / 2);
}

// The words that fit, around the chosen one.
/** @param {Run} run @param {number} chosen @param {number} room */
function windowOf(run, chosen, room) {
  const shown = Math.max(1, Math.min(run.words.length, Math.floor(room / COLUMN)));
  const first = Math.max(0, Math.min(run.words.length - shown, chosen - Math.floor(shown / 2)));
  return Array.from({ length: shown }, (_, index) => first + index);
}

/** @param {HTMLElement} cell @param {string} text @param {number} share */
function paintCell(cell, text, share) {
  const colour = tide(Math.min(1, share), isDark());
  cell.style.setProperty("--cell", css(colour));
  cell.style.setProperty("--cell-ink", inkOn(colour));
  cell.textContent = flatten(text).trim() || "␣";
}

/** @type {(ctx: Context, letter: Letter, run: Run, lens: Answer<"lens">, layer: number, word: number) => HTMLElement} */
function lensCell(ctx, letter, run, lens, layer, word) {
  const at = run.words[word].tokens[0] - run.answer_start;
  const share = lens.top[layer * lens.top.shape[1] + at];
  const name = say("layer {n}, before {word}: reads as {top}, {share}", {
    n: layer,
    word: quoted(wordLabel(run.words[word])),
    top: quoted(lens.texts[layer][at]),
    share: percent(share),
  });
  const cell = el("button", {
    type: "button",
    class: "lens-cell",
    "data-part": "lens-cell",
    tabindex: "-1",
    "data-layer": layer,
    "data-word": word,
    title: name,
    "aria-label": name,
    onclick: () => {
      ctx.actions.lockWord(letter, word);
      ctx.actions.choose("layers", layerChoice(letter, layer));
    },
  });
  paintCell(cell, lens.texts[layer][at], share);
  return cell;
}

/** @type {Record<string, [layers: number, words: number]>} */
const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** @param {Context} ctx @param {LayersColumn} view @param {KeyboardEvent} event */
export function stepCell(ctx, view, event) {
  const by = MOVES[event.key];
  const from = around(event, ".lens-cell");
  const run = ctx.run(view.letter);
  if (!by || !from || !run) return;
  event.preventDefault();
  event.stopPropagation();
  const layer = Math.max(0, Math.min(layersOf(run) - 1, Number(from.dataset.layer) + by[0]));
  const word = Math.max(0, Math.min(run.words.length - 1, Number(from.dataset.word) + by[1]));
  ctx.actions.lockWord(view.letter, word);
  ctx.actions.choose("layers", layerChoice(view.letter, layer));
  requestAnimationFrame(() =>
    requestAnimationFrame(() => find(`[data-layer="${layer}"][data-word="${word}"]`, view.table)?.focus()),
  );
}

/** @param {Context} ctx @param {LayersColumn} view @param {Look} look @param {Selection} selection */
export function drawTable(ctx, view, { run, lens, layer }, selection) {
  const value = lens.value;
  toggle(view.cells.table, "idle", !value || !run.words.length);
  if (!value || !run.words.length) return;
  const chosen = Math.max(0, wordOfToken(run, selection.query[view.letter]));
  const words = windowOf(run, chosen, (view.table.clientWidth || 300) - 30);
  const made = refill(view.table, [run.id, words, isDark()], () => [
    el(
      "div",
      { class: "lens-row" },
      el("span", { class: "axis" }),
      ...words.map((word) => el("span", { class: "lens-head", text: wordLabel(run.words[word]) })),
    ),
    ...Array.from({ length: layersOf(run) }, (_, index) =>
      el(
        "div",
        { class: "lens-row" },
        el("span", { class: "axis", text: index }),
        ...words.map((word) => lensCell(ctx, view.letter, run, value, index, word)),
      ),
    ),
  ]);
  findAll(".lens-cell", view.table).forEach((cell) => {
    const here = Number(cell.dataset.layer) === layer && Number(cell.dataset.word) === chosen;
    cell.setAttribute("aria-selected", String(here));
    cell.tabIndex = here ? 0 : -1;
  });
  if (made || view.table.dataset.layer !== String(layer)) reveal(view.table, view.table.children[layer + 1], layer);
}
