// A layer over a stage for what a visitor draws on the picture, and for marks that no map makes.

import { el, sizeCanvas } from "../core/dom.js";
import { EDGES, THOUSANDTHS } from "../core/rectangle.js";

const TAP = 4; // CSS pixels a finger may move and still tap

const UNDER = "rgb(8 10 14 / .75)";

const clamp = (value) => Math.min(1, Math.max(0, value));

// A line that can be seen on any picture: a dark one below it.
export function outline(context, ratio, /** @type {number[]} */ [x1, y1, x2, y2], { colour, width, dash = [] }) {
  for (const [ink, line, pattern] of [
    [UNDER, width + 2.25, []],
    [colour, width, dash],
  ]) {
    context.strokeStyle = ink;
    context.lineWidth = line * ratio;
    context.setLineDash(pattern.map((length) => length * ratio));
    context.strokeRect(x1, y1, x2 - x1, y2 - y1);
  }
  context.setLineDash([]);
}

/** @param {HTMLCanvasElement} canvas @param {any} given */
function listen(canvas, { onhover, ondrag, onclick }) {
  let from = null;
  let moved = false;
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)];
  };
  const far = (event) => Math.hypot(event.clientX - from.x, event.clientY - from.y) > TAP;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    from = { place: place(event), x: event.clientX, y: event.clientY };
    moved = false;
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!from) return onhover(place(event));
    moved ||= far(event);
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

// Gestures in places of the picture, [x, y] in 0..1: `onhover(place or null)`, `ondrag(from, to, done)`,
// `onclick(place)`.
export function createLayer(stage, gestures) {
  const canvas = el("canvas", { class: "region-layer", "aria-hidden": "true" });
  stage.root.append(canvas);
  listen(canvas, gestures);
  let last = null;
  return {
    canvas,
    // Draws again only when the key or the size has changed; `paint(context, ratio, width, height)` in device pixels.
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
        const value = event.target.value === "" ? null : Math.round(Number(event.target.value));
        onchange({ [name]: value === null ? null : Math.min(THOUSANDTHS, Math.max(0, value)) });
      },
    }),
  );
  return {
    root: el("fieldset", { class: "edge-fields" }, el("legend", { text: label }), ...inputs),
    update(chosen) {
      inputs.forEach((input, index) => {
        if (document.activeElement !== input) input.value = chosen[EDGES[index]] ?? "";
      });
    },
  };
}
