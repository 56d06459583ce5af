// Layer x head matrix of the vision tower: mean distance, entropy, or share on itself.

import { css, inkOn, tide } from "../../core/colour.js";
import { say } from "../../language/i18n.js";
import { cellNumber, percent } from "../../language/numbers.js";
import { Matrix, place, shareAt } from "../../drawing/matrix.js";

/** @import { Choice, Decoded, Floats, VisionHeads } from "../../core/types.d.ts" */

/** @typedef {Decoded<VisionHeads>} Heads */

/**
 * @typedef {object} TowerStatistic
 * @property {string} title
 * @property {(heads: Heads) => Floats} values
 * @property {(value: number, heads: Heads) => number} shade
 * @property {(value: number) => string} short
 * @property {(value: number, heads: Heads) => string} words
 */

/** @type {Record<string, TowerStatistic>} */
export const STATISTICS = {
  distance: {
    title: "Mean distance, patches",
    values: (heads) => heads.distance,
    shade: (value, heads) => value / heads.even_distance,
    short: (value) => value.toFixed(1),
    words: (value, heads) =>
      say("{n} patches away on average, {even} for an even look", {
        n: value.toFixed(2),
        even: heads.even_distance.toFixed(2),
      }),
  },
  entropy: {
    title: "Entropy, bits",
    values: (heads) => heads.entropy,
    shade: (value, heads) => value / heads.even_entropy,
    short: (value) => value.toFixed(1),
    words: (value, heads) =>
      say("{n} bits, {even} for an even look", { n: value.toFixed(2), even: heads.even_entropy.toFixed(2) }),
  },
  own: {
    title: "Share on itself, %",
    values: (heads) => heads.own,
    shade: (value) => value,
    short: cellNumber,
    words: (value) => say("{share} of a row on the patch itself", { share: percent(value) }),
  },
};

/** @param {number} value */
const held = (value) => Math.min(1, Math.max(0, value));

/** @typedef {import("../../drawing/matrix.js").Drawn} Drawn */

export class TowerMatrix extends Matrix {
  /** @type {Heads | null} */
  heads = null;

  /** @param {Heads} heads @param {string} statistic @param {Choice} layer @param {Choice} head */
  show(heads, statistic, layer, head) {
    this.heads = heads;
    this.root.setAttribute("aria-label", say(STATISTICS[statistic].title));
    this.update({ values: STATISTICS[statistic].values(heads), most: 1, statistic, layer, head });
  }

  /** @param {HTMLElement} cell @param {Drawn} drawn */
  paint(cell, drawn) {
    if (!this.heads) return;
    const { values, statistic } = drawn;
    const [layer, head] = place(cell);
    const value = shareAt(values, layer, head);
    const where = [
      layer === "mean" ? say("mean of layers") : say("layer {n}", { n: layer }),
      head === "mean" ? say("mean of heads") : say("head {n}", { n: head }),
    ];
    const words = `${where.join(", ")}: ${STATISTICS[statistic].words(value, this.heads)}`;
    this.colour(cell, value, this.small, drawn);
    cell.title = this.small ? "" : words;
    cell.setAttribute("aria-label", words);
  }

  /** @param {HTMLElement} cell @param {number} value @param {boolean} bare @param {Drawn} drawn */
  colour(cell, value, bare, { statistic, dark }) {
    if (!this.heads) return;
    const { shade, short } = STATISTICS[statistic];
    const colour = tide(held(shade(value, this.heads)), dark);
    cell.style.setProperty("--cell", css(colour));
    cell.style.setProperty("--cell-ink", inkOn(colour));
    cell.textContent = bare ? "" : short(value);
  }
}
