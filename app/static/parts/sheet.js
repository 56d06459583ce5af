// Contact sheet of the adapter's queries: 16 x 16 small maps, each to its own maximum. One tab stop, arrows move.

import { el, isDark, sizeCanvas, token } from "../dom.js";
import { tide } from "../colour.js";

const LATTICE = 1.5;
const EXPONENT = 0.7;

function peaks(values) {
  const [queries, patches] = values.shape;
  return Array.from({ length: queries }, (_, query) => {
    let at = 0;
    for (let patch = 1; patch < patches; patch += 1)
      if (values[query * patches + patch] > values[query * patches + at]) at = patch;
    return at;
  });
}

function entropies(values) {
  const [queries, patches] = values.shape;
  return Array.from({ length: queries }, (_, query) => {
    let bits = 0;
    for (let patch = 0; patch < patches; patch += 1) {
      const value = values[query * patches + patch];
      if (value > 0) bits -= value * Math.log2(value);
    }
    return bits;
  });
}

const ORDERS = { index: () => null, entropy: entropies, place: peaks };

export function ordered(values, order) {
  const keys = ORDERS[order](values);
  const queries = [...Array(values.shape[0]).keys()];
  return keys ? queries.sort((a, b) => keys[a] - keys[b] || a - b) : queries;
}

// The queries that read a patch most: [query, weight], most first.
export function readersOf(values, patch, number) {
  const [queries, patches] = values.shape;
  const weights = [...Array(queries).keys()].map((query) => [query, values[query * patches + patch]]);
  return weights.sort((a, b) => b[1] - a[1]).slice(0, number);
}

const halves = new WeakMap();

// Median over queries of how few patches hold half of one.
export function halfCount(values) {
  if (halves.has(values)) return halves.get(values);
  const [queries, patches] = values.shape;
  const counts = Array.from({ length: queries }, (_, query) => {
    const row = values.slice(query * patches, (query + 1) * patches).sort();
    let [sum, taken] = [0, 0];
    const half = row.reduce((a, b) => a + b, 0) / 2;
    while (sum < half && taken < patches) sum += row[patches - (taken += 1)];
    return taken;
  }).sort((a, b) => a - b);
  halves.set(values, counts[Math.floor(queries / 2)]);
  return halves.get(values);
}

// All maps into one image of side x side tiles, a pixel for each patch.
function tiles(values, order, side) {
  const [, patches] = values.shape;
  const tile = Math.round(Math.sqrt(patches));
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side * tile;
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  order.forEach((query, at) => {
    const [top, left] = [Math.floor(at / side) * tile, (at % side) * tile];
    const row = values.subarray(query * patches, (query + 1) * patches);
    const most = row.reduce((a, b) => Math.max(a, b), 0) || 1;
    row.forEach((value, patch) => {
      const pixel = (top + Math.floor(patch / tile)) * canvas.width + left + (patch % tile);
      image.data.set([...tide((value / most) ** EXPONENT, isDark()), 255], 4 * pixel);
    });
  });
  context.putImageData(image, 0, 0);
  return { canvas, tile };
}

export class ContactSheet {
  constructor({ onhover, onpick }) {
    this.maps = el("canvas", { class: "sheet-maps" });
    this.rings = el("canvas", { class: "sheet-rings" });
    const slider = { tabindex: "0", role: "slider", "aria-valuemin": "0", "aria-label": "Adapter query" };
    this.root = el("div", { class: "sheet", ...slider }, this.maps, this.rings);
    Object.assign(this, { onpick, order: [], at: new Map(), side: 1, query: 0, painted: null });
    this.listen(onhover, onpick);
  }

  listen(onhover, onpick) {
    const { root } = this;
    root.addEventListener("pointermove", (event) => event.pointerType === "mouse" && onhover(this.queryAt(event)));
    root.addEventListener("pointerleave", () => onhover(null));
    root.addEventListener("click", (event) => onpick(this.queryAt(event)));
    root.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.side, ArrowDown: this.side }[event.key];
      if (!by) return;
      event.preventDefault();
      event.stopPropagation();
      const next = this.order[(this.at.get(this.query) ?? 0) + by];
      if (next !== undefined) onpick(next);
    });
  }

  queryAt(event) {
    const box = this.root.getBoundingClientRect();
    const cell = (length) => Math.min(this.side - 1, Math.max(0, Math.floor(length / (box.width / this.side))));
    return this.order[cell(event.clientY - box.top) * this.side + cell(event.clientX - box.left)];
  }

  update({ values, query, order, readers, width }) {
    const size = Math.max(160, Math.min(380, width || 380));
    const stamp = [order, size, isDark()].join();
    if (this.painted?.values !== values || this.painted.stamp !== stamp) {
      this.painted = { values, stamp };
      this.side = Math.round(Math.sqrt(values.shape[0]));
      this.order = ordered(values, order);
      this.at = new Map(this.order.map((each, at) => [each, at]));
      this.root.setAttribute("aria-valuemax", String(values.shape[0] - 1));
      this.root.style.width = this.root.style.height = `${size}px`;
      this.paintMaps(values, size);
    }
    this.query = query;
    this.root.setAttribute("aria-valuenow", String(query));
    this.paintRings(readers, size);
  }

  paintMaps(values, size) {
    const { canvas, tile } = tiles(values, this.order, this.side);
    const { context, ratio, width, height } = sizeCanvas(this.maps, size, size);
    const step = width / this.side;
    const inner = step - LATTICE * ratio;
    context.fillStyle = token("--border-color-primary");
    context.fillRect(0, 0, width, height);
    this.order.forEach((_, at) => {
      const [column, row] = [at % this.side, Math.floor(at / this.side)];
      context.drawImage(canvas, column * tile, row * tile, tile, tile, column * step, row * step, inner, inner);
    });
  }

  paintRings(readers, size) {
    const { context, ratio, width } = sizeCanvas(this.rings, size, size);
    const step = width / this.side;
    const inner = step - LATTICE * ratio;
    context.lineWidth = 2 * ratio;
    const ring = (query, colour, dash) => {
      const at = this.at.get(query);
      context.setLineDash(dash.map((length) => length * ratio));
      context.strokeStyle = colour;
      context.strokeRect((at % this.side) * step, Math.floor(at / this.side) * step, inner, inner);
    };
    readers.filter((reader) => reader !== this.query).forEach((reader) => ring(reader, token("--k"), [3, 2]));
    ring(this.query, token("--q"), []);
  }
}
