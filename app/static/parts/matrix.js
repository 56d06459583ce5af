// Layer x head matrix of shares, with the means as a last row and column. It drives the map: click a cell, or arrows.

import { el, isDark, refill } from "../dom.js";
import { css, inkOn, tide } from "../colour.js";
import { cellNumber, percent } from "../numbers.js";

function axes(values) {
  const [layers, heads] = values.shape;
  const list = (size) => [...Array(size).keys(), ...(size > 1 ? ["mean"] : [])];
  return { layers, heads, rows: list(layers), columns: list(heads) };
}

// Share at a layer and head; "mean" over either or both is the plain average.
export function shareAt(values, layer, head) {
  const [layers, heads] = values.shape;
  const pick = (one, size) => (one === "mean" ? [...Array(size).keys()] : [one]);
  let sum = 0;
  const [rows, columns] = [pick(layer, layers), pick(head, heads)];
  rows.forEach((row) => columns.forEach((column) => (sum += values[row * heads + column])));
  return sum / (rows.length * columns.length);
}

const name = (one, noun) => (one === "mean" ? `mean of all ${noun}s` : `${noun} ${one}`);

function paintCell(cell, share, small) {
  const colour = tide(share, isDark());
  cell.style.setProperty("--cell", css(colour));
  cell.style.setProperty("--cell-ink", inkOn(colour));
  cell.textContent = small ? "" : cellNumber(share);
}

const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

const which = (text) => (text === "mean" ? "mean" : Number(text));
const place = (cell) => [which(cell.dataset.layer), which(cell.dataset.head)];
const cellUnder = (event) => event.target.closest("[data-layer]");

function headingRow(columns, small) {
  const labels = columns.map((head) => (small && head !== "mean" && head % 4 ? "" : head));
  const cells = labels.map((text) => el("span", { class: "axis", role: "columnheader", text }));
  return el("div", { class: "matrix-row", role: "row" }, el("span", { class: "axis" }), ...cells);
}

function cellRow(layer, columns) {
  const cell = (head) =>
    el("button", {
      type: "button",
      class: "matrix-cell",
      role: "gridcell",
      tabindex: "-1",
      "data-layer": layer,
      "data-head": head,
    });
  const label = el("span", { class: "axis", role: "rowheader", text: layer });
  return el("div", { class: "matrix-row", role: "row" }, label, ...columns.map(cell));
}

export class Matrix {
  constructor({ letter, onhover, onpick }) {
    const label = `Share on the image by layer and head, model ${letter}`;
    this.root = el("div", { class: "matrix", role: "grid", "aria-label": label });
    this.onpick = onpick;
    this.chosen = [0, 0];
    this.listen(onhover, onpick);
  }

  listen(onhover, onpick) {
    const { root } = this;
    root.addEventListener("click", (event) => cellUnder(event) && onpick(...place(cellUnder(event))));
    root.addEventListener("pointerover", (event) => {
      if (event.pointerType === "mouse" && cellUnder(event)) onhover(...place(cellUnder(event)));
    });
    root.addEventListener("pointerleave", () => onhover(null));
    root.addEventListener("keydown", (event) => {
      if (!MOVES[event.key]) return;
      event.preventDefault();
      event.stopPropagation();
      this.step(...MOVES[event.key]);
    });
  }

  step(rowBy, columnBy) {
    const at = (list, from, by) => list[Math.min(list.length - 1, Math.max(0, list.indexOf(from) + by))];
    const [layer, head] = [
      at(this.shape.rows, this.chosen[0], rowBy),
      at(this.shape.columns, this.chosen[1], columnBy),
    ];
    const focus = () => this.root.querySelector(`[data-layer="${layer}"][data-head="${head}"]`)?.focus();
    this.onpick(layer, head);
    requestAnimationFrame(() => requestAnimationFrame(focus));
  }

  update(values, layer, head) {
    this.shape = axes(values);
    this.chosen = [layer, head];
    const { layers, heads, rows, columns } = this.shape;
    const small = heads > 8 || layers > 8;
    this.root.classList.toggle("small", small);
    this.root.style.setProperty("--columns", columns.length);
    const cells = () => [headingRow(columns, small), ...rows.map((each) => cellRow(each, columns))];
    refill(this.root, [layers, heads], cells);
    this.root.querySelectorAll("[data-layer]").forEach((cell) => this.updateCell(cell, values, small));
  }

  updateCell(cell, values, small) {
    const [layer, head] = place(cell);
    const share = shareAt(values, layer, head);
    const selected = layer === this.chosen[0] && head === this.chosen[1];
    const words = `${name(layer, "layer")}, ${name(head, "head")}: ${percent(share)} of the row on the image`;
    paintCell(cell, share, small);
    cell.title = words;
    cell.setAttribute("aria-label", words);
    cell.setAttribute("aria-selected", String(selected));
    cell.tabIndex = selected ? 0 : -1;
  }
}
