// Layer x head matrix of one statistic of a row, with the means as a last row and column. It drives the map: click a
// cell, or arrows. Too large for numbers in its cells, it shows them through a lens.

import { around, el, find, findAll, isDark, refill, toggle } from "../core/dom.js";
import { css, inkOn, tide } from "../core/colour.js";
import { say } from "../language/i18n.js";
import { cellNumber, count, percent } from "../language/numbers.js";

/** @import { Choice, Decoded, Floats, MatrixGestures, Statistics } from "../core/types.d.ts" */

/** @typedef {Decoded<Statistics>} Found */

/**
 * What can be asked of a row at every layer and head: its title, what it means, the far end of its colours, its words.
 * @typedef {object} Statistic
 * @property {() => string} title
 * @property {(found: Found | null) => string} means
 * @property {(found: Found) => Floats} values
 * @property {(found: Found) => number} most
 * @property {(value: number) => string} short
 * @property {(value: number) => string} long
 */

/** @param {Floats} values */
function axes(values) {
  const [layers, heads] = values.shape;
  /** @type {(size: number) => Choice[]} */
  const list = (size) => [...Array(size).keys(), ...(size > 1 ? [/** @type {Choice} */ ("mean")] : [])];
  return { layers, heads, rows: list(layers), columns: list(heads) };
}

// The statistic at a layer and head; "mean" over either or both is the plain average of those that have one.
/** @param {Floats} values @param {Choice} layer @param {Choice} head */
export function shareAt(values, layer, head) {
  const [layers, heads] = values.shape;
  /** @param {Choice} one @param {number} size */
  const pick = (one, size) => (one === "mean" ? [...Array(size).keys()] : [one]);
  const found = pick(layer, layers).flatMap((row) => pick(head, heads).map((column) => values[row * heads + column]));
  const known = found.filter((value) => !Number.isNaN(value));
  return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : NaN;
}

/** @param {number} value */
const bits = (value) => value.toFixed(1);
/** @param {number} value */
const shareWords = (value) => say("{share} of the row on the image", { share: percent(value) });

/** @type {Record<string, Statistic>} */
export const STATISTICS = {
  share: {
    title: () => say("Share on the image, %"),
    means: () => say("How much of the row falls on visual tokens, of all pictures together."),
    values: (found) => found.share,
    most: () => 1,
    short: cellNumber,
    long: shareWords,
  },
  entropy: {
    title: () => say("Entropy, bits"),
    means: (found) =>
      say(
        "How evenly the row's map is spread over this picture, scaled to sum to 1: 0 where one cell holds all, {even} where all are equal.",
        {
          even: bits(found?.even_entropy ?? 0),
        },
      ),
    values: (found) => found.entropy,
    most: (found) => found.even_entropy,
    short: bits,
    long: (value) => say("entropy {bits} bits", { bits: value.toFixed(2) }),
  },
  distance: {
    title: () => say("Distance, px"),
    means: (found) =>
      say(
        "How far the row's map spreads: the mean distance of its cells from its own centre of mass, in pixels of the original. An even map: {even} px.",
        {
          even: count(found?.even_distance ?? 0),
        },
      ),
    values: (found) => found.distance,
    most: (found) => found.distance.reduce((most, value) => (value > most ? value : most), found.even_distance),
    short: count,
    long: (value) => say("mean distance {px} px from the map's centre of mass", { px: value.toFixed(1) }),
  },
  sinks: {
    title: () => say("Share on sinks, %"),
    means: () =>
      say(
        "How much of the row falls on sinks of its layer: keys that draw at least 8 even shares (mean of heads) from at least three quarters of the rows after them.",
      ),
    values: (found) => found.sinks,
    most: () => 1,
    short: cellNumber,
    long: (value) => say("{share} of the row on sinks", { share: percent(value) }),
  },
};

/** @param {Choice} one */
const layerName = (one) => (one === "mean" ? say("mean of all layers") : say("layer {layer}", { layer: one }));
/** @param {Choice} one */
const headName = (one) => (one === "mean" ? say("mean of all heads") : say("head {head}", { head: one }));
/** @param {Choice} one */
const axisWord = (one) => (one === "mean" ? say("mean") : one);

/** @type {Record<string, [rows: number, columns: number]>} */
const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const DEEP = 16; // layers above which rows are as low as may be
const LENS = 2; // cells to each side of the one under the pointer

/**
 * @param {string | undefined} text
 * @returns {Choice}
 */
const which = (text) => (text === "mean" ? "mean" : Number(text));
/**
 * @param {HTMLElement} cell
 * @returns {[layer: Choice, head: Choice]}
 */
export const place = (cell) => [which(cell.dataset.layer), which(cell.dataset.head)];
/** @param {Event} event */
const cellUnder = (event) => around(event, "[data-layer]");
/** @param {Choice} one @param {boolean} small */
const labelled = (one, small) => (small && one !== "mean" && one % 4 ? "" : axisWord(one));

/** @param {Choice[]} columns @param {boolean} small */
function headingRow(columns, small) {
  const room = columns.at(-1) === "mean" ? columns.length - 5 : Infinity; // "mean" takes the place of those before it
  const words = (/** @type {Choice} */ head) => (small && Number(head) >= room ? "" : labelled(head, small));
  const cells = columns.map((head) => el("span", { class: "axis", role: "columnheader", text: words(head) }));
  return el("div", { class: "matrix-row", role: "row" }, el("span", { class: "axis" }), ...cells);
}

/** @param {Choice} layer @param {Choice[]} columns @param {boolean} small */
function cellRow(layer, columns, small) {
  /** @param {Choice} head */
  const cell = (head) =>
    el("button", {
      type: "button",
      class: "matrix-cell",
      "data-part": "matrix-cell",
      role: "gridcell",
      tabindex: "-1",
      "data-layer": layer,
      "data-head": head,
    });
  const label = el("span", { class: "axis", role: "rowheader", text: labelled(layer, small) });
  return el("div", { class: "matrix-row", role: "row" }, label, ...columns.map(cell));
}

/** @typedef {{ values: Floats, most: number, statistic: string, dark: boolean }} Drawn */

export class Matrix {
  /** @param {MatrixGestures} gestures */
  constructor({ letter, onhover, onpick }) {
    const label = say("By layer and head, model {letter}", { letter });
    this.grid = el("div", { class: "matrix", role: "grid", "aria-label": label });
    this.lens = el("div", { class: "matrix-lens", "aria-hidden": "true", hidden: true });
    this.root = el("div", { class: "matrix-frame" }, this.grid, this.lens);
    this.onpick = onpick;
    /** @type {[layer: Choice, head: Choice]} */
    this.chosen = [0, 0];
    /** @type {Drawn | null} */
    this.drawn = null;
    /** @type {ReturnType<typeof axes>} */
    this.shape = { layers: 0, heads: 0, rows: [], columns: [] };
    this.small = false;
    this.listen(onhover, onpick);
  }

  /** @param {MatrixGestures["onhover"]} onhover @param {MatrixGestures["onpick"]} onpick */
  listen(onhover, onpick) {
    const { grid } = this;
    grid.addEventListener("click", (event) => {
      const cell = cellUnder(event);
      if (cell) onpick(...place(cell));
    });
    grid.addEventListener("pointerover", (event) => {
      const cell = cellUnder(event);
      if (event.pointerType !== "mouse" || !cell) return;
      onhover(...place(cell));
      this.magnify(cell);
    });
    grid.addEventListener("pointerleave", () => {
      onhover(null);
      this.lens.hidden = true;
    });
    grid.addEventListener("keydown", (event) => {
      if (!MOVES[event.key]) return;
      event.preventDefault();
      event.stopPropagation();
      this.step(...MOVES[event.key]);
    });
  }

  /** @param {number} rowBy @param {number} columnBy */
  step(rowBy, columnBy) {
    const at = (/** @type {Choice[]} */ list, /** @type {Choice} */ from, /** @type {number} */ by) =>
      list[Math.min(list.length - 1, Math.max(0, list.indexOf(from) + by))];
    const [layer, head] = [
      at(this.shape.rows, this.chosen[0], rowBy),
      at(this.shape.columns, this.chosen[1], columnBy),
    ];
    const focus = () => this.cell(layer, head)?.focus();
    this.onpick(layer, head);
    requestAnimationFrame(() => requestAnimationFrame(focus));
  }

  /** @param {Choice} layer @param {Choice} head */
  cell(layer, head) {
    return find(`[data-layer="${layer}"][data-head="${head}"]`, this.grid);
  }

  // `values` (layers, heads) of a statistic of STATISTICS; `most` is the far end of its colours.
  /** @param {{ values: Floats, most: number, statistic: string, layer: Choice, head: Choice }} what */
  update({ values, most, statistic, layer, head }) {
    this.shape = axes(values);
    const { layers, heads, rows, columns } = this.shape;
    this.small = heads > 8 || layers > 8;
    this.root.classList.toggle("small", this.small);
    this.root.classList.toggle("deep", layers > DEEP);
    this.grid.style.setProperty("--columns", String(columns.length));
    const remade = refill(this.grid, [layers, heads], () => [
      headingRow(columns, this.small),
      ...rows.map((each) => cellRow(each, columns, this.small)),
    ]);
    const [drawn, was] = [{ values, most, statistic, dark: isDark() }, this.drawn];
    const same =
      !remade && was?.values === values && was.most === most && was.statistic === statistic && was.dark === drawn.dark;
    this.drawn = drawn;
    if (!same) findAll("[data-layer]", this.grid).forEach((cell) => this.paint(cell, drawn));
    this.choose(layer, head);
  }

  /** @param {HTMLElement} cell @param {Drawn} drawn */
  paint(cell, drawn) {
    const { values, statistic } = drawn;
    const [layer, head] = place(cell);
    const value = shareAt(values, layer, head);
    const long = Number.isNaN(value) ? say("nothing of the row on this picture") : STATISTICS[statistic].long(value);
    const words = `${layerName(layer)}, ${headName(head)}: ${long}`;
    this.colour(cell, value, this.small, drawn);
    cell.title = this.small ? "" : words;
    cell.setAttribute("aria-label", words);
  }

  /** @param {HTMLElement} cell @param {number} value @param {boolean} bare @param {Drawn} drawn */
  colour(cell, value, bare, { most, statistic, dark }) {
    const colour = tide(most > 0 && !Number.isNaN(value) ? value / most : 0, dark);
    cell.style.setProperty("--cell", css(colour));
    cell.style.setProperty("--cell-ink", inkOn(colour));
    cell.textContent = bare ? "" : Number.isNaN(value) ? "–" : STATISTICS[statistic].short(value);
  }

  /** @param {Choice} layer @param {Choice} head */
  choose(layer, head) {
    this.chosen = [layer, head];
    const was = findAll('[aria-selected="true"]', this.grid);
    const now = this.cell(layer, head);
    was.forEach((cell) => cell !== now && cell.setAttribute("aria-selected", "false"));
    was.forEach((cell) => cell !== now && (cell.tabIndex = -1));
    now?.setAttribute("aria-selected", "true");
    if (now) now.tabIndex = 0;
  }

  // Three times as large, with numbers: the cells around the one under the pointer.
  /** @param {HTMLElement} cell */
  magnify(cell) {
    const { drawn } = this;
    this.lens.hidden = !this.small;
    if (!this.small || !drawn) return;
    const { rows, columns } = this.shape;
    const [layer, head] = place(cell);
    /** @param {Choice[]} list @param {Choice} one */
    const near = (list, one) => {
      const from = Math.max(0, Math.min(list.length - 2 * LENS - 1, list.indexOf(one) - LENS));
      return list.slice(from, from + 2 * LENS + 1);
    };
    const shown = near(columns, head);
    const line = (/** @type {Choice} */ each) =>
      shown.map((column) => {
        const one = el("span", { class: "lens-cell", "data-part": "lens-cell" });
        this.colour(one, shareAt(drawn.values, each, column), false, drawn);
        toggle(one, "here", each === layer && column === head);
        return one;
      });
    const title = el("span", { class: "lens-title", text: `${layerName(layer)}, ${headName(head)}` });
    this.lens.style.setProperty("--columns", String(shown.length));
    this.lens.replaceChildren(title, ...near(rows, layer).flatMap(line));
    const below = cell.offsetTop < this.grid.clientHeight / 2;
    const top = below ? cell.offsetTop + cell.offsetHeight + 10 : cell.offsetTop - this.lens.offsetHeight - 10;
    this.lens.style.top = `${top}px`;
    this.lens.style.left = `${Math.max(0, Math.min(this.grid.clientWidth - 170, cell.offsetLeft - 80))}px`;
  }
}
