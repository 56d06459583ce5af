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
  const pick = (which, size) => (which === "mean" ? [...Array(size).keys()] : [which]);
  let sum = 0;
  const [rows, columns] = [pick(layer, layers), pick(head, heads)];
  rows.forEach((row) => columns.forEach((column) => (sum += values[row * heads + column])));
  return sum / (rows.length * columns.length);
}

const name = (which, noun) => (which === "mean" ? `mean of all ${noun}s` : `${noun} ${which}`);

function paintCell(cell, share, small) {
  const colour = tide(share, isDark());
  cell.style.setProperty("--cell", css(colour));
  cell.style.setProperty("--cell-ink", inkOn(colour));
  cell.textContent = small ? "" : cellNumber(share);
}

const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

export function createMatrix({ letter, onhover, onpick }) {
  const grid = el("div", { class: "matrix", role: "grid", "aria-label": `Share on the image by layer and head, model ${letter}` });
  let chosen = [0, 0];
  let shape = null;

  function cellOf(layer, head) {
    return grid.querySelector(`[data-layer="${layer}"][data-head="${head}"]`);
  }

  function step(rowBy, columnBy) {
    const at = (list, which, by) => list[Math.min(list.length - 1, Math.max(0, list.indexOf(which) + by))];
    onpick(at(shape.rows, chosen[0], rowBy), at(shape.columns, chosen[1], columnBy));
    requestAnimationFrame(() => requestAnimationFrame(() => cellOf(...chosen)?.focus()));
  }

  grid.addEventListener("keydown", (event) => {
    if (!MOVES[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    step(...MOVES[event.key]);
  });
  const target = (event) => event.target.closest("[data-layer]");
  const of = (node) => [node.dataset.layer, node.dataset.head].map((text) => (text === "mean" ? "mean" : Number(text)));
  grid.addEventListener("click", (event) => target(event) && onpick(...of(target(event))));
  grid.addEventListener("pointerover", (event) => event.pointerType === "mouse" && target(event) && onhover(...of(target(event))));
  grid.addEventListener("pointerleave", () => onhover(null));

  function makeCells(small) {
    const heading = el("div", { class: "matrix-row", role: "row" }, el("span", { class: "axis" }));
    shape.columns.forEach((head) => heading.append(el("span", { class: "axis", role: "columnheader", text: small && head !== "mean" && head % 4 ? "" : head })));
    const rows = shape.rows.map((layer) => {
      const row = el("div", { class: "matrix-row", role: "row" }, el("span", { class: "axis", role: "rowheader", text: layer }));
      shape.columns.forEach((head) =>
        row.append(el("button", { type: "button", class: "matrix-cell", role: "gridcell", tabindex: "-1", "data-layer": layer, "data-head": head })),
      );
      return row;
    });
    return [heading, ...rows];
  }

  return {
    root: grid,
    update(values, layer, head) {
      shape = axes(values);
      chosen = [layer, head];
      const small = shape.heads > 8 || shape.layers > 8;
      grid.classList.toggle("small", small);
      grid.style.setProperty("--columns", shape.columns.length);
      refill(grid, [shape.layers, shape.heads], () => makeCells(small));
      grid.querySelectorAll("[data-layer]").forEach((cell) => {
        const [row, column] = of(cell);
        const share = shareAt(values, row, column);
        const selected = row === layer && column === head;
        paintCell(cell, share, small);
        const words = `${name(row, "layer")}, ${name(column, "head")}: ${percent(share)} of the row on the image`;
        cell.title = words;
        cell.setAttribute("aria-label", words);
        cell.setAttribute("aria-selected", String(selected));
        cell.tabIndex = selected ? 0 : -1;
      });
    },
  };
}
