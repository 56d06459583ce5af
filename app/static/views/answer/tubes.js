// Every temporal cell of a clip at once, in one column: its first frame and the part of the row that falls on it.

import { el, isDark, refill, segmented, sizeCanvas } from "../../core/dom.js";
import { drawnGrid, drawnValues } from "../../drawing/ladder.js";
import { paintCells } from "../../drawing/stage.js";
import { say } from "../../language/i18n.js";
import { count, percent } from "../../language/numbers.js";
import {
  cellInTime,
  firstFrameOf,
  frameFor,
  framesOfCell,
  isClip,
  momentName,
  sharesInTime,
} from "../../state/time.js";

/** @import { Attended, Context, Filmstrip, Grid, Letter, MapResources } from "../../core/types.d.ts" */
/** @import { Media, Numbers, Run, Selection, State } from "../../core/types.d.ts" */

/** @typedef {{ root: HTMLElement, canvas: HTMLCanvasElement, label: HTMLElement }} TubeButton */

/**
 * The part of a map that lies on one frame, and the end of its scale.
 * @typedef {{ values: Numbers, grid: Grid, max: number, offset: number, signed: boolean }} FrameCells
 */

const MOST = 12; // cells at once; of a longer clip those around the moment
const A_ROW = 6;
const NARROW = 420; // pixels below which fewer stand in a row
const STRIP_HEIGHT = 88;
const TALLEST = 110; // pixels of a frame, which keeps its shape

/** @param {number} cells @param {number} chosen */
function windowOf(cells, chosen) {
  if (cells <= MOST) return [0, cells];
  const from = Math.max(0, Math.min(cells - MOST, chosen - Math.floor(MOST / 2)));
  return [from, from + MOST];
}

/** @param {() => void} redraw */
function createStrips(redraw) {
  /** @type {{ key: string | null, image: HTMLImageElement | null }} */
  const held = { key: null, image: null };
  return (/** @type {Filmstrip | null} */ strip) => {
    if (!strip) return null;
    if (held.key !== strip.picture) {
      const image = new Image();
      Object.assign(held, { key: strip.picture, image: null });
      image.onload = () => {
        held.image = image;
        redraw();
      };
      image.src = strip.picture;
    }
    return held.image;
  };
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLImageElement | null} image
 * @param {Filmstrip | null} strip
 * @param {number} index
 * @param {FrameCells | null} cells
 * @param {number[]} box
 */
function paint(canvas, image, strip, index, cells, box) {
  const { context, width, height } = sizeCanvas(canvas, box[0], box[1]);
  if (image && strip) {
    context.filter = cells ? `saturate(${isDark() ? 0.4 : 0.45}) brightness(${isDark() ? 0.46 : 0.56})` : "none";
    context.drawImage(image, index * strip.width, 0, strip.width, strip.height, 0, 0, width, height);
    context.filter = "none";
  }
  if (cells) paintCells(context, width, height, cells);
}

/** @param {Media} media */
function titleOf(media) {
  const cells = media.token_grid[0];
  return framesOfCell(media) > 1
    ? say("{n} tubes, one map", { n: count(cells) })
    : say("{n} pictures, no time", { n: count(cells) });
}

/** @param {Numbers} values @param {number} from @param {number} to */
const most = (values, from, to) => {
  let found = 0;
  for (let at = from; at < to; at += 1) found = Math.max(found, Math.abs(values[at]));
  return found;
};

/**
 * @param {{ map: Attended, values: Numbers, grid: Grid }} over
 * @param {number} cell
 * @param {boolean} own
 * @returns {FrameCells}
 */
function cellsOver({ map, values, grid }, cell, own) {
  const size = grid[1] * grid[2];
  const max = own ? most(values, cell * size, (cell + 1) * size) : map.max;
  return { values, grid, max, offset: cell * size, signed: map.mode === "neutral" };
}

/** @param {Context} ctx @param {Letter} letter */
export function createTubes(ctx, letter) {
  const title = el("h3", {});
  const note = el("span", {});
  const scale = segmented(
    say("Scale of the tubes"),
    [
      ["all", say("One scale"), say("All tubes to the largest value among them")],
      ["own", say("Own"), say("Each tube to its own maximum")],
    ],
    (value) => ctx.store.set({ tubeScale: value }),
  );
  const grid = el("div", { class: "tube-grid" });
  /** @type {TubeButton[]} */
  let buttons = []; // of the tubes on show
  const partly = el("p", { class: "faint tubes-partly" });
  const root = el(
    "div",
    { class: "tubes", "data-part": "tubes", "data-letter": letter, hidden: true },
    el("div", { class: "title-line", "data-part": "title-line" }, title, note, scale),
    grid,
    partly,
  );
  const loaded = createStrips(ctx.store.redraw);

  /** @param {number} cell */
  function select(cell) {
    const { state } = ctx.store;
    return { frame: frameFor(state, state.selection, letter, cell) };
  }
  /** @param {number} cell @returns {TubeButton} */
  function button(cell) {
    const [canvas, label] = [
      el("canvas", { "aria-hidden": "true" }),
      el("span", { class: "tube-label", "data-part": "tube-label" }),
    ];
    const node = el(
      "button",
      {
        type: "button",
        class: "tube-button",
        "data-part": "tube-button",
        "data-cell": cell,
        onclick: () => ctx.store.select(select(cell)),
        onpointerenter: (/** @type {PointerEvent} */ event) =>
          event.pointerType === "mouse" && ctx.store.preview(select(cell)),
        onpointerleave: () => ctx.store.preview(null),
      },
      canvas,
      label,
    );
    return { root: node, canvas, label };
  }

  /** @param {State} state @param {Run} run @param {Media} media @param {Attended | null} map @param {number} chosen */
  function draw(state, run, media, map, chosen) {
    const cells = media.token_grid[0];
    const [from, to] = windowOf(cells, chosen);
    const shown = Array.from({ length: to - from }, (_, index) => from + index);
    const frames = shown.map((cell) => firstFrameOf(media, cell));
    const query = { run: run.id, media: media.index, frames, height: STRIP_HEIGHT };
    const strip = ctx.client.resource(`tubes ${letter}`, "filmstrip", query, { group: `${run.id} ${media.index}` });
    const image = strip.fresh ? loaded(strip.value) : null;
    refill(grid, [run.id, media.index, from, to], () => {
      buttons = shown.map(button);
      return buttons.map((one) => one.root);
    });
    const across = Math.min(grid.clientWidth < NARROW ? 3 : A_ROW, shown.length);
    partly.textContent =
      to - from < cells
        ? say("{first} to {last} are drawn", { first: momentName(media, from), last: momentName(media, to - 1) })
        : "";
    grid.style.gridTemplateColumns = `repeat(${across}, minmax(0, 1fr))`;
    const room = Math.max(24, Math.floor(((grid.clientWidth || 480) - 6 * (across - 1)) / across) - 4);
    const shape = media.size[0] / media.size[1];
    const height = Math.max(16, Math.min(TALLEST, Math.round(room / shape)));
    const width = Math.max(8, Math.min(room, Math.round(height * shape)));
    const over = map && { map, values: drawnValues(map), grid: drawnGrid(map), shares: sharesInTime(run, media, map) };
    buttons.forEach(({ root: node, canvas, label }, index) => {
      const cell = shown[index];
      const cells = over && cellsOver(over, cell, state.tubeScale === "own");
      paint(canvas, image, strip.value, index, cells, [width, height]);
      const words = over ? `${momentName(media, cell)} · ${percent(over.shares[cell])}` : momentName(media, cell);
      label.textContent = words;
      node.setAttribute("aria-pressed", String(cell === chosen));
    });
  }

  return {
    root,
    /** @param {State} state @param {Selection} selection @param {MapResources} resources */
    update(state, selection, { media, map }) {
      const run = state.runs[letter];
      root.hidden = !run || !isClip(media);
      if (!run || !media || root.hidden) return undefined;
      const shown = selection.query[letter] === null ? null : map;
      const [cells, rows, columns] = media.token_grid;
      title.textContent = titleOf(media);
      note.textContent =
        framesOfCell(media) > 1
          ? shown
            ? say("{share} of row {row} on the clip", { share: percent(shown.share), row: count(shown.row) })
            : say("{n} tokens each", { n: count(rows * columns) })
          : say("{n} positions for each, whatever the size", { n: count(rows * columns + media.marks_each) });
      scale.choose(state.tubeScale ?? "all");
      scale.hidden = cells < 2;
      return draw(state, run, media, shown, cellInTime(state, selection, letter));
    },
  };
}
