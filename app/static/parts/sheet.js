// Contact sheet of the 256 adapter queries: 16 x 16 small maps, each to its own maximum. One tab stop, arrows move.

import { el, isDark, sizeCanvas, token } from "../dom.js";
import { tide } from "../colour.js";

const SIDE = 16;
const LATTICE = 1.5;
const EXPONENT = 0.7;

function peaks(values) {
  const [queries, patches] = values.shape;
  return Array.from({ length: queries }, (_, query) => {
    let at = 0;
    for (let patch = 1; patch < patches; patch += 1) if (values[query * patches + patch] > values[query * patches + at]) at = patch;
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

// All maps into one image of 16 x 16 tiles, a pixel for each patch.
function tiles(values, order) {
  const [, patches] = values.shape;
  const tile = Math.round(Math.sqrt(patches));
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE * tile;
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  order.forEach((query, at) => {
    const [top, left] = [Math.floor(at / SIDE) * tile, (at % SIDE) * tile];
    let most = 0;
    for (let patch = 0; patch < patches; patch += 1) most = Math.max(most, values[query * patches + patch]);
    for (let patch = 0; patch < patches; patch += 1) {
      const colour = tide((values[query * patches + patch] / (most || 1)) ** EXPONENT, isDark());
      const pixel = 4 * ((top + Math.floor(patch / tile)) * canvas.width + left + (patch % tile));
      image.data.set([...colour, 255], pixel);
    }
  });
  context.putImageData(image, 0, 0);
  return { canvas, tile };
}

export function createSheet({ onhover, onpick }) {
  const maps = el("canvas", { class: "sheet-maps" });
  const rings = el("canvas", { class: "sheet-rings" });
  const root = el("div", { class: "sheet", tabindex: "0", role: "slider", "aria-valuemin": "0", "aria-valuemax": "255", "aria-label": "Adapter query" }, maps, rings);
  let shown = { order: [], at: new Map(), side: 0, query: 0 };
  let last = null;

  const queryAt = (event) => {
    const box = root.getBoundingClientRect();
    const [column, row] = [event.clientX - box.left, event.clientY - box.top].map((value) => Math.min(SIDE - 1, Math.max(0, Math.floor(value / (box.width / SIDE)))));
    return shown.order[row * SIDE + column];
  };
  root.addEventListener("pointermove", (event) => event.pointerType === "mouse" && onhover(queryAt(event)));
  root.addEventListener("pointerleave", () => onhover(null));
  root.addEventListener("click", (event) => onpick(queryAt(event)));
  root.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -SIDE, ArrowDown: SIDE }[event.key];
    const next = by && (shown.at.get(shown.query) ?? 0) + by;
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    if (next >= 0 && next < shown.order.length) onpick(shown.order[next]);
  });

  function paintMaps(values, order, width) {
    const { canvas, tile } = tiles(values, order);
    const paper = sizeCanvas(maps, width, width);
    const step = paper.width / SIDE;
    const gap = LATTICE * paper.ratio;
    paper.context.fillStyle = token("--border-color-primary");
    paper.context.fillRect(0, 0, paper.width, paper.height);
    for (let at = 0; at < order.length; at += 1) {
      const [x, y] = [(at % SIDE) * step, Math.floor(at / SIDE) * step];
      paper.context.drawImage(canvas, (at % SIDE) * tile, Math.floor(at / SIDE) * tile, tile, tile, x, y, step - gap, step - gap);
    }
  }

  function paintRings(query, readers, width) {
    const { context, ratio, width: side } = sizeCanvas(rings, width, width);
    const step = side / SIDE;
    const ring = (which, colour, dash) => {
      const at = shown.at.get(which);
      if (at === undefined) return;
      context.setLineDash(dash.map((length) => length * ratio));
      context.strokeStyle = colour;
      context.lineWidth = 2 * ratio;
      context.strokeRect((at % SIDE) * step, Math.floor(at / SIDE) * step, step - LATTICE * ratio, step - LATTICE * ratio);
    };
    readers.filter((reader) => reader !== query).forEach((reader) => ring(reader, token("--k"), [3, 2]));
    ring(query, token("--q"), []);
  }

  return {
    root,
    update({ values, query, order, readers, width }) {
      const side = Math.max(160, Math.min(380, width || 380));
      const stamp = [order, side, isDark()].join();
      if (!last || last.values !== values || last.stamp !== stamp) {
        last = { values, stamp };
        shown = { ...shown, order: ordered(values, order), side };
        shown.at = new Map(shown.order.map((each, at) => [each, at]));
        paintMaps(values, shown.order, side);
        root.style.width = root.style.height = `${side}px`;
      }
      shown.query = query;
      root.setAttribute("aria-valuenow", String(query));
      paintRings(query, readers, side);
    },
  };
}
