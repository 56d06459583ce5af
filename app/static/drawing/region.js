// A layer over a stage for what a visitor draws on the picture, and for marks that no map makes.

import { el, sizeCanvas } from "../core/dom.js";
import { EDGES, THOUSANDTHS } from "../core/rectangle.js";

/** @import { Pen, Place, Rectangle, StageView } from "../core/types.d.ts" */

/**
 * Gestures in places of the picture.
 * @typedef {object} LayerGestures
 * @property {(place: Place | null) => void} onhover
 * @property {(from: Place, to: Place, done: boolean) => void} ondrag
 * @property {(place: Place) => void} onclick
 */

const TAP = 4; // CSS pixels a finger may move and still tap

const UNDER = "rgb(8 10 14 / .75)";

/** @param {number} value */
const clamp = (value) => Math.min(1, Math.max(0, value));

// A line that can be seen on any picture: a dark one below it.
/** @param {CanvasRenderingContext2D} context @param {number} ratio @param {number[]} box @param {Pen} pen */
export function outline(context, ratio, [x1, y1, x2, y2], { colour, width, dash = [] }) {
  for (const pen of [
    { colour: UNDER, width: width + 2.25, dash: [] },
    { colour, width, dash },
  ]) {
    context.strokeStyle = pen.colour;
    context.lineWidth = pen.width * ratio;
    context.setLineDash(pen.dash.map((length) => length * ratio));
    context.strokeRect(x1, y1, x2 - x1, y2 - y1);
  }
  context.setLineDash([]);
}

/** @param {HTMLCanvasElement} canvas @param {LayerGestures} gestures */
function listen(canvas, { onhover, ondrag, onclick }) {
  /** @type {{ place: Place, x: number, y: number } | null} */
  let from = null;
  let moved = false;
  /** @param {MouseEvent} event */
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)];
  };
  /** @param {MouseEvent} event @param {{ x: number, y: number }} start */
  const far = (event, start) => Math.hypot(event.clientX - start.x, event.clientY - start.y) > TAP;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    from = { place: place(event), x: event.clientX, y: event.clientY };
    moved = false;
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!from) return onhover(place(event));
    moved ||= far(event, from);
    if (moved) ondrag(from.place, place(event), false);
    return undefined;
  });
  canvas.addEventListener("pointerup", (event) => {
    if (!from) return;
    const start = from.place;
    from = null;
    if (moved) ondrag(start, place(event), true);
    else onclick(place(event));
  });
  canvas.addEventListener("pointercancel", () => (from = null));
  canvas.addEventListener("pointerleave", () => from || onhover(null));
}

/** @param {StageView} stage @param {LayerGestures} gestures */
export function createLayer(stage, gestures) {
  const canvas = el("canvas", { class: "region-layer", "data-part": "region-layer", "aria-hidden": "true" });
  stage.root.append(canvas);
  listen(canvas, gestures);
  /** @type {string | null} */
  let last = null;
  return {
    canvas,
    // Draws again only when the key or the size has changed; `paint(context, ratio, width, height)` in device pixels.
    /**
     * @param {unknown} key
     * @param {(context: CanvasRenderingContext2D, ratio: number, width: number, height: number) => void} paint
     */
    draw(key, paint) {
      const [width, height] = [parseFloat(stage.root.style.width) || 1, parseFloat(stage.root.style.height) || 1];
      const stamp = JSON.stringify([key, width, height, window.devicePixelRatio]);
      if (stamp === last) return;
      last = stamp;
      const paper = sizeCanvas(canvas, width, height);
      paint(paper.context, paper.ratio, paper.width, paper.height);
    },
  };
}

// Four number fields, so that a rectangle needs no pointer.
/** @param {string} label @param {string[]} names @param {(patch: Partial<Rectangle>) => void} onchange */
export function edgeFields(label, names, onchange) {
  const inputs = EDGES.map((name, index) =>
    el("input", {
      type: "number",
      class: "text-field",
      min: 0,
      max: THOUSANDTHS,
      step: 1,
      "aria-label": names[index],
      title: names[index],
      placeholder: names[index],
      onchange: (event) => {
        const text = event.currentTarget.value;
        const value = text === "" ? null : Math.round(Number(text));
        onchange({ [name]: value === null ? null : Math.min(THOUSANDTHS, Math.max(0, value)) });
      },
    }),
  );
  return {
    root: el("fieldset", { class: "edge-fields" }, el("legend", { text: label }), ...inputs),
    update(/** @type {Rectangle} */ chosen) {
      inputs.forEach((input, index) => {
        if (document.activeElement !== input) input.value = String(chosen[EDGES[index]] ?? "");
      });
    },
  };
}
