// One grid, three orders: patches as the picture has them, as the rows of pixel_values, and the tokens they merge into.

import { around, el, isDark, refill, setText } from "../core/dom.js";
import { cellAt, placeOf } from "../core/geometry.js";
import { css, inkOn, tide } from "../core/colour.js";
import { say } from "../language/i18n.js";
import { count } from "../language/numbers.js";

/** @import { Context, Grid, Media, Place, Run } from "../core/types.d.ts" */

/** @typedef {"raster" | "row" | "token"} Order */

/** @typedef {ReturnType<typeof numbersOf>} Numbers the three numbers of a patch */

/** @typedef {{ top: number, left: number, rows: number, columns: number }} Window the part that is written out */

const SIDE = 4; // patches along a side of the part of the grid that is written out

/** @param {Grid} grid */
export const cellsOf = (grid) => grid.reduce((product, size) => product * size, 1);

// Patches along a side of a visual token.
/** @param {Media} media */
export const mergeOf = (media) => media.patch_grid[1] / media.token_grid[1];

// Where a media's patches begin among the rows of its tensor: pictures and clips have one each.
/** @param {Run} run @param {number} index */
const firstRow = (run, index) =>
  run.media
    .slice(0, index)
    .filter((media) => media.kind === run.media[index].kind)
    .reduce((sum, media) => sum + cellsOf(media.patch_grid), 0);

// The three numbers of a patch of one temporal cell, each counted as the library counts it.
/** @param {Run} run @param {number} index @param {number[]} at row and column @param {number} frame */
export function numbersOf(run, index, [row, column], frame = 0) {
  const media = run.media[index];
  const [merge, [, rows, columns]] = [mergeOf(media), media.patch_grid];
  const [above, left] = [Math.floor(row / merge), Math.floor(column / merge)];
  const token = (frame * (rows / merge) + above) * (columns / merge) + left;
  const within = merge * (row % merge) + (column % merge);
  return {
    raster: (frame * rows + row) * columns + column,
    row: firstRow(run, index) + merge * merge * token + within,
    token,
  };
}

// The part of the grid that is written out: whole tokens, and still where it is while the place stays inside.
/**
 * @param {Place} place
 * @param {Media} media
 * @param {Window | null} last
 * @returns {Window}
 */
function windowAt(place, media, last) {
  const [, rows, columns] = media.patch_grid;
  const { row, column } = cellAt(place, media.patch_grid);
  const size = [Math.min(SIDE, rows), Math.min(SIDE, columns)];
  const inside =
    last && row >= last.top && row < last.top + size[0] && column >= last.left && column < last.left + size[1];
  if (inside) return last;
  const merge = mergeOf(media);
  /** @type {(at: number, length: number, all: number) => number} */
  const corner = (at, length, all) => Math.min(all - length, Math.max(0, merge * Math.floor(at / merge) - merge));
  return { top: corner(row, size[0], rows), left: corner(column, size[1], columns), rows: size[0], columns: size[1] };
}

/** @type {Record<string, [rows: number, columns: number]>} */
const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/**
 * @param {number} number
 * @param {number} share
 * @param {{ span: number, marked: boolean, here: boolean, cell: string }} kind
 */
function square(number, share, { span, marked, here, cell }) {
  const colour = tide(0.1 + 0.75 * share, isDark());
  return el("span", {
    class: `${marked ? "marked" : ""}${here ? " here" : ""}`,
    text: number,
    "data-cell": cell,
    style: { background: css(colour), color: inkOn(colour), "grid-column": `span ${span}`, "grid-row": `span ${span}` },
  });
}

// The cells of one of the three small grids, in the order they are written.
/**
 * @param {Order} order
 * @param {{ run: Run, index: number, media: Media, frame: number, view: Window, chosen: Numbers | null }} what
 */
function squares(order, { run, index, media, frame, view, chosen }) {
  const [merge, total] = [mergeOf(media), cellsOf(media.patch_grid)];
  const step = order === "token" ? merge : 1;
  const found = [];
  for (let row = view.top; row < view.top + view.rows; row += step)
    for (let column = view.left; column < view.left + view.columns; column += step) {
      const numbers = numbersOf(run, index, [row, column], frame);
      const share = order === "token" ? (numbers.token * merge * merge) / total : (numbers[order] % total) / total;
      const marked = numbers.token === chosen?.token;
      const here = order !== "token" && numbers.raster === chosen?.raster;
      found.push(square(numbers[order], share, { span: 1, marked, here, cell: `${row},${column}` }));
    }
  return found;
}

// The tensor that holds a media's patches.
/** @param {Media} media */
export const tensorOf = (media) => (media.kind === "video" ? "pixel_values_videos" : "pixel_values");

/** @type {Record<Order, (media: Media) => string>} */
const titleOf = {
  raster: () => say("On the picture"),
  row: (media) => say("In {tensor}", { tensor: media.kind === "video" ? "…_videos" : tensorOf(media) }),
  token: () => say("As tokens"),
};

/** @typedef {[row: number, column: number]} Cell */

/**
 * @typedef {object} Handle
 * @property {(cell: Cell | null) => void} hover
 * @property {(cell: Cell) => void} pick
 * @property {(rows: number, columns: number) => void} step
 * @property {(order: Order) => void} draw
 */

/** @param {Order} order @param {Handle} handle */
function smallGrid(order, handle) {
  const grid = el("div", { class: `order-grid order-${order}`, "data-part": "order-grid", tabindex: "0", role: "img" });
  /** @type {(event: Event) => Cell | null} */
  const of = (event) => {
    const written = around(event, "[data-cell]")?.dataset.cell?.split(",").map(Number);
    return written ? [written[0], written[1]] : null;
  };
  grid.addEventListener("pointermove", (event) => event.pointerType === "mouse" && handle.hover(of(event)));
  grid.addEventListener("pointerleave", () => handle.hover(null));
  grid.addEventListener("click", (event) => {
    const cell = of(event);
    if (cell) handle.pick(cell);
  });
  grid.addEventListener("keydown", (event) => {
    if (!ARROWS[event.key]) return;
    event.preventDefault();
    handle.step(...ARROWS[event.key]);
  });
  const title = el("button", {
    type: "button",
    class: "order-title",
    "data-part": "order-title",
    title: say("Draw this order on the picture"),
    onclick: () => handle.draw(order),
  });
  return { root: el("div", { class: "order" }, title, grid), grid, title };
}

// Hovering a cell of any of the three is hovering its place on the picture.
/** @param {Context} ctx */
export function createOrders(ctx) {
  /** @type {{ run: Run, index: number, media: Media } | null} */
  let shown = null;
  /** @type {Window | null} */
  let view = null;
  let drawn = "none";
  /** @type {(cell: Cell) => Place | null} */
  const place = ([row, column]) => shown && placeOf(row, column, shown.media.patch_grid);
  /** @type {Handle} */
  const handle = {
    hover: (cell) => ctx.actions.hoverPlace(cell && place(cell)),
    draw: (order) => ctx.actions.choose("patches", { order: drawn === order ? "none" : order }),
    pick(cell) {
      const at = place(cell);
      if (at) ctx.actions.pickPlace(at);
    },
    step(rows, columns) {
      if (!shown) return;
      const [, height, width] = shown.media.patch_grid;
      const { row, column } = cellAt(ctx.store.state.selection.keys ?? [0, 0], shown.media.patch_grid);
      const held = (/** @type {number} */ at, /** @type {number} */ most) => Math.min(most - 1, Math.max(0, at));
      ctx.store.select({
        keys: placeOf(held(row + rows, height), held(column + columns, width), shown.media.patch_grid),
      });
    },
  };
  /** @type {Order[]} */
  const orders = ["raster", "row", "token"];
  const grids = orders.map((order) => ({ order, ...smallGrid(order, handle) }));
  const words = el("p", { class: "order-words", "data-part": "order-words" });
  const root = el(
    "div",
    { class: "order-box" },
    el("div", { class: "orders" }, ...grids.map((one) => one.root)),
    words,
  );
  return {
    root,
    /** @param {{ run: Run, index: number, frame: number, keys: Place | null, drawn: string }} what */
    update({ run, index, frame, keys, drawn: order }) {
      const media = run.media[index];
      drawn = order;
      if (shown?.run !== run || shown.index !== index) view = null;
      shown = { run, index, media };
      const here = windowAt(keys ?? [0, 0], media, view);
      view = here;
      const cell = keys ? cellAt(keys, media.patch_grid) : null;
      const chosen = cell && numbersOf(run, index, [cell.row, cell.column], frame);
      const stamp = [run.id, index, frame, view, chosen, isDark()];
      grids.forEach(({ order, grid, title }) => {
        title.setAttribute("aria-pressed", String(order === drawn));
        setText(title, titleOf[order](media));
        const columns = order === "token" ? here.columns / mergeOf(media) : here.columns;
        grid.style.setProperty("--columns", String(columns));
        grid.setAttribute("aria-label", titleOf[order](media));
        refill(grid, stamp, () => squares(order, { run, index, media, frame, view: here, chosen }));
      });
      refill(words, stamp, () => orderWords(run, index, cell, chosen, frame));
    },
  };
}

/**
 * @param {Run} run
 * @param {number} index
 * @param {{ row: number, column: number } | null} cell
 * @param {Numbers | null} chosen
 * @param {number} frame
 */
function orderWords(run, index, cell, chosen, frame) {
  if (!cell || !chosen) return say("Point at a patch, here or on the picture, to see it in all three orders.");
  const media = run.media[index];
  const merge = mergeOf(media);
  const [row, column] = [cell.row - (cell.row % merge), cell.column - (cell.column % merge)];
  const four = [];
  for (let y = row; y < row + merge; y += 1)
    for (let x = column; x < column + merge; x += 1) four.push(numbersOf(run, index, [y, x], frame));
  return say("Patch {patch} is row {row}. Patches {patches} are rows {from} to {to} and make token {token}.", {
    patch: count(chosen.raster),
    row: count(chosen.row),
    patches: four.map(({ raster }) => count(raster)).join(", "),
    from: count(four[0].row),
    to: count(four[four.length - 1].row),
    token: count(chosen.token),
  });
}

// The way an order goes through the whole grid, as places of cells in turn.
/**
 * @param {string} order
 * @param {Media} media
 * @returns {Place[]}
 */
export function pathOf(order, media) {
  const [, rows, columns] = order === "token" ? media.token_grid : media.patch_grid;
  const merge = order === "row" ? mergeOf(media) : 1;
  const places = [];
  for (let top = 0; top < rows; top += merge)
    for (let left = 0; left < columns; left += merge)
      for (let y = top; y < top + merge; y += 1)
        for (let x = left; x < left + merge; x += 1) places.push([(x + 0.5) / columns, (y + 0.5) / rows]);
  return places;
}
