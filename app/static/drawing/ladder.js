// From row to picture, rung by rung: the row on the visual tokens, on the patches, on the original.

import { el, refill } from "../core/dom.js";
import { cellBox, cellSize, rowAndColumn } from "../core/geometry.js";
import { say } from "../language/i18n.js";
import { count, pixels } from "../language/numbers.js";
import { paintCrop, paintGrid, paintSmallMap } from "./thumbnails.js";

/** @import { Attended, Floats, Grid, Media, Run } from "../core/types.d.ts" */

const RUNG = [92, 76];
const LAST_RUNG = [118, 76];

// The grid that a model's map is drawn on: patches where visual tokens are no places, else the tokens themselves.
/** @param {Attended} map */
export const drawnGrid = (map) => (map.unit === "patch" ? map.grid : map.token_grid);
/** @param {Attended} map */
export const drawnValues = (map) => (map.unit === "patch" ? map.values : map.tokens);

/** @param {Grid} grid */
const cells = ([, rows, columns]) => rows * columns;

// What a neutral question takes away has no colour in a thumbnail, which shows the rest.
/** @param {Floats} values */
const positive = (values) => values.map((value) => Math.max(0, value));

// A rung is pressed for the matrix that made it.
export class Ladder {
  /** @param {{ onrung?: (rung: number) => void }} [gestures] */
  constructor({ onrung } = {}) {
    const rung = (/** @type {unknown} */ _, /** @type {number} */ index) => {
      const press = onrung && {
        role: "button",
        tabindex: "0",
        onclick: () => onrung(index),
        onkeydown: (/** @type {KeyboardEvent} */ event) => event.key === "Enter" && onrung(index),
      };
      const [canvas, caption] = [el("canvas"), el("figcaption")];
      return { canvas, caption, root: el("figure", { class: "rung", ...press }, canvas, caption) };
    };
    const arrow = () => el("span", { class: "arrow", text: "→" });
    this.rungs = Array.from({ length: 3 }, rung);
    this.product = el("code", { class: "product" });
    const [first, second, third] = this.rungs.map((one) => one.root);
    const title = el(
      "div",
      { class: "title-line", "data-part": "title-line" },
      el("h3", { text: say("From row to picture") }),
      this.product,
    );
    this.root = el(
      "div",
      { class: "ladder" },
      title,
      el("div", { class: "rungs" }, first, arrow(), second, arrow(), third),
    );
    /** @type {{ map: Attended, stamp: string } | null} */
    this.painted = null;
  }

  /** @param {Run} run @param {Attended} map @param {HTMLImageElement} image @param {Media} media */
  update(run, map, image, media) {
    const stamp = [run.id, media.index, document.body.className].join();
    if (this.painted?.map === map && this.painted.stamp === stamp) return;
    this.painted = { map, stamp };
    if (map.unit === "patch") this.throughQueries(map);
    else this.throughTokens(map, image, media);
    const [width, height] = cellSize(media.size, drawnGrid(map));
    const shown = { values: drawnValues(map), grid: drawnGrid(map), max: map.max, signed: map.mode === "neutral" };
    paintSmallMap(this.canvas(2), image, media.size, shown, LAST_RUNG);
    this.caption(2, say("original picture"), `${pixels(width)} × ${pixels(height)} px`);
  }

  /** @param {number} index */
  canvas(index) {
    return this.rungs[index].canvas;
  }

  /** @param {number} index @param {string[]} lines */
  caption(index, ...lines) {
    refill(this.rungs[index].caption, lines, () => lines.map((line) => el("span", { text: line })));
  }

  /** @param {Attended} map */
  throughQueries(map) {
    const [queries, patches] = [cells(map.token_grid), cells(map.grid)];
    this.product.textContent = `(1×${queries})·(${queries}×${patches})`;
    paintGrid(this.canvas(0), positive(map.tokens), map.token_grid.slice(1), RUNG);
    this.caption(0, say("{n} queries", { n: count(queries) }), say("not places"));
    paintGrid(this.canvas(1), positive(map.values), map.grid.slice(1), RUNG);
    this.caption(1, say("{n} patches", { n: count(patches) }), say("pulled back"));
  }

  /** @param {Attended} map @param {HTMLImageElement} image @param {Media} media */
  throughTokens(map, image, media) {
    const [, rows, columns] = map.token_grid;
    this.product.textContent = `(1×${map.tokens.length}) ⊗ 2×2`;
    paintGrid(this.canvas(0), positive(map.tokens), [rows, columns], RUNG);
    this.caption(0, say("{rows} × {columns} tokens", { rows, columns }), say("already places"));
    this.paintFold(map, image, media);
    this.caption(1, say("4 patches"), say("equal split"));
  }

  // The strongest token's piece of the picture, cut into its four patches.
  /** @param {Attended} map @param {HTMLImageElement} image @param {Media} media */
  paintFold(map, image, media) {
    const [row, column] = rowAndColumn(map.max_index, map.token_grid);
    const box = cellBox(row, column, media.size, map.token_grid);
    const [wide, tall] = [box[2] - box[0], box[3] - box[1]];
    const scale = Math.min(RUNG[1] / wide, RUNG[1] / tall);
    const { context, ratio, width, height } = paintCrop(this.canvas(1), image, media.size, box, [
      wide * scale,
      tall * scale,
    ]);
    context.fillStyle = "rgb(255 255 255 / .9)";
    context.fillRect((width - ratio) / 2, 0, ratio, height);
    context.fillRect(0, (height - ratio) / 2, width, ratio);
  }
}
