// What joins vision to language: Qwen-VL's queries, each with its map on the picture; Qwen2-VL's merger of four patches.

import { el, letterBadge, refill, segmented, setText } from "../dom.js";
import { cellAt, cellBox, cellSize, rowAndColumn } from "../geometry.js";
import { count, percent, pixels } from "../numbers.js";
import { honestPanel, weightsNote } from "../parts/honest.js";
import { figures } from "../parts/scale.js";
import { ContactSheet, halfCount, readersOf } from "../parts/sheet.js";
import { createStage } from "../parts/stage.js";
import { paintCrop } from "../parts/thumbs.js";
import { LETTERS } from "../store.js";

export const NAME = "Adapter";
export const SITE = "adapter";
const STAGE_HEIGHT = 250;

const cells = (media) => media.token_grid.reduce((product, size) => product * size, 1);

const headName = (head) => (head === "mean" ? "all heads" : `head ${head}`);

function controls(ctx) {
  const number = el("input", {
    type: "number",
    min: 0,
    step: 1,
    id: "adapter-query",
    onchange: (event) => ctx.actions.pickQuery(Number(event.target.value) || 0),
  });
  const head = el("select", {
    id: "adapter-head",
    onchange: (event) =>
      ctx.actions.pickAdapterHead(event.target.value === "mean" ? "mean" : Number(event.target.value)),
  });
  const orders = segmented(
    "Order",
    [
      ["index", "index"],
      ["entropy", "entropy", "Most focused first"],
      ["place", "place", "By the patch they look at most"],
    ],
    (value) => ctx.store.set({ sheetOrder: value }),
  );
  const readers = el("div", { class: "readers" });
  const field = (name, label, node) => el("div", { class: "field" }, el("label", { for: name, text: label }), node);
  const queryField = field("adapter-query", "Query", number);
  const root = el(
    "div",
    { class: "adapter-controls" },
    queryField,
    field("adapter-head", "Head", head),
    el("div", { class: "field" }, el("span", { class: "label", text: "Order" }), orders),
    readers,
  );
  return { root, number, queryLabel: queryField.firstChild, head, orders, readers };
}

function updateControls(parts, state, selection, run, sheet, pin) {
  const { query, head } = selection.adapter;
  const { heads, queries } = run.sites.adapter;
  if (document.activeElement !== parts.number) parts.number.value = String(query);
  parts.number.max = String(queries - 1);
  setText(parts.queryLabel, `Query, 0 to ${queries - 1}`);
  refill(parts.head, [run.id, heads], () => [
    el("option", { value: "mean", text: `mean of ${heads}` }),
    ...[...Array(heads).keys()].map((index) => el("option", { value: String(index), text: `head ${index}` })),
  ]);
  parts.head.value = String(head);
  parts.orders.choose(state.sheetOrder || "index");
  if (!sheet) return;
  const found = readersOf(sheet, pin.index, 5);
  refill(parts.readers, [found, pin, query], () => [
    el("h3", { text: `Readers of patch (${pin.row}, ${pin.column})` }),
    ...found.map(([reader, weight]) =>
      el(
        "div",
        { class: `reader${reader === query ? " chosen" : ""}` },
        el("span", { text: reader }),
        el("span", { class: "bar-track" }, el("i", { style: { width: `${(100 * weight) / found[0][1]}%` } })),
        el("span", { text: percent(weight) }),
      ),
    ),
  ]);
}

// The patch in question: the pinned place, else the patch that the chosen query looks at most.
function patchInQuestion(map, selection) {
  if (selection.keys) return cellAt(selection.keys, map.grid);
  const [row, column] = rowAndColumn(map.max_index, map.grid);
  return { row, column, index: map.max_index };
}

function drawA(ctx, view, state, selection) {
  const run = state.runs.A;
  const media = run?.media[selection.media];
  const map = media && ctx.adapterMap();
  if (!map) {
    if (!media) view.stage.update(ctx.vacant(view.cell, "A", STAGE_HEIGHT, run));
    else
      view.stage.update({
        image: ctx.picture("picture", run.id, selection.media),
        size: media.size,
        box: ctx.stageBox(view.cell, media.size, STAGE_HEIGHT).inner,
      });
    return;
  }
  const { inner, flat } = ctx.stageBox(view.cell, media.size, STAGE_HEIGHT);
  const pin = patchInQuestion(map, selection);
  view.cell.classList.toggle("flat", flat);
  view.stage.update({
    image: ctx.picture("picture", run.id, selection.media),
    size: media.size,
    box: inner,
    quiet: true,
    cells: { values: map.values, grid: map.grid, max: map.max },
    contour: { cells: map.half, grid: map.grid },
    outlines: selection.keys ? [{ box: cellBox(pin.row, pin.column, [1, 1], map.grid), kind: "key" }] : [],
    label: { text: `query ${selection.adapter.query} · ${headName(selection.adapter.head)}` },
  });
  figures(view.side, [
    [`${map.entropy.toFixed(1)} bits`, `entropy, of ${Math.log2(map.values.length).toFixed(0)} at most`],
    [count(map.half.length), `of ${count(map.values.length)} patches hold half`],
    [percent(map.max), "of the row in one patch, the most"],
  ]);
  const sheet = ctx.adapterSheet();
  updateControls(view.controls, state, selection, run, sheet?.values, pin);
  if (!sheet) return;
  view.sheet.update({
    values: sheet.values,
    query: selection.adapter.query,
    order: state.sheetOrder || "index",
    readers: readersOf(sheet.values, pin.index, 5).map(([query]) => query),
    width: view.sheetBox.clientWidth,
  });
}

function drawB(ctx, view, state, selection) {
  const run = state.runs.B;
  const media = run?.media[selection.media];
  if (!media) {
    view.stage.update(ctx.vacant(view.cell, "B", STAGE_HEIGHT, run));
    return;
  }
  const image = ctx.picture("picture", run.id, selection.media);
  const { inner, flat } = ctx.stageBox(view.cell, media.size, STAGE_HEIGHT);
  const { row, column, index } = cellAt(ctx.adapterPlace(selection), media.token_grid);
  const [width, height] = cellSize(media.size, media.token_grid);
  view.cell.classList.toggle("flat", flat);
  view.stage.update({
    image,
    size: media.size,
    box: inner,
    quiet: false,
    lines: media.token_grid,
    outlines: [{ box: cellBox(row, column, [1, 1], media.token_grid), kind: "query" }],
    label: { text: `token (${row}, ${column})` },
  });
  figures(view.side, [
    ["4", "patches make one token, always"],
    [`${pixels(width)} × ${pixels(height)}`, "px of the original, each token"],
    [count(cells(media)), "tokens, no two share a patch"],
  ]);
  if (image) drawMerger(view, image, media, { row, column, index });
  drawTable(view, state, ctx, selection);
}

function drawMerger(view, image, media, { row, column, index }) {
  const box = cellBox(row, column, media.size, media.token_grid);
  const scale = Math.min(136 / (box[2] - box[0]), 136 / (box[3] - box[1]));
  const side = [(box[2] - box[0]) * scale, (box[3] - box[1]) * scale];
  const stamp = [media.index, index, image.src.length].join();
  if (view.crop.dataset.stamp !== stamp) {
    view.crop.dataset.stamp = stamp;
    const paper = paintCrop(view.crop, image, media.size, box, side);
    paper.context.fillStyle = "#ffffff";
    paper.context.fillRect(paper.width / 2 - paper.ratio, 0, 2 * paper.ratio, paper.height);
    paper.context.fillRect(0, paper.height / 2 - paper.ratio, paper.width, 2 * paper.ratio);
  }
  const columns = media.patch_grid[2];
  const first = 2 * row * columns + 2 * column;
  refill(view.four, [row, column, columns], () =>
    [first, first + 1, first + columns, first + columns + 1].map((patch, at) =>
      el("span", { class: "corner", text: at, title: `patch ${count(patch)}` }),
    ),
  );
  refill(view.mergeWords, [index, first, columns], () => [
    el(
      "p",
      {},
      "Patches ",
      el("b", {
        text: `${count(first)}, ${count(first + 1)}, ${count(first + columns)}, ${count(first + columns + 1)}`,
      }),
      " of the picture, counted row by row,",
    ),
    el(
      "p",
      {},
      "are rows ",
      el("b", { text: `${count(4 * index)} to ${count(4 * index + 3)}` }),
      " of pixel_values,",
    ),
    el(
      "p",
      {},
      "are joined end to end in that order, pass two linear layers, and become ",
      el("b", { text: `visual token ${count(index)}` }),
      ".",
    ),
  ]);
}

function drawTable(view, state, ctx, selection) {
  const [a, b] = LETTERS.map((letter) => state.runs[letter]?.media[selection.media]);
  const sheet = ctx.adapterSheet();
  const half = sheet ? halfCount(sheet.values) : null;
  const rows = [
    ["Tokens for this picture", a ? count(cells(a)) : "–", count(cells(b))],
    ["Patches one token can read", a ? `all ${count(a.patch_grid[1] * a.patch_grid[2])}` : "–", "exactly 4"],
    ["Patches that hold half of a token, median", half === null ? "–" : count(half), "2"],
    ["A token has a place of its own", a ? "no, a learnt one" : "–", "yes, 2 × 2 patches"],
  ];
  refill(view.table, rows, () => [
    el(
      "tr",
      {},
      el("th", { text: "Same question, both adapters" }),
      el("th", { text: "A, cross-attention" }),
      el("th", { text: "B, merger" }),
    ),
    ...rows.map((cells) => el("tr", {}, ...cells.map((text) => el("td", { text })))),
  ]);
}

function columnA(ctx) {
  const stage = createStage({
    letter: "A",
    title: "The picture with the map of one adapter query",
    onhover: () => {},
    onpick: (place) => ctx.actions.pickPlace(place),
    onstep: (rows, columns) => ctx.actions.stepPlace("A", rows, columns),
  });
  const side = el("div", { class: "figures" });
  const sheet = new ContactSheet({ onhover: ctx.actions.hoverQuery, onpick: ctx.actions.pickQuery });
  const parts = controls(ctx);
  const sheetBox = el("div", { class: "sheet-box" }, sheet.root);
  const title = el(
    "div",
    { class: "title-line" },
    el("h3", {}, letterBadge("A"), "Its queries, one map each"),
    el("span", { text: "each to its own maximum, exponent .7" }),
  );
  const detail = el(
    "div",
    { class: "adapter-detail", "data-letter": "A" },
    title,
    el("div", { class: "sheet-row" }, sheetBox, parts.root),
  );
  return {
    stage,
    side,
    sheet,
    sheetBox,
    controls: parts,
    detail,
    cell: el("div", { class: "stage-cell", "data-letter": "A" }, stage.root, side),
  };
}

function columnB(ctx) {
  const stage = createStage({
    letter: "B",
    title: "The picture under the token grid",
    onhover: () => {},
    onpick: (place) => ctx.actions.pickPlace(place),
    onstep: (rows, columns) => ctx.actions.stepPlace("B", rows, columns),
  });
  const side = el("div", { class: "figures" });
  const [crop, four, mergeWords, table] = [
    el("canvas"),
    el("div", { class: "corners" }),
    el("div", { class: "merge-words" }),
    el("table", { class: "both" }),
  ];
  const title = el(
    "div",
    { class: "title-line" },
    el("h3", {}, letterBadge("B"), "The merger"),
    el("span", { text: "no attention, no choice: a reshape and an MLP" }),
  );
  const detail = el(
    "div",
    { class: "adapter-detail", "data-letter": "B" },
    title,
    el(
      "section",
      { class: "card merger" },
      el("div", { class: "merge-row" }, el("div", { class: "crop" }, crop, four), mergeWords),
      table,
    ),
  );
  return {
    stage,
    side,
    crop,
    four,
    mergeWords,
    table,
    detail,
    cell: el("div", { class: "stage-cell", "data-letter": "B" }, stage.root, side),
  };
}

export function createView(ctx) {
  const [a, b] = [columnA(ctx), columnB(ctx)];
  const panel = honestPanel();
  const choice = ctx.mediaChoice();
  return {
    root: el(
      "div",
      { class: "view view-adapter" },
      choice.root,
      el("div", { class: "pair" }, a.cell, b.cell),
      el("div", { class: "pair" }, a.detail, b.detail),
      panel.root,
    ),
    stages: { A: a.stage, B: b.stage },
    update(state, selection) {
      choice.update(state, selection);
      drawA(ctx, a, state, selection);
      drawB(ctx, b, state, selection);
      panel.update([
        [
          "Plotted",
          `Cross-attention of query ${selection.adapter.query}: one softmax over all patches, ${headName(selection.adapter.head)}${selection.adapter.head === "mean" ? " averaged" : ""}.`,
        ],
        [
          "Normalised",
          "Each map to its own maximum, so a faint map is a flat one. Printed shares are of the query's row.",
        ],
        [
          "Not shown",
          `What a query writes: this is what it reads. ${weightsNote(LETTERS.map((letter) => state.runs[letter]))}`,
        ],
      ]);
    },
  };
}

// What the status line says of this view.
export function status(ctx, state, selection) {
  const parts = [["adapter query ", String(selection.adapter.query)]];
  const map = state.runs.A && ctx.adapterMap();
  const heads = selection.adapter.head === "mean" ? "mean of the heads" : `head ${selection.adapter.head}`;
  if (map)
    parts.push([
      "",
      "A",
      ` ${heads}, at most ${percent(map.max)} of the row in one patch, ${count(map.half.length)} of ${count(map.values.length)} patches hold half`,
    ]);
  const media = state.runs.B?.media[selection.media];
  if (media) {
    const place = ctx.adapterPlace(selection);
    const { row, column } = cellAt(place, media.token_grid);
    parts.push(["", "B", ` at that place token (${row}, ${column}), four patches, no attention`]);
  }
  return parts;
}
