// The colour bar beside a map, with the figures that keep the map honest.

import { el, refill, sizeCanvas } from "../core/dom.js";
import { css, diverging, viridis } from "../core/colour.js";

/** @import { FigureLine, ScaleSpec } from "../core/types.d.ts" */

// A signed scale runs from rose through the surface, which is nothing, to teal.
/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 * @param {boolean} upright
 * @param {boolean} signed
 */
function paintBar(canvas, width, height, upright, signed) {
  const { context, width: w, height: h } = sizeCanvas(canvas, width, height);
  const length = upright ? h : w;
  for (let at = 0; at < length; at += 1) {
    const value = upright ? 1 - at / length : at / length;
    const about = 2 * value - 1;
    context.fillStyle = signed ? css(diverging(about), Math.min(1, 2.3 * Math.abs(about))) : css(viridis(value));
    context.fillRect(upright ? 0 : at, upright ? at : 0, upright ? w : 1, upright ? 1 : h);
  }
}

/** @param {FigureLine[]} items @param {string} name */
const lines = (items, name) =>
  items.map(([strong, rest]) => el("p", { class: name }, strong ? el("b", { text: strong }) : null, rest ?? ""));

// `top`, `middle`, `bottom`: [strong, rest] pairs; flat lies under the picture instead of beside it.
export function createScale() {
  const bar = el("canvas", { class: "scale-bar", "aria-hidden": "true" });
  const text = el("div", { class: "scale-text", "data-part": "scale-text" });
  const root = el("div", { class: "scale" }, bar, text);
  return {
    root,
    update(/** @type {ScaleSpec} */ { height, flat, top, middle, bottom, signed = false, bare = false }) {
      bar.style.visibility = bare ? "hidden" : "";
      root.classList.toggle("flat", flat);
      root.style.height = flat ? "auto" : `${height}px`;
      if (root.dataset.size !== `${height}${flat}${signed}`) {
        root.dataset.size = `${height}${flat}${signed}`;
        if (flat) paintBar(bar, 160, 10, false, signed);
        else paintBar(bar, 9, height, true, signed);
      }
      refill(text, [top, middle, bottom], () => [
        el("div", {}, ...lines(top, "scale-line")),
        el("div", { class: "scale-low" }, ...lines(middle, "scale-line"), ...lines(bottom, "scale-line")),
      ]);
    },
  };
}

// Key figures down the side of a picture: a number, and in words what it counts.
/** @param {HTMLElement} root @param {string[][]} items */
export function figures(root, items) {
  refill(root, items, () =>
    items.map(([value, words]) =>
      el("div", { class: "figure" }, el("b", { text: value }), el("span", { text: words })),
    ),
  );
}
