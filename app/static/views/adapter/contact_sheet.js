// Contact sheet of the adapter's queries: a small map each, to its own maximum. One tab stop: arrows move, + and - zoom.

import { el, isDark, sizeCanvas, token } from "../../core/dom.js";
import { tide } from "../../core/colour.js";
import { say } from "../../language/i18n.js";

/** @import { Floats, Size } from "../../core/types.d.ts" */

const LATTICE = 1.5;
const EXPONENT = 0.7;
const MOST = 12; // times enlarged at most
const NAMED = 3; // times enlarged from which a map shows its number

/**
 * Who reads some patches: [query, weight], most first, and how many of the first hold half of all that they receive.
 * @typedef {{ all: [query: number, weight: number][], half: number, total: number }} Readers
 */

/**
 * @param {Floats} values
 * @param {number[]} cells
 * @returns {Readers}
 */
export function readersOf(values, cells) {
  const [queries, patches] = values.shape;
  /** @type {Readers["all"]} */
  const all = [...Array(queries).keys()].map((query) => [
    query,
    cells.reduce((sum, cell) => sum + values[query * patches + cell], 0),
  ]);
  all.sort((one, two) => two[1] - one[1] || one[0] - two[0]);
  const total = all.reduce((sum, [, weight]) => sum + weight, 0);
  let [half, sum] = [0, 0];
  while (half < queries && sum < total / 2) sum += all[half++][1];
  return { all, half, total };
}

// All maps into one image, a pixel for each patch, in the order of the sheet.
/** @param {Floats} values @param {Size} grid @param {number[]} order @param {number} side */
function tiles(values, [rows, columns], order, side) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [side * columns, side * rows];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(canvas.width, canvas.height);
  const dark = isDark();
  order.forEach((query, at) => {
    const [top, left] = [Math.floor(at / side) * rows, (at % side) * columns];
    const row = values.subarray(query * rows * columns, (query + 1) * rows * columns);
    const most = row.reduce((a, b) => Math.max(a, b), 0) || 1;
    row.forEach((value, patch) => {
      const pixel = (top + Math.floor(patch / columns)) * canvas.width + left + (patch % columns);
      image.data.set([...tide((value / most) ** EXPONENT, dark), 255], 4 * pixel);
    });
  });
  context.putImageData(image, 0, 0);
  return canvas;
}

/** @param {number} value @param {number} low @param {number} high */
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

// Wheel, pinch and drag; `sheet` has zoomAt, panBy and scale.
/** @param {HTMLElement} root @param {ContactSheet} sheet */
function listenToZoom(root, sheet) {
  /** @type {Map<number, PointerEvent>} */
  const fingers = new Map();
  let [dragged, apart] = [0, 0];
  const spread = () => {
    const [one, two] = [...fingers.values()];
    return Math.hypot(one.clientX - two.clientX, one.clientY - two.clientY);
  };
  root.addEventListener(
    "wheel",
    (event) => {
      if (sheet.scale === 1 && event.deltaY > 0 && !event.ctrlKey) return; // nothing to shrink: the page scrolls
      event.preventDefault();
      sheet.zoomAt(Math.exp(-event.deltaY / (event.ctrlKey ? 100 : 400)), event);
    },
    { passive: false },
  );
  root.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, event);
    dragged = 0;
    if (fingers.size === 2) apart = spread();
  });
  root.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    fingers.set(event.pointerId, event);
    if (fingers.size === 2) {
      const now = spread();
      sheet.zoomAt(now / (apart || now), event);
      [apart, dragged] = [now, 99];
    } else if (sheet.scale > 1) {
      const [x, y] = [event.clientX - before.clientX, event.clientY - before.clientY];
      dragged += Math.abs(x) + Math.abs(y);
      sheet.panBy(x, y);
    }
  });
  const lift = (/** @type {PointerEvent} */ event) => fingers.delete(event.pointerId);
  root.addEventListener("pointerup", lift);
  root.addEventListener("pointercancel", lift);
  root.addEventListener("pointerleave", lift);
  return () => dragged > 4;
}

/**
 * @typedef {object} SheetShown
 * @property {Floats} values (queries, patches)
 * @property {Size} grid rows and columns of one map
 * @property {number} query
 * @property {number[]} order of the queries
 * @property {number[]} readers
 * @property {number} width
 */

/** @typedef {{ values: Floats, order: number[], stamp: string, image: HTMLCanvasElement }} Painted */

/** @type {Record<string, number>} */
const FACTORS = { "+": 1.6, "=": 1.6, "-": 1 / 1.6, 0: 0 };

// Its zoom buttons, `zoom`, are for the view to place.
export class ContactSheet {
  /** @param {{ onhover(query: number | null): void, onpick(query: number): void }} gestures */
  constructor({ onhover, onpick }) {
    this.maps = el("canvas", { class: "sheet-maps", "data-part": "sheet-maps" });
    this.rings = el("canvas", { class: "sheet-rings" });
    const slider = { tabindex: "0", role: "slider", "aria-valuemin": "0", "aria-label": say("Adapter query") };
    this.box = el("div", { class: "sheet", "data-part": "sheet", ...slider }, this.maps, this.rings);
    /** @type {(text: string, label: string, act: () => void) => HTMLElement} */
    const button = (text, label, act) =>
      el("button", { type: "button", text, "aria-label": label, title: label, onclick: act });
    this.zoom = el(
      "div",
      { class: "sheet-zoom" },
      button("+", say("Enlarge the sheet"), () => this.zoomAt(1.6)),
      button("−", say("Shrink the sheet"), () => this.zoomAt(1 / 1.6)),
      button("1:1", say("The whole sheet"), () => this.zoomAt(0)),
    );
    this.root = el("div", { class: "sheet-frame" }, this.box);
    this.onpick = onpick;
    /** @type {number[]} queries as the sheet has them */
    this.order = [];
    /** @type {Map<number, number>} the place of each query in that order */
    this.at = new Map();
    /** @type {Size} rows and columns of one map */
    this.grid = [1, 1];
    this.side = 1; // maps along a side
    this.size = 0; // of the sheet in pixels
    this.query = 0;
    /** @type {Painted | null} */
    this.painted = null;
    /** @type {string | null} which part of it was drawn last */
    this.drawnAt = null;
    this.scale = 1;
    this.corner = [0, 0];
    /** @type {number[]} */
    this.readers = [];
    this.listen(onhover, onpick);
  }

  /** @param {(query: number | null) => void} onhover @param {(query: number) => void} onpick */
  listen(onhover, onpick) {
    const { box } = this;
    const wasDragged = listenToZoom(box, this);
    box.addEventListener(
      "pointermove",
      (event) => event.pointerType === "mouse" && !event.buttons && onhover(this.queryAt(event)),
    );
    box.addEventListener("pointerleave", () => onhover(null));
    box.addEventListener("click", (event) => {
      const query = wasDragged() ? null : this.queryAt(event);
      if (query !== null) onpick(query);
    });
    box.addEventListener("keydown", (event) => this.key(event));
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    /** @type {Record<string, number>} */
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.side, ArrowDown: this.side };
    /** @type {(number | undefined)[]} */
    const [by, factor] = [steps[event.key], FACTORS[event.key]];
    if (by === undefined && factor === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (factor !== undefined) return this.zoomAt(factor);
    const next = this.order[(this.at.get(this.query) ?? 0) + (by ?? 0)];
    if (next !== undefined) this.onpick(next);
    return undefined;
  }

  // Enlarge by a factor about the pointer, or about the chosen query; 0 shows the whole sheet.
  /** @param {number} factor @param {MouseEvent} [event] */
  zoomAt(factor, event) {
    const { scale, corner, size } = this;
    if (!size) return;
    const place = event ? this.within(event) : this.placeOfQuery();
    this.scale = factor === 0 ? 1 : clamp(scale * factor, 1, MOST);
    const held = (/** @type {number} */ at, /** @type {number} */ from) => (at - from) * scale;
    this.moveTo(place.map((at, axis) => at - (event ? held(at, corner[axis]) : 0.5) / this.scale));
  }

  /** @param {number} x @param {number} y */
  panBy(x, y) {
    this.moveTo([this.corner[0] - x / (this.size * this.scale), this.corner[1] - y / (this.size * this.scale)]);
  }

  /** @param {number[]} corner */
  moveTo(corner) {
    const room = 1 - 1 / this.scale;
    this.corner = corner.map((at) => clamp(at, 0, room));
    this.paint();
  }

  placeOfQuery() {
    const at = this.at.get(this.query) ?? 0;
    return [((at % this.side) + 0.5) / this.side, (Math.floor(at / this.side) + 0.5) / this.side];
  }

  // A place on the whole sheet, 0 to 1, under the pointer.
  /** @param {MouseEvent} event */
  within(event) {
    const box = this.box.getBoundingClientRect();
    const shown = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    return shown.map((at, axis) => clamp(this.corner[axis] + at / this.scale, 0, 0.999999));
  }

  /**
   * @param {MouseEvent} event
   * @returns {number | null}
   */
  queryAt(event) {
    const [x, y] = this.within(event).map((at) => Math.floor(at * this.side));
    return this.order[y * this.side + x] ?? null;
  }

  update(/** @type {SheetShown} */ { values, grid, query, order, readers, width }) {
    const size = Math.max(160, Math.min(380, width || 380));
    const moved = this.query !== query;
    const stamp = [size, isDark()].join();
    if (this.painted?.values !== values || this.painted.order !== order || this.painted.stamp !== stamp) {
      this.side = Math.ceil(Math.sqrt(values.shape[0]));
      this.painted = { values, order, stamp, image: tiles(values, grid, order, this.side) };
      [this.order, this.at, this.grid, this.size] = [order, new Map(order.map((each, at) => [each, at])), grid, size];
      this.box.setAttribute("aria-valuemax", String(values.shape[0] - 1));
      this.root.style.width = this.box.style.height = `${size}px`;
      this.drawnAt = null;
    }
    this.query = query;
    this.readers = readers;
    this.box.setAttribute("aria-valuenow", String(query));
    if (moved && this.scale > 1) this.reveal();
    this.paint();
  }

  // Bring the chosen query into the enlarged part.
  reveal() {
    const half = 0.5 / this.side;
    const shown = 1 / this.scale;
    this.corner = this.placeOfQuery().map((at, axis) => {
      const from = this.corner[axis];
      const wanted = at - half < from ? at - half : at + half > from + shown ? at + half - shown : from;
      return clamp(wanted, 0, 1 - shown);
    });
  }

  // Device pixels of a query's map: [x, y, side].
  /** @param {number} at @param {number} width */
  tile(at, width) {
    const step = (width * this.scale) / this.side;
    const origin = this.corner.map((from) => from * width * this.scale);
    return [(at % this.side) * step - origin[0], Math.floor(at / this.side) * step - origin[1], step];
  }

  paint() {
    if (!this.painted) return;
    const view = [this.scale, ...this.corner].join();
    if (this.drawnAt !== view) this.paintMaps(this.painted.image);
    this.drawnAt = view;
    this.box.classList.toggle("zoomed", this.scale > 1);
    this.box.dataset.scale = this.scale.toFixed(2);
    this.paintRings();
  }

  /** @param {HTMLCanvasElement} image */
  paintMaps(image) {
    const { context, ratio, width, height } = sizeCanvas(this.maps, this.size, this.size);
    const [rows, columns] = this.grid;
    context.imageSmoothingEnabled = this.scale < 2;
    context.fillStyle = token("--border-color-primary");
    context.fillRect(0, 0, width, height);
    this.order.forEach((query, at) => {
      const [x, y, step] = this.tile(at, width);
      if (x + step < 0 || y + step < 0 || x > width || y > height) return;
      const inner = step - LATTICE * ratio;
      const [left, top] = [(at % this.side) * columns, Math.floor(at / this.side) * rows];
      context.drawImage(image, left, top, columns, rows, x, y, inner, inner);
      if (this.scale >= NAMED) this.nameTile(context, ratio, query, x, y);
    });
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} ratio
   * @param {number} query
   * @param {number} x
   * @param {number} y
   */
  nameTile(context, ratio, query, x, y) {
    context.font = `${11 * ratio}px ${getComputedStyle(this.box).fontFamily}`;
    const wide = context.measureText(String(query)).width + 8 * ratio;
    context.fillStyle = "rgb(16 19 25 / .78)";
    context.fillRect(x + 2 * ratio, y + 2 * ratio, wide, 15 * ratio);
    context.fillStyle = "#fff";
    context.fillText(String(query), x + 6 * ratio, y + 13 * ratio);
  }

  paintRings() {
    const { context, ratio, width } = sizeCanvas(this.rings, this.size, this.size);
    context.lineWidth = 2 * ratio;
    /** @type {(query: number, colour: string, dash: number[]) => void} */
    const ring = (query, colour, dash) => {
      const at = this.at.get(query);
      if (at === undefined) return;
      const [x, y, step] = this.tile(at, width);
      context.setLineDash(dash.map((length) => length * ratio));
      context.strokeStyle = colour;
      context.strokeRect(x + ratio / 2, y + ratio / 2, step - (LATTICE + 1) * ratio, step - (LATTICE + 1) * ratio);
    };
    const others = this.readers.filter((reader) => reader !== this.query);
    others.forEach((reader) => ring(reader, token("--k"), [3, 2]));
    ring(this.query, token("--q"), []);
    this.box.dataset.readers = this.readers.join(",");
  }
}
