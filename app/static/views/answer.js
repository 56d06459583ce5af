// Why this word: the row that predicts a word of the answer, as a map on the picture, in both models.

import { el, segmented, toggle } from "../dom.js";
import { cellAt, cellBox, fit, placeOf } from "../geometry.js";
import { count, percent } from "../numbers.js";
import { Matrix } from "../parts/matrix.js";
import { Ladder, drawnGrid, drawnValues } from "../parts/ladder.js";
import { rowBars } from "../parts/rowbar.js";
import { createRibbon } from "../parts/ribbon.js";
import { createScale } from "../parts/scale.js";
import { createStage } from "../parts/stage.js";
import { createClip } from "../parts/clip.js";
import { honestPanel, weightsNote } from "../parts/honest.js";
import { LETTERS } from "../store.js";
import { rowWords } from "../status.js";
import { atCell, cellInTime } from "../time.js";
import { chosenLabel, wordOfToken } from "../words.js";

export const NAME = "Answer";
export const SITE = "language";
const STAGE_HEIGHT = 288;
const SCALE_HEIGHT = 204; // the least that its words need

const PLURALS = { patch: "patches", token: "tokens" };

function pens() {
  const word = el("b", { class: "pen-word" });
  const root = el(
    "div",
    { class: "pens" },
    el("span", {}, el("i", { class: "pen-query" }), "row that predicts ", word),
    el("span", {}, el("i", { class: "pen-key" }), "fewest cells that hold half of its image share"),
  );
  return { root, word };
}

function tools(ctx) {
  const pen = pens();
  const button = (text, label, act) =>
    el("button", { type: "button", class: "tool", text, "aria-label": label, title: label, onclick: act });
  const play = button("▶", "Play the answer word by word", () => ctx.actions.play());
  const scale = segmented(
    "Scale",
    [
      ["own", "Own scale", "Each map to its own maximum"],
      ["shared", "Shared", "Both maps to the larger maximum"],
    ],
    (value) => ctx.store.set({ shared: value === "shared" }),
  );
  const media = ctx.mediaChoice();
  const root = el(
    "div",
    { class: "tools" },
    el(
      "div",
      { class: "steps" },
      button("‹", "Previous word", () => ctx.actions.stepWord(-1)),
      play,
      button("›", "Next word", () => ctx.actions.stepWord(1)),
    ),
    pen.root,
    el("span", { class: "spring" }),
    media.root,
    scale,
  );
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
  const matrix = new Matrix({
    letter,
    onhover: (layer, head) => ctx.actions.hoverHead(letter, layer, head),
    onpick: (layer, head) => ctx.actions.pickHead(letter, layer, head),
  });
  const cell = (name, ...children) => el("div", { class: name, "data-letter": letter }, ...children);
  const matrixBox = el(
    "div",
    { class: "matrix-box" },
    el("div", { class: "title-line" }, el("h3", { text: "Share on the image, %" })),
    matrix.root,
    el("div", { class: "matrix-axes", text: "head →   layer ↓" }),
  );
  const ladder = new Ladder();
  const ribbon = createRibbon();
  const bars = cell("bars");
  return {
    letter,
    stage,
    scale,
    matrix,
    ladder,
    ribbon,
    bars,
    cells: [
      cell("stage-cell", stage.root, scale.root),
      bars,
      cell("ribbon-cell", ribbon.root),
      cell("detail-cell", matrixBox, ladder.root),
    ],
  };
}

function pinned(map, { keys }, frame) {
  if (!keys) return null;
  const grid = drawnGrid(map);
  const { row, column, index } = cellAt(keys, grid);
  const value = drawnValues(map)[frame * grid[1] * grid[2] + index];
  const box = cellBox(row, column, [1, 1], grid);
  return { value, box, place: placeOf(row, column, grid), text: `${map.unit} (${row}, ${column})` };
}

function scaleLines(map, pin, most) {
  const cells = drawnGrid(map).reduce((product, size) => product * size, 1);
  const top = [[percent(most), ` of the row, in one ${map.unit}`]];
  if (map.shares_all - map.share > 1e-7) top.push(["", `${percent(map.share)} of it on this picture`]);
  const half = [`${count(map.half.length)} of ${count(cells)}`, ` ${PLURALS[map.unit]} hold it`];
  const bottom = pin
    ? [
        ["", `pinned ${pin.text}`],
        [percent(pin.value), " of the row"],
      ]
    : [];
  return { top, middle: [["", "half of the image share"], half], bottom: [...bottom, ["", "0"]] };
}

function inFrame(cells, [, rows, columns], frame) {
  const size = rows * columns;
  return cells.filter((cell) => Math.floor(cell / size) === frame).map((cell) => cell % size);
}

// What lies on the picture while a row is chosen: the map, the contour of half of it, a pinned cell.
function overMap(map, most, pin, frame) {
  const grid = drawnGrid(map);
  return {
    quiet: true,
    cells: { values: drawnValues(map), grid, max: most, offset: frame * grid[1] * grid[2] },
    contour: { cells: inFrame(map.half, grid, frame), grid },
    outlines: pin ? [{ box: pin.box, kind: "key" }] : [],
    label: pin ? { text: pin.text, place: pin.place } : null,
    aria: map.sentence,
  };
}

const BARE = { quiet: false, cells: null, contour: null, outlines: [], label: null };

function maximum(state, resources, letter) {
  if (!state.shared) return resources[letter].map.max;
  return Math.max(...LETTERS.map((each) => resources[each].map?.max || 0));
}

function drawColumn(ctx, view, state, selection, resources) {
  const { letter } = view;
  const run = state.runs[letter];
  const { media, image, map, late, error } = resources[letter];
  if (!run || !media) return drawVacant(ctx, view, state);
  const { inner, flat } = ctx.stageBox(view.cells[0], media.size, STAGE_HEIGHT);
  const shown = selection.query[letter] === null ? null : map;
  const most = shown && maximum(state, resources, letter);
  const cell = cellInTime(state, selection, letter);
  const pin = shown && pinned(shown, selection, cell);
  const over = shown ? overMap(shown, most, pin, cell) : BARE;
  view.stage.update({ image, size: media.size, box: inner, dimmed: late, note: error, ...over });
  toggle(view.cells[0], "flat", flat);
  setIdle(view, !shown);
  if (!shown) return undefined;
  const height = Math.max(SCALE_HEIGHT, Math.round(fit(media.size, inner).height));
  view.scale.update({ height, flat, ...scaleLines(shown, pin, most) });
  return drawDetails(ctx, view, { selection, run, map: shown, still: atCell(shown, cell), image, media });
}

const setIdle = (view, idle) =>
  [view.scale.root, ...view.cells.slice(1)].forEach((node) => toggle(node, "idle", idle));

function drawVacant(ctx, view, state) {
  setIdle(view, true);
  view.stage.update(ctx.vacant(view.cells[0], view.letter, STAGE_HEIGHT, state.runs[view.letter]));
}

const headWords = (head) => (head === "mean" ? "mean of heads" : `head ${head}`);

function drawDetails(ctx, view, { selection, run, map, still, image, media }) {
  const { letter } = view;
  rowBars(view.bars, {
    row: map.row,
    where: `language ${map.layer === "mean" ? "mean of layers" : `layer ${map.layer}`}`,
    chosen: headWords(map.head),
    sections: map.sections,
    mean: map.sections_mean,
  });
  if (map.keys)
    view.ribbon.update({ run, row: map.row, keys: map.keys, width: Math.floor(view.cells[2].clientWidth) });
  const shares = ctx.shares(letter);
  if (shares) view.matrix.update(shares.values, selection.layer[letter], selection.head[letter]);
  if (image) view.ladder.update(run, still, image, media);
}

function honest(selection, runs) {
  const mean = LETTERS.some(
    (letter) => runs[letter] && (selection.head[letter] === "mean" || selection.layer[letter] === "mean"),
  );
  return [
    [
      "Plotted",
      `${mean ? "A row averaged over heads or layers" : "One row of one head"}, exact. Only the part that falls on the image is drawn.`,
    ],
    ["Normalised", "Colours run to the maximum of each scale. Printed shares are of the whole row."],
    ["Not shown", `Cause: a high share is no reason. ${weightsNote(LETTERS.map((letter) => runs[letter]))}`],
  ];
}

export function createView(ctx) {
  const columns = Object.fromEntries(LETTERS.map((letter) => [letter, column(ctx, letter)]));
  const tool = tools(ctx);
  const panel = honestPanel();
  const rows = columns.A.cells.map((cell, index) =>
    el("div", { class: `pair pair-${index}` }, cell, columns.B.cells[index]),
  );
  const clip = createClip(ctx); // nothing where a still is looked at
  const root = el("div", { class: "view view-answer" }, tool.root, ...clip.above, ...rows, ...clip.below, panel.root);
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
      clip.update(state, selection, resources);
      panel.update(honest(selection, state.runs));
    },
  };
}

// What the status line says of this view.
export function status(ctx, state, selection) {
  const run = state.runs[selection.model];
  const token = selection.query[selection.model];
  const label = chosenLabel(run, token);
  if (!label) return [["Nothing is chosen: point at a word of an answer to see the row that predicts it."]];
  return [
    [wordOfToken(run, token) >= 0 ? "answer word " : "", label],
    ...LETTERS.map((letter) => ["", letter, ` ${rowWords(ctx, letter, state, selection)}`]),
  ];
}
