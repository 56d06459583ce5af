// The original picture with everything that lies on it: cells of a map, grid lines, contours, outlines and a label.

import { el, setText, sizeCanvas, toggle } from "../core/dom.js";
import { css, diverging, opacity, viridis } from "../core/colour.js";
import { contour, edges, fit } from "../core/geometry.js";

/**
 * @import {
 *   Cells, Grid, Label, Letter, Outline, Pen, Place, Region, StageGestures, StageSpec, StageView
 * } from "../core/types.d.ts"
 */

/** @typedef {Pen & { under: number, dash: number[] }} StagePen */

/** @type {StagePen} */
const QUERY = { colour: "#ff9840", width: 2.5, under: 5, dash: [] };
/** @type {StagePen} */
const KEY = { colour: "#7fbcff", width: 1.75, under: 3.5, dash: [4, 3] };
const UNDER = "rgb(8 10 14 / .75)";

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} ratio
 * @param {typeof KEY} pen
 * @param {(context: CanvasRenderingContext2D) => void} trace
 */
function stroke(context, ratio, pen, trace) {
  context.lineJoin = "miter";
  for (const { colour, width, dash } of [
    { colour: UNDER, width: pen.under, dash: [] },
    { colour: pen.colour, width: pen.width, dash: pen.dash },
  ]) {
    context.strokeStyle = colour;
    context.lineWidth = width * ratio;
    context.setLineDash(dash.map((length) => length * ratio));
    context.beginPath();
    trace(context);
    context.stroke();
  }
  context.setLineDash([]);
}

// Paint the cells of a map; returns the edges used, so that a test can find each cell again.
/**
 *
 * @param {CanvasRenderingContext2D} context
 * @param {number} width
 * @param {number} height
 * @param {Cells} cells
 */
export function paintCells(context, width, height, { values, grid, max, offset = 0, signed = false, lines = null }) {
  const [, rows, columns] = grid;
  const at = (/** @type {number[]} */ fractions, /** @type {number} */ length) =>
    fractions.map((fraction) => Math.round(fraction * length));
  const [xs, ys] = lines
    ? [at([...lines.xs], width), at([...lines.ys], height)]
    : [edges(columns, width), edges(rows, height)];
  for (let row = 0; row < rows; row += 1)
    for (let column = 0; column < columns; column += 1) {
      const value = max > 0 ? values[offset + row * columns + column] / max : 0;
      const alpha = opacity(signed ? Math.abs(value) : value);
      if (alpha <= 0) continue;
      context.fillStyle = css(signed ? diverging(value) : viridis(value), alpha);
      context.fillRect(xs[column], ys[row], xs[column + 1] - xs[column], ys[row + 1] - ys[row]);
    }
  return { xs, ys };
}

/**
 *
 * @param {CanvasRenderingContext2D} context
 * @param {number} ratio
 * @param {number} width
 * @param {number} height
 * @param {Grid} grid
 */
function paintLines(context, ratio, width, height, [, rows, columns]) {
  const [xs, ys] = [edges(columns, width), edges(rows, height)];
  const line = Math.max(1, Math.round(ratio * 0.5));
  for (const { colour, shift } of [
    { colour: "rgb(16 19 25 / .30)", shift: line },
    { colour: "rgb(255 255 255 / .42)", shift: 0 },
  ]) {
    context.fillStyle = colour;
    xs.slice(1, -1).forEach((x) => context.fillRect(x + shift, 0, line, height));
    ys.slice(1, -1).forEach((y) => context.fillRect(0, y + shift, width, line));
  }
}

/**
 *
 * @param {CanvasRenderingContext2D} context
 * @param {number} ratio
 * @param {number} width
 * @param {number} height
 * @param {{ cells: Iterable<number>, grid: Grid }} contour
 */
function paintContour(context, ratio, width, height, { cells, grid }) {
  const [, rows, columns] = grid;
  const [xs, ys] = [edges(columns, width), edges(rows, height)];
  stroke(context, ratio, KEY, (path) => {
    for (const loop of contour(cells, columns)) {
      loop.forEach(([x, y], index) => (index ? path.lineTo(xs[x], ys[y]) : path.moveTo(xs[x], ys[y])));
      path.closePath();
    }
  });
}

/**
 *
 * @param {CanvasRenderingContext2D} context
 * @param {number} ratio
 * @param {number} width
 * @param {number} height
 * @param {Outline} outline
 */
function paintOutline(context, ratio, width, height, { box, kind }) {
  const [x1, y1, x2, y2] = [box[0] * width, box[1] * height, box[2] * width, box[3] * height].map(Math.round);
  stroke(context, ratio, kind === "query" ? QUERY : KEY, (path) => path.rect(x1, y1, x2 - x1, y2 - y1));
}

/**
 * @param {HTMLElement} label
 * @param {{ width: number, height: number }} shape
 * @param {Label | null | undefined} spec
 */
function placeLabel(label, shape, spec) {
  label.hidden = !spec;
  if (!spec) return;
  setText(label, spec.text);
  const corner = !spec.place;
  const [x, y] = spec.place ? [spec.place[0] * shape.width, spec.place[1] * shape.height - 9] : [8, 8];
  const left = corner || x < shape.width / 2;
  label.style.left = left ? `${corner ? x : x + 14}px` : "auto";
  label.style.right = left ? "auto" : `${shape.width - x + 14}px`;
  label.style.top = `${Math.max(2, Math.min(shape.height - 20, y))}px`;
}

/** @param {StageSpec | null} one @param {StageSpec} two */
const sameSpec = (one, two) => {
  const plain = (/** @type {StageSpec} */ spec) =>
    JSON.stringify([
      spec.size,
      spec.box,
      spec.quiet,
      spec.lines,
      spec.outlines,
      spec.label,
      spec.dimmed,
      spec.note,
      spec.frame,
      spec.cells?.offset,
    ]);
  return (
    one !== null &&
    one.image === two.image &&
    one.cells?.values === two.cells?.values &&
    one.cells?.max === two.cells?.max &&
    one.contour?.cells === two.contour?.cells &&
    plain(one) === plain(two)
  );
};

/** @type {Record<string, [rows: number, columns: number]>} */
const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

const LEAST_DRAG = 5; // pixels before a press becomes a rectangle

// A rectangle is drawn with the button held; it previews as it grows, and a press without a move stays a click.
/**
 * @param {HTMLElement} root
 * @param {(event: MouseEvent) => Place} place
 * @param {(region: Region | null, done: boolean) => void} onregion
 */
function listenToDrags(root, place, onregion) {
  /** @type {{ place: Place, x: number, y: number } | null} */
  let from = null;
  /** @type {Region | null} */
  let box = null;
  root.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch" || event.button !== 0) return;
    from = { place: place(event), x: event.clientX, y: event.clientY };
    box = null;
  });
  root.addEventListener("pointermove", (event) => {
    if (!from || (!box && Math.hypot(event.clientX - from.x, event.clientY - from.y) < LEAST_DRAG)) return;
    if (!box) root.setPointerCapture(event.pointerId);
    const [start, to] = [from.place, place(event)];
    box = [0, 1]
      .map((axis) => Math.min(start[axis], to[axis]))
      .concat([0, 1].map((axis) => Math.max(start[axis], to[axis])));
    onregion(box, false);
  });
  const end = (/** @type {boolean} */ done) => () => {
    if (box) onregion(done && box[2] > box[0] && box[3] > box[1] ? box : null, true);
    from = null;
    setTimeout(() => (box = null)); // after the click that follows
  };
  root.addEventListener("pointerup", end(true));
  root.addEventListener("pointercancel", end(false));
  return () => box !== null;
}

/**
 * @param {HTMLElement} root
 * @param {StageGestures} gestures
 */
function listen(root, { onhover, onpick, onstep, onregion, onstretch, onenter }) {
  const place = (/** @type {MouseEvent} */ event) => {
    const box = root.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height].map((value) =>
      Math.min(0.999999, Math.max(0, value)),
    );
  };
  const dragging = onregion ? listenToDrags(root, place, onregion) : () => false;
  root.addEventListener(
    "pointermove",
    (event) => event.pointerType === "mouse" && !dragging() && onhover?.(place(event)),
  );
  root.addEventListener("pointerleave", () => dragging() || onhover?.(null));
  root.addEventListener("click", (event) => dragging() || onpick?.(place(event), event.shiftKey));
  root.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.repeat) onenter?.();
    if (!STEPS[event.key]) return;
    event.preventDefault();
    const [rows, columns] = STEPS[event.key];
    (event.shiftKey && onstretch ? onstretch : onstep)?.(rows, columns);
  });
}

/**
 * @param {{ letter: Letter, title: string } & StageGestures} what
 * @returns {StageView}
 */
export function createStage({ letter, title, ...gestures }) {
  const [base, overlay, marks] = ["base", "overlay", "marks"].map((name) =>
    el("canvas", { class: name, "aria-hidden": "true" }),
  );
  const [label, note] = [
    el("div", { class: "stage-label", "data-part": "stage-label", hidden: true }),
    el("div", { class: "stage-note", hidden: true }),
  ];
  const root = el(
    "div",
    { class: "stage", "data-part": "stage", "data-letter": letter, tabindex: "0", role: "img", "aria-label": title },
    base,
    overlay,
    marks,
    label,
    note,
  );
  /** @type {StageSpec | null} */
  let last = null;
  listen(root, gestures);

  /** @param {StageSpec} spec */
  function paint(spec) {
    const shape = fit(spec.size, spec.box);
    root.style.width = `${shape.width}px`;
    root.style.height = `${shape.height}px`;
    const below = sizeCanvas(base, shape.width, shape.height);
    if (spec.image) below.context.drawImage(spec.image, 0, 0, below.width, below.height);
    toggle(base, "quiet", spec.quiet);
    const middle = sizeCanvas(overlay, shape.width, shape.height);
    const cells = spec.cells ? paintCells(middle.context, middle.width, middle.height, spec.cells) : null;
    const above = sizeCanvas(marks, shape.width, shape.height);
    /** @type {[CanvasRenderingContext2D, number, number, number]} */
    const paper = [above.context, above.ratio, above.width, above.height];
    if (spec.lines) paintLines(...paper, spec.lines);
    if (spec.contour) paintContour(...paper, spec.contour);
    (spec.outlines || []).forEach((outline) => paintOutline(...paper, outline));
    placeLabel(label, shape, spec.label);
    stage.drawn = { ...cells, overlay, base, spec };
  }

  /** @param {StageSpec} spec */
  function update(spec) {
    if (spec.aria) root.setAttribute("aria-label", spec.aria);
    if (sameSpec(last, spec)) return;
    last = spec;
    paint(spec);
    toggle(root, "late", spec.dimmed);
    note.hidden = !(spec.dimmed || spec.note);
    setText(note, spec.dimmed || spec.note || "");
  }

  /** @type {StageView} */
  const stage = { root, drawn: null, update };
  return stage;
}
