// The frame that views share: two columns whose rows hold the same kind of thing left and right.

import { el } from "../core/dom.js";
import { LETTERS } from "../state/selection.js";
import { honestPanel } from "./honest.js";

/**
 * @import {
 *   Both, Column, HonestItems, Letter, Part, Selection, State, ViewDrawing
 * } from "../core/types.d.ts"
 */

// A column for each letter; `pair(name, part)` puts that part of both side by side, and `rows` does so with all their
// `cells` by name.
/**
 * @template {Column} Made
 * @param {(letter: Letter) => Made} make
 */
export function twoColumns(make) {
  /** @type {Both<Made>} */
  const columns = { A: make("A"), B: make("B") };
  /** @type {(name: string, part: (column: Made) => HTMLElement | undefined) => HTMLElement} */
  const side = (name, part) =>
    el("div", { class: `pair pair-${name}` }, ...LETTERS.map((letter) => part(columns[letter])));
  return {
    columns,
    pair: side,
    rows: () => Object.keys(columns.A.cells ?? {}).map((name) => side(name, ({ cells }) => cells?.[name])),
    stages: { A: columns.A.stage, B: columns.B.stage },
  };
}

/**
 * A column's cells but for the first row's.
 * @param {{ cells: Record<string, HTMLElement> }} column
 */
export const belowStage = ({ cells }) =>
  Object.entries(cells).flatMap(([name, cell]) => (name === "stage" ? [] : [cell]));

// A whole view of tools, rows of cells and the honest panel.
/**
 * @template {Column} Made
 * @param {string} name
 * @param {object} parts
 * @param {Part} parts.tools
 * @param {(letter: Letter) => Made} parts.column
 * @param {(column: Made, state: State, selection: Selection) => void} parts.draw
 * @param {(state: State, selection: Selection) => HonestItems} parts.honest
 * @returns {ViewDrawing}
 */
export function createFrame(name, { tools, column, draw, honest }) {
  const { columns, rows, stages } = twoColumns(column);
  const panel = honestPanel();
  return {
    root: el("div", { class: `view view-${name}`, "data-part": "view" }, tools.root, ...rows(), panel.root),
    stages,
    update(state, selection) {
      tools.update(state, selection);
      LETTERS.forEach((letter) => draw(columns[letter], state, selection));
      panel.update(honest(state, selection));
    },
  };
}
