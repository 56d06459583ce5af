// Why this word: the row that predicts a word of the answer, as a map on the picture, in both models.

import { el, refill, segmented, toggle } from "../dom.js";
import { cellSize, fit, placeOf, rowAndColumn } from "../geometry.js";
import { count, percent, pixels } from "../numbers.js";
import { createMatrix } from "../parts/matrix.js";
import { rowBars } from "../parts/rowbar.js";
import { createRibbon } from "../parts/ribbon.js";
import { createScale } from "../parts/scale.js";
import { createStage } from "../parts/stage.js";
import { paintCrop, paintGrid, paintSmallMap } from "../parts/thumbs.js";
import { honestPanel, weightsNote } from "../parts/honest.js";
import { LETTERS } from "../store.js";
import { chosenLabel } from "../words.js";

export const NAME = "Answer";
const STAGE_HEIGHT = 288;
const SCALE_HEIGHT = 204; // the least that its words need

const noun = (letter) => (letter === "A" ? "patch" : "token");
const nouns = { A: "patches", B: "tokens" };

// Values on the grid that a model's stage is drawn on: patches for A, tokens for B.
export const drawnGrid = (letter, map) => (letter === "A" ? map.grid : map.token_grid);
export const drawnValues = (letter, map) => (letter === "A" ? map.values : map.tokens);

function pens() {
  const word = el("b", { class: "pen-word" });
  const root = el("div", { class: "pens" }, el("span", {}, el("i", { class: "pen-query" }), "row that predicts ", word), el("span", {}, el("i", { class: "pen-key" }), "fewest cells that hold half of its image share"));
  return { root, word };
}

function tools(ctx) {
  const pen = pens();
  const button = (text, label, act) => el("button", { type: "button", class: "tool", text, "aria-label": label, title: label, onclick: act });
  const play = button("▶", "Play the answer word by word", () => ctx.actions.play());
  const scale = segmented("Scale", [["own", "Own scale", "Each map to its own maximum"], ["shared", "Shared", "Both maps to the larger maximum"]], (value) => ctx.store.set({ shared: value === "shared" }));
  const media = ctx.mediaChoice();
  const root = el("div", { class: "tools" }, el("div", { class: "steps" }, button("‹", "Previous word", () => ctx.actions.stepWord(-1)), play, button("›", "Next word", () => ctx.actions.stepWord(1))), pen.root, el("span", { class: "spring" }), media.root, scale);
  return { root, pen, scale, media, play };
}

function column(ctx, letter) {
  const stage = createStage({
    letter,
    title: `The picture, model ${letter}`,
    onhover: (place) => ctx.actions.hoverPlace(place),
    onpick: (place) => ctx.actions.pickPlace(place),
    onstep: (rows, columns) => ctx.actions.stepPlace(letter, rows, columns),
  });
  const scale = createScale();
  const matrix = createMatrix({
    letter,
    onhover: (layer, head) => ctx.actions.hoverHead(letter, layer, head),
    onpick: (layer, head) => ctx.actions.pickHead(letter, layer, head),
  });
  const cell = (name, ...children) => el("div", { class: name, "data-letter": letter }, ...children);
  const matrixBox = el("div", { class: "matrix-box" }, el("div", { class: "title-line" }, el("h3", { text: "Share on the image, %" })), matrix.root, el("div", { class: "matrix-axes", text: "head →   layer ↓" }));
  const ladder = createLadder(ctx, letter);
  const ribbon = createRibbon();
  const bars = cell("bars");
  const note = el("p", { class: "column-note" });
  return {
    letter, stage, scale, matrix, ladder, ribbon, bars, note,
    cells: [cell("stage-cell", stage.root, scale.root, note), bars, cell("ribbon-cell", ribbon.root), cell("detail-cell", matrixBox, ladder.root)],
  };
}

function createLadder(ctx, letter) {
  const rung = () => el("figure", { class: "rung" }, el("canvas"), el("figcaption"));
  const rungs = [rung(), rung(), rung()];
  const product = el("code", { class: "product" });
  const arrow = () => el("span", { class: "arrow", text: "→" });
  const root = el("div", { class: "ladder" }, el("div", { class: "title-line" }, el("h3", { text: "From row to picture" }), product), el("div", { class: "rungs" }, rungs[0], arrow(), rungs[1], arrow(), rungs[2]));
  return { root, rungs, product, letter, ctx, last: null };
}

const caption = (figure, ...lines) => refill(figure.querySelector("figcaption"), lines, () => lines.map((line) => el("span", { text: line })));

function paintLadder(ladder, run, map, image, media) {
  const stamp = [run.id, media.index, document.body.className].join();
  if (!image || (ladder.last?.map === map && ladder.last.stamp === stamp)) return;
  ladder.last = { map, stamp };
  const [first, second, third] = ladder.rungs.map((rung) => rung.querySelector("canvas"));
  const [, rows, columns] = map.token_grid;
  const box = [92, 76];
  const [width, height] = cellSize(media.size, drawnGrid(ladder.letter, map));
  if (ladder.letter === "A") {
    ladder.product.textContent = "(1×256)·(256×1024)";
    paintGrid(first, map.tokens.slice(0, 256), [16, 16], box);
    caption(ladder.rungs[0], "256 queries", "not places");
    paintGrid(second, map.values.slice(0, map.grid[1] * map.grid[2]), [map.grid[1], map.grid[2]], box);
    caption(ladder.rungs[1], `${count(map.grid[1] * map.grid[2])} patches`, "pulled back");
  } else {
    ladder.product.textContent = `(1×${map.tokens.length}) ⊗ 2×2`;
    paintGrid(first, map.tokens.slice(0, rows * columns), [rows, columns], box);
    caption(ladder.rungs[0], `${rows} × ${columns} tokens`, "already places");
    paintFold(second, image, media, map);
    caption(ladder.rungs[1], "4 patches", "equal split");
  }
  const values = drawnValues(ladder.letter, map);
  paintSmallMap(third, image, media.size, { values, grid: drawnGrid(ladder.letter, map), max: map.max }, [118, 76]);
  caption(ladder.rungs[2], "original picture", `${pixels(width)} × ${pixels(height)} px`);
}

function paintFold(canvas, image, media, map) {
  const [row, column] = rowAndColumn(map.max_index, map.token_grid);
  const [width, height] = cellSize(media.size, map.token_grid);
  const box = [column * width, row * height, (column + 1) * width, (row + 1) * height];
  const scale = Math.min(76 / width, 76 / height);
  const paper = paintCrop(canvas, image, media.size, box, [width * scale, height * scale]);
  paper.context.fillStyle = "rgb(255 255 255 / .9)";
  paper.context.fillRect(paper.width / 2 - paper.ratio / 2, 0, paper.ratio, paper.height);
  paper.context.fillRect(0, paper.height / 2 - paper.ratio / 2, paper.width, paper.ratio);
}

function pinned(ctx, letter, map, selection) {
  if (!selection.keys) return null;
  const grid = drawnGrid(letter, map);
  const [, rows, columns] = grid;
  const [x, y] = selection.keys;
  const [row, at] = [Math.min(rows - 1, Math.floor(y * rows)), Math.min(columns - 1, Math.floor(x * columns))];
  const value = drawnValues(letter, map)[selection.frame * rows * columns + row * columns + at];
  return { row, column: at, value, box: [at / columns, row / rows, (at + 1) / columns, (row + 1) / rows], place: placeOf(row, at, grid), text: `${noun(letter)} (${row}, ${at})` };
}

function scaleLines(letter, map, pin, most) {
  const unit = drawnGrid(letter, map).reduce((product, size) => product * size, 1);
  const top = [[percent(most), ` of the row, in one ${noun(letter)}`]];
  const middle = [["", "half of the image share"], [`${count(map.half.length)} of ${count(unit)}`, ` ${nouns[letter]} hold it`]];
  const share = map.shares_all !== undefined && map.shares_all - map.share > 1e-7 ? `${percent(map.share)} of it on this picture` : null;
  if (share) top.push(["", share]);
  const bottom = pin ? [["", `pinned ${pin.text}`], [percent(pin.value), " of the row"]] : [];
  return { top, middle, bottom: [...bottom, ["", "0"]] };
}

function drawColumn(ctx, view, state, selection, resources) {
  const { letter } = view;
  const run = state.runs[letter];
  const { media, image, map, late, error } = resources[letter];
  view.cells.forEach((cell) => toggle(cell, "waiting", !run));
  if (!run || !media) return drawVacant(ctx, view, state);
  const box = ctx.stageBox(view.cells[0], media.size, STAGE_HEIGHT);
  const live = state.live[letter];
  const note = live ? live.step : late;
  const idle = !map || selection.query[letter] === null;
  const most = idle ? 0 : state.shared ? Math.max(...LETTERS.map((each) => resources[each].map?.max || 0)) : map.max;
  const pin = idle ? null : pinned(ctx, letter, map, selection);
  view.stage.update({
    image, size: media.size, box: box.inner, quiet: !idle,
    cells: idle ? null : { values: drawnValues(letter, map), grid: drawnGrid(letter, map), max: most, offset: frameOffset(letter, map, selection) },
    contour: idle ? null : { cells: inFrame(map.half, drawnGrid(letter, map), selection.frame), grid: drawnGrid(letter, map) },
    outlines: pin ? [{ box: pin.box, kind: "key" }] : [], label: pin ? { text: pin.text, place: pin.place } : null,
    dimmed: note, note: error, aria: map?.sentence,
  });
  toggle(view.cells[0], "flat", box.flat);
  [view.scale.root, ...view.cells.slice(1)].forEach((node) => toggle(node, "idle", idle));
  if (idle) return undefined;
  view.scale.update({ height: Math.max(SCALE_HEIGHT, Math.round(fit(media.size, box.inner).height)), flat: box.flat, ...scaleLines(letter, map, pin, most) });
  return drawDetails(ctx, view, { state, selection, run, map, image, media });
}

const frameOffset = (letter, map, selection) => {
  const [, rows, columns] = drawnGrid(letter, map);
  return selection.frame * rows * columns;
};

const inFrame = (cells, [, rows, columns], frame) => {
  const size = rows * columns;
  return cells.filter((cell) => Math.floor(cell / size) === frame).map((cell) => cell % size);
};

const headWords = (head) => (head === "mean" ? "mean of heads" : `head ${head}`);

function drawDetails(ctx, view, { selection, run, map, image, media }) {
  const { letter } = view;
  rowBars(view.bars, {
    row: map.row,
    where: `language ${map.layer === "mean" ? "mean of layers" : `layer ${map.layer}`}`,
    chosen: headWords(map.head),
    sections: map.sections,
    mean: map.sections_mean,
  });
  if (map.keys) view.ribbon.update({ run, row: map.row, keys: map.keys, width: Math.floor(view.cells[2].clientWidth) });
  const shares = ctx.shares(letter);
  if (shares) view.matrix.update(shares.values, selection.layer[letter], selection.head[letter]);
  paintLadder(view.ladder, run, map, image, media);
}

function drawVacant(ctx, view, state) {
  const run = state.runs[view.letter];
  view.cells.slice(1).forEach((cell) => cell.classList.add("idle"));
  view.scale.root.classList.add("idle");
  view.stage.update(ctx.vacant(view.cells[0], view.letter, STAGE_HEIGHT, run));
}

function honest(selection, runs) {
  const mean = LETTERS.some((letter) => runs[letter] && (selection.head[letter] === "mean" || selection.layer[letter] === "mean"));
  return [
    ["Plotted", `${mean ? "A row averaged over heads or layers" : "One row of one head"}, exact. Only the part that falls on the image is drawn.`],
    ["Normalised", "Colours run to the maximum of each scale. Printed shares are of the whole row."],
    ["Not shown", `Cause: a high share is no reason. ${weightsNote(LETTERS.map((letter) => runs[letter]))}`],
  ];
}

export function createView(ctx) {
  const columns = Object.fromEntries(LETTERS.map((letter) => [letter, column(ctx, letter)]));
  const tool = tools(ctx);
  const panel = honestPanel();
  const rows = columns.A.cells.map((cell, index) => el("div", { class: `pair pair-${index}` }, cell, columns.B.cells[index]));
  const root = el("div", { class: "view view-answer" }, tool.root, ...rows, panel.root);
  return {
    root,
    stages: { A: columns.A.stage, B: columns.B.stage },
    update(state, selection) {
      const resources = Object.fromEntries(LETTERS.map((letter) => [letter, ctx.mapResources(letter)]));
      const word = chosenLabel(state.runs[selection.model], selection.query[selection.model]);
      toggle(tool.pen.root, "idle", !word);
      tool.pen.word.textContent = word;
      tool.scale.choose(state.shared ? "shared" : "own");
      tool.play.textContent = state.playing ? "❚❚" : "▶";
      tool.media.update(state, selection);
      LETTERS.forEach((letter) => drawColumn(ctx, columns[letter], state, selection, resources));
      panel.update(honest(selection, state.runs));
    },
  };
}
