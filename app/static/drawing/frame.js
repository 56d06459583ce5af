// The frame that views share: two columns whose rows hold the same kind of thing left and right.

import { el } from "../core/dom.js";
import { LETTERS } from "../state/selection.js";
import { honestPanel } from "./honest.js";

// A column for each letter; `pair(name)` puts that part of both side by side, and `rows` does so with all their `cells`,
// which have names too.
export function twoColumns(make) {
  const columns = Object.fromEntries(LETTERS.map((letter) => [letter, make(letter)]));
  const side = (name, part) =>
    el("div", { class: `pair pair-${name}` }, ...LETTERS.map((letter) => part(columns[letter])));
  return {
    columns,
    pair: (name) => side(name, (column) => column[name]),
    rows: () => Object.keys(columns.A.cells).map((name) => side(name, ({ cells }) => cells[name])),
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
