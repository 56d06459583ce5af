// Qwen2-VL's merger on one visual token: which four patches, in which order, through which weights.

import { el, refill } from "../../core/dom.js";
import { cellBox } from "../../core/geometry.js";
import { say } from "../../language/i18n.js";
import { count } from "../../language/numbers.js";
import { mergeOf, numbersOf } from "../../drawing/patch_orders.js";
import { paintCrop } from "../../drawing/thumbnails.js";

/** @import { Answer, Media, MergerStep, Run } from "../../core/types.d.ts" */

/**
 * @typedef {object} MergerShown
 * @property {Run} run
 * @property {Media} media
 * @property {{ row: number, column: number }} cell on the token grid
 * @property {number} frame
 * @property {HTMLImageElement | null} image the original picture
 * @property {Answer<"merger"> | null} answer the server's steps
 */

const SIDE = 118;

/** @param {number[]} size */
const sizeWords = ([rows, width]) => `${count(rows)} × ${count(width)}`;

/** @param {MergerStep} step */
function stepRow({ name, comes_in: from, goes_out: to, weight, published }) {
  const shape = weight.length
    ? say("weight {shape}", { shape: weight.map(count).join(" × ") })
    : say("a reshape, no weights");
  return el(
    "li",
    { title: published || null },
    el("b", { text: say(name) }),
    el("span", { text: String(from) === String(to) ? sizeWords(to) : `${sizeWords(from)} → ${sizeWords(to)}` }),
    el("small", { text: published ? `${shape} · ${published}` : shape }),
  );
}

export function createMerger() {
  const [crop, corners] = [el("canvas"), el("div", { class: "corners" })];
  const [rows, steps, words] = [
    el("ol", { class: "merge-rows", "data-part": "merge-rows", start: "0" }),
    el("ol", { class: "merge-steps", "data-part": "merge-steps" }),
    el("p", { class: "merge-words", "data-part": "merge-words" }),
  ];
  const root = el(
    "div",
    { class: "merger-box" },
    el("div", { class: "merge-row" }, el("div", { class: "crop" }, crop, corners), rows, steps),
    words,
  );
  return {
    root,
    update(/** @type {MergerShown} */ { run, media, cell, frame, image, answer }) {
      const merge = mergeOf(media);
      /** @type {ReturnType<typeof numbersOf>[]} */
      const four = [];
      for (let y = 0; y < merge; y += 1)
        for (let x = 0; x < merge; x += 1)
          four.push(numbersOf(run, media.index, [cell.row * merge + y, cell.column * merge + x], frame));
      const stamp = [run.id, media.index, cell.row, cell.column, frame];
      if (image && crop.dataset.stamp !== [stamp, image.src.length].join()) {
        crop.dataset.stamp = [stamp, image.src.length].join();
        paintQuarters(crop, image, media, cellBox(cell.row, cell.column, media.size, media.token_grid));
      }
      refill(corners, stamp, () => four.map((_, at) => el("span", { class: "corner", text: at })));
      refill(rows, stamp, () =>
        four.map(({ raster, row }) =>
          el(
            "li",
            {},
            el("span", { text: say("patch {patch}", { patch: count(raster) }) }),
            el("small", { text: say("row {row}", { row: count(row) }) }),
          ),
        ),
      );
      refill(steps, [run.id, Boolean(answer)], () => (answer ? answer.steps.map(stepRow) : []));
      refill(words, stamp, () =>
        say("Patches {patches} of the picture, in this order, become visual token {token}.", {
          patches: four.map(({ raster }) => count(raster)).join(", "),
          token: count(four[0].token),
        }),
      );
    },
  };
}

/** @param {HTMLCanvasElement} canvas @param {HTMLImageElement} image @param {Media} media @param {number[]} box */
function paintQuarters(canvas, image, media, box) {
  const scale = Math.min(SIDE / (box[2] - box[0]), SIDE / (box[3] - box[1]));
  const paper = paintCrop(canvas, image, media.size, box, [(box[2] - box[0]) * scale, (box[3] - box[1]) * scale]);
  paper.context.fillStyle = "#ffffff";
  paper.context.fillRect(paper.width / 2 - paper.ratio, 0, 2 * paper.ratio, paper.height);
  paper.context.fillRect(0, paper.height / 2 - paper.ratio, paper.width, 2 * paper.ratio);
}
