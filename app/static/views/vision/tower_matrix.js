// Layer x head matrix of the vision tower: mean distance, entropy, or share on itself.

import { css, inkOn, tide } from "../../core/colour.js";
import { say } from "../../language/i18n.js";
import { cellNumber, percent } from "../../language/numbers.js";
import { Matrix, shareAt } from "../../drawing/matrix.js";

export const STATISTICS = {
  distance: {
    title: "Mean distance, patches",
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
    shade: (value, heads) => value / heads.even_entropy,
    short: (value) => value.toFixed(1),
    words: (value, heads) =>
      say("{n} bits, {even} for an even look", { n: value.toFixed(2), even: heads.even_entropy.toFixed(2) }),
  },
  own: {
    title: "Share on itself, %",
    shade: (value) => value,
    short: cellNumber,
    words: (value) => say("{share} of a row on the patch itself", { share: percent(value) }),
  },
};

const held = (value) => Math.min(1, Math.max(0, value));

const which = (text) => (text === "mean" ? "mean" : Number(text));

export class TowerMatrix extends Matrix {
  update(heads, statistic, layer, head) {
    this.heads = heads;
    this.root.setAttribute("aria-label", say(STATISTICS[statistic].title));
    super.update({ values: heads[statistic], most: 1, statistic, layer, head });
  }

  paint(cell) {
    const { values, statistic } = this.drawn;
    const [layer, head] = [which(cell.dataset.layer), which(cell.dataset.head)];
    const value = shareAt(values, layer, head);
    const where = [
      layer === "mean" ? say("mean of layers") : say("layer {n}", { n: layer }),
      head === "mean" ? say("mean of heads") : say("head {n}", { n: head }),
    ];
    const words = `${where.join(", ")}: ${STATISTICS[statistic].words(value, this.heads)}`;
    this.colour(cell, value, this.small);
    cell.title = this.small ? "" : words;
    cell.setAttribute("aria-label", words);
  }

  colour(cell, value, bare) {
    const { statistic, dark } = this.drawn;
    const { shade, short } = STATISTICS[statistic];
    const colour = tide(held(shade(value, this.heads)), dark);
    cell.style.setProperty("--cell", css(colour));
    cell.style.setProperty("--cell-ink", inkOn(colour));
    cell.textContent = bare ? "" : short(value);
  }
}
