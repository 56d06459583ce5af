// How the picture is cut: the grids on the original, the picture as each model receives it, and the arithmetic.

import { el, isDark, letterBadge, refill, setText, sizeCanvas } from "../dom.js";
import { cellAt, cellBox, cellSize, cellsUnder, edges, fit } from "../geometry.js";
import { count, pixels, times } from "../numbers.js";
import { honestPanel } from "../parts/honest.js";
import { figures } from "../parts/scale.js";
import { createStage } from "../parts/stage.js";
import { css, inkOn, tide } from "../colour.js";
import { cellWords } from "../status.js";
import { LETTERS } from "../store.js";

export const NAME = "Patches";
export const SITE = "vision";
const STAGE_HEIGHT = 250;
const ARRIVES = [248, 150];

const area = ([first, second]) => first * second;
const ratio = ([width, height]) =>
  width >= height ? `${(width / height).toFixed(2)} : 1` : `1 : ${(height / width).toFixed(2)}`;

function keyFigures(letter, media) {
  const [width, height] = cellSize(media.size, media.patch_grid);
  const number = media.patch_grid.reduce((product, size) => product * size, 1);
  const each = [`${pixels(width)} × ${pixels(height)}`, "px of the original, each patch"];
  if (letter === "A")
    return [
      each,
      [ratio(media.size), "squashed to 1 : 1"],
      [times(...media.resized), "fixed, bicubic"],
      [count(number), "patches, for any picture"],
    ];
  const kept = media.limit ? `kept, within ${media.limit}` : "kept, to the nearest 28";
  return [
    each,
    [ratio(media.size), kept],
    [times(...media.resized), `from ${times(...media.size)}`],
    [count(number), "patches, for this one"],
  ];
}

// The chosen place: B's token in orange, and A's patches that cover the same piece of the original in dashed blue.
function marks(letter, runs, selection) {
  if (!selection.keys) return {};
  const [far, media] = [runs.B?.media[selection.media], runs[letter].media[selection.media]];
  const cells = far ?? media;
  const grid = far ? far.token_grid : media.patch_grid;
  const { row, column } = cellAt(selection.keys, grid);
  const [x1, y1, x2, y2] = cellBox(row, column, [1, 1], grid);
  const corner = far ? `token (${row}, ${column})` : `patch (${row}, ${column})`;
  if (letter === "B" || !far)
    return { outlines: [{ box: [x1, y1, x2, y2], kind: "query" }], label: { text: corner } };
  const covering = cellsUnder([x1, y1, x2, y2], media.patch_grid);
  return {
    contour: { cells: covering, grid: media.patch_grid },
    label: { text: `${count(covering.length)} patches cover the same place` },
    cells,
  };
}

function paintArrival(canvas, image, media) {
  const shape = fit(media.resized, ARRIVES);
  const {
    context,
    width,
    height,
    ratio: device,
  } = sizeCanvas(canvas, Math.round(shape.width), Math.round(shape.height));
  context.drawImage(image, 0, 0, width, height);
  const [, rows, columns] = media.patch_grid;
  context.fillStyle = "rgb(255 255 255 / .38)";
  edges(columns, width)
    .slice(1, -1)
    .forEach((x) => context.fillRect(x, 0, Math.max(1, device / 2), height));
  edges(rows, height)
    .slice(1, -1)
    .forEach((y) => context.fillRect(0, y, width, Math.max(1, device / 2)));
}

function arrivalWords(letter, media) {
  const [width, height] = cellSize(media.size, media.patch_grid);
  const from = `14 × 14 px in each patch, from ${pixels(width)} × ${pixels(height)} px of the original. `;
  if (letter === "B")
    return `${from}${media.limit ? `Its own shape, within ${media.limit}.` : "Its own shape, sides rounded to 28."}`;
  const stretch = media.resized[0] / media.size[0] / (media.resized[1] / media.size[1]);
  if (Math.abs(stretch - 1) < 0.005) return `${from}This picture was a square already.`;
  return `${from}Squashed: a circle becomes an ellipse, ${(stretch > 1 ? stretch : 1 / stretch).toFixed(2)} times ${stretch > 1 ? "wider" : "taller"}.`;
}

const DEMO = { rows: 4, columns: 8 };

// Which number each cell of the small grid has, in raster order and in the processor's 2 x 2 order.
function orders() {
  const raster = Array.from({ length: DEMO.rows * DEMO.columns }, (_, index) => index);
  const processor = raster.map((index) => {
    const [row, column] = [Math.floor(index / DEMO.columns), index % DEMO.columns];
    const block = Math.floor(row / 2) * (DEMO.columns / 2) + Math.floor(column / 2);
    return 4 * block + 2 * (row % 2) + (column % 2);
  });
  return { raster, processor };
}

function orderGrid(title, numbers, foot, block) {
  const grid = el("div", { class: "order-grid", style: { "--columns": DEMO.columns } });
  numbers.forEach((number, index) => {
    const colour = tide(0.12 + 0.75 * (number / numbers.length), isDark());
    const marked = block.includes(index);
    grid.append(
      el("span", {
        class: marked ? "marked" : "",
        text: number,
        style: { background: css(colour), color: inkOn(colour) },
      }),
    );
  });
  return el("div", { class: "order" }, el("span", { text: title }), grid, el("small", { text: foot }));
}

function ordersBlock(media, selection) {
  const { raster, processor } = orders();
  const block = [2, 3, 10, 11];
  const parts = [
    el(
      "div",
      { class: "orders" },
      orderGrid("On the picture", raster, "2, 3, 10, 11 make token 1", block),
      orderGrid("In pixel_values", processor, "rows 4 to 7 make token 1", block),
    ),
  ];
  if (selection.keys) {
    const { row, column, index } = cellAt(selection.keys, media.token_grid);
    const columns = media.patch_grid[2];
    const first = 2 * row * columns + 2 * column;
    const four = [first, first + 1, first + columns, first + columns + 1].map(count).join(", ");
    parts.push(
      el("p", {
        text: `Token ${count(index)}: patches ${four} are rows ${count(4 * index)} to ${count(4 * index + 3)} of pixel_values.`,
      }),
    );
  } else
    parts.push(el("p", { class: "faint", text: "Point at the picture to read the numbers of its own patches." }));
  return parts;
}

function limitBar(run, media) {
  const { min_pixels: low, max_pixels: high } = run.settings;
  if (!low || !high) return [];
  const at = (value) => (100 * Math.log(value / 784)) / Math.log((2 * Math.max(high, area(media.size))) / 784);
  const mark = (value, name, side) =>
    el(
      "span",
      { class: `limit-mark ${side}`, style: { left: `${at(value)}%` } },
      el("small", { text: `${name} ${count(value)}` }),
    );
  const here = area(media.size);
  const bar = el(
    "div",
    { class: "limit-bar" },
    el("i", { style: { left: `${at(low)}%`, width: `${at(high) - at(low)}%` } }),
    mark(low, "min_pixels", "low"),
    mark(high, "max_pixels", "high"),
    el(
      "b",
      {
        style: {
          left: `${Math.min(99, Math.max(0, at(here)))}%`,
          "--shift": at(here) > 70 ? "-92%" : at(here) < 25 ? "-8%" : "-50%",
        },
      },
      el("small", { text: `this picture, ${count(here)} px` }),
    ),
  );
  return [
    el(
      "div",
      { class: "title-line" },
      el("h3", { text: "Limit that bites" }),
      el("span", {
        text: media.limit ? `${media.limit}: ${count(here)} px become ${count(area(media.resized))}` : "none",
      }),
    ),
    bar,
  ];
}

function arithmetic(letter, run, index) {
  const steps = run.account.steps[index].flatMap((step, at) => [
    at ? el("span", { class: "arrow", text: "→" }) : null,
    el("div", { class: "sum-step" }, el("b", { text: step.value }), el("small", { text: step.label })),
  ]);
  return [
    el(
      "div",
      { class: "title-line" },
      el("h3", {}, letterBadge(letter), "Token arithmetic"),
      el("span", { text: letter === "A" ? "the same for every picture" : "follows the picture" }),
    ),
    el("div", { class: "sum" }, ...steps.filter(Boolean)),
    el("p", { class: "sum-words", text: run.account.sentence[index] }),
  ];
}

function column(ctx, letter) {
  const stage = createStage({
    letter,
    title: `The original picture under the grid of model ${letter}`,
    onhover: (place) => ctx.actions.hoverPlace(place),
    onpick: (place) => ctx.actions.pickPlace(place),
    onstep: (rows, columns) => ctx.actions.stepPlace("B", rows, columns),
  });
  const side = el("div", { class: "figures" });
  const sum = el("section", { class: "card sum-card", "data-letter": letter });
  const canvas = el("canvas", { class: "arrival" });
  const [size, words] = [el("b", {}), el("p", {})];
  const arrives = el(
    "figure",
    { class: "arrives" },
    canvas,
    el("figcaption", {}, el("span", {}, letterBadge(letter), size), words),
  );
  const cell = el("div", { class: "stage-cell", "data-letter": letter }, stage.root, side);
  return { letter, stage, side, sum, canvas, words, size, arrives, cell, last: null };
}

function drawColumn(ctx, view, state, selection) {
  const { letter } = view;
  const run = state.runs[letter];
  const media = run?.media[selection.media];
  if (!media) {
    view.stage.update(ctx.vacant(view.cell, letter, STAGE_HEIGHT, run));
    return;
  }
  const box = ctx.stageBox(view.cell, media.size, STAGE_HEIGHT);
  const marked = marks(letter, state.runs, selection);
  view.stage.update({
    image: ctx.picture("picture", run.id, selection.media),
    size: media.size,
    box: box.inner,
    quiet: false,
    lines: media.patch_grid,
    ...marked,
    cells: null,
  });
  view.cell.classList.toggle("flat", box.flat);
  figures(view.side, keyFigures(letter, media));
  refill(view.sum, [run.id, selection.media], () => arithmetic(letter, run, selection.media));
  setText(view.words, arrivalWords(letter, media));
  setText(view.size, times(...media.resized));
  const arrived = ctx.picture("resized", run.id, selection.media);
  if (arrived && view.last !== arrived) {
    view.last = arrived;
    paintArrival(view.canvas, arrived, media);
  }
}

function ordersCard() {
  const [orders, limit] = [el("div", { class: "order-box" }), el("div", { class: "limit" })];
  const root = el(
    "section",
    { class: "card" },
    el(
      "div",
      { class: "title-line" },
      el("h3", {}, letterBadge("B"), "One grid, two orders"),
      el("span", { text: "8 × 4, small enough to read" }),
    ),
    orders,
    limit,
  );
  return {
    root,
    update(run, media, selection) {
      root.hidden = !media;
      if (!media) return;
      const cell = selection.keys ? cellAt(selection.keys, media.token_grid).index : null;
      refill(orders, [run.id, selection.media, cell, isDark()], () => ordersBlock(media, selection));
      refill(limit, [run.id, selection.media], () => limitBar(run, media));
    },
  };
}

const HONEST = [
  ["Plotted", "The grids that the two processors really cut, mapped back to the original picture."],
  ["Scale", "Both pictures at one size: a cell is as large as the piece of the original it is made from."],
  ["Not shown", "Anything a model made of it: this view needs no weights and holds for any of them."],
];

export function createView(ctx) {
  const columns = Object.fromEntries(LETTERS.map((letter) => [letter, column(ctx, letter)]));
  const pair = (name) => el("div", { class: `pair pair-${name}` }, columns.A[name], columns.B[name]);
  const panel = honestPanel();
  panel.update(HONEST);
  const choice = ctx.mediaChoice();
  const orders = ordersCard();
  const arrivals = el(
    "section",
    { class: "card" },
    el(
      "div",
      { class: "title-line" },
      el("h3", { text: "As it arrives" }),
      el("span", { text: "the pixels each model reads, under its grid" }),
    ),
    el("div", { class: "arrivals" }, columns.A.arrives, columns.B.arrives),
  );
  return {
    root: el(
      "div",
      { class: "view view-patches" },
      choice.root,
      pair("cell"),
      pair("sum"),
      el("div", { class: "pair" }, arrivals, orders.root),
      panel.root,
    ),
    stages: { A: columns.A.stage, B: columns.B.stage },
    update(state, selection) {
      choice.update(state, selection);
      LETTERS.forEach((letter) => drawColumn(ctx, columns[letter], state, selection));
      orders.update(state.runs.B, state.runs.B?.media[selection.media], selection);
    },
  };
}

// What the status line says of this view.
export function status(ctx, state, selection) {
  const parts = LETTERS.filter((letter) => state.runs[letter]?.media[selection.media]).map((letter) => {
    const media = state.runs[letter].media[selection.media];
    if (selection.keys) return ["", letter, ` ${cellWords(letter, media, selection.keys)}`];
    const [width, height] = cellSize(media.size, media.patch_grid);
    const number = media.patch_grid.reduce((product, size) => product * size, 1);
    return ["", letter, ` ${count(number)} patches, ${pixels(width)} × ${pixels(height)} px of the original each`];
  });
  return [[selection.keys ? "a place on the picture" : "the grids on the original picture"], ...parts];
}
