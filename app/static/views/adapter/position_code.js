// The 2-D sin-cos code as a similarity map: a query's code against that of every patch, or of every other query.

import { el, isDark, segmented, setText, sizeCanvas } from "../../core/dom.js";
import { tide } from "../../core/colour.js";
import { edges } from "../../core/geometry.js";
import { said, say } from "../../language/i18n.js";

/** @import { Answer, Floats, Sentence, Size } from "../../core/types.d.ts" */

const SIDE = 72;

// Row `query` of (queries, columns), as its own array.
/** @param {Floats} values @param {number} query */
const rowOf = (values, query) => values.subarray(query * values.shape[1], (query + 1) * values.shape[1]);

// Cosines from the lowest of the row to 1, which is where a code meets itself.
/**
 * @param {HTMLCanvasElement} canvas
 * @param {Float32Array} row
 * @param {Size} grid rows and columns
 * @param {number} low
 * @param {number | null} marked
 */
function paint(canvas, row, [rows, columns], low, marked) {
  const { context, width, height, ratio } = sizeCanvas(canvas, SIDE, SIDE);
  const [xs, ys] = [edges(columns, width), edges(rows, height)];
  row.forEach((value, at) => {
    const [x, y] = [at % columns, Math.floor(at / columns)];
    const [red, green, blue] = tide((value - low) / (1 - low || 1), isDark());
    context.fillStyle = `rgb(${red} ${green} ${blue})`;
    context.fillRect(xs[x], ys[y], xs[x + 1] - xs[x], ys[y + 1] - ys[y]);
  });
  if (marked === null) return;
  const [x, y] = [marked % columns, Math.floor(marked / columns)];
  context.strokeStyle = "#ff9840";
  context.lineWidth = 1.5 * ratio;
  context.strokeRect(xs[x], ys[y], xs[x + 1] - xs[x], ys[y + 1] - ys[y]);
}

/**
 * @typedef {object} CodeShown
 * @property {Answer<"adapter_code"> | null} code
 * @property {Sentence | null} error
 * @property {number} query
 * @property {string} against "keys" or "queries"
 */

/** @param {(against: string) => void} onagainst */
export function createPlaceCode(onagainst) {
  const canvas = el("canvas", { class: "place-code", "data-part": "place-code" });
  const words = el("p", {});
  const choice = segmented(
    say("Place code against"),
    [
      ["keys", say("patches")],
      ["queries", say("queries")],
    ],
    onagainst,
  );
  const root = el(
    "div",
    { class: "place-code-box", "data-part": "place-code-box" },
    el("span", { class: "label", text: say("Place code") }),
    choice,
    el("div", { class: "place-code-row", "data-part": "place-code-row" }, canvas, words),
  );
  /** @type {unknown[] | null} */
  let last = null;
  return {
    root,
    update(/** @type {CodeShown} */ { code, error, query, against }) {
      choice.choose(against);
      canvas.hidden = !code;
      if (!code) return setText(words, said(error));
      const row = rowOf(against === "keys" ? code.keys : code.queries, query);
      const grid = against === "keys" ? code.grid : code.query_grid;
      const low = row.reduce((a, b) => Math.min(a, b), 1);
      const stamp = [code, query, against, isDark()];
      if (stamp.some((item, at) => item !== last?.[at])) {
        last = stamp;
        paint(canvas, row, grid, low, against === "queries" ? query : null);
      }
      const most = row.reduce((a, b) => Math.max(a, b), -1);
      return setText(
        words,
        say("cosine {low} to {most}, before any content", { low: low.toFixed(2), most: most.toFixed(2) }),
      );
    },
  };
}
