// Where each token sits: (t, h, w) ids along the prompt and in space, one id a token in Qwen-VL, and what ids cost.

import { el, refill, segmented, setText, sizeCanvas } from "../dom.js";
import { cellAt, edges, fit } from "../geometry.js";
import { count } from "../numbers.js";
import { honestPanel } from "../parts/honest.js";
import { Lanes } from "../parts/lanes.js";
import { createPlot3d } from "../parts/plot3d.js";
import { axis } from "../parts/ribbon.js";
import { LETTERS } from "../store.js";

export const NAME = "Positions";
export const SITE = "language";

const tokensOf = (media) => media.token_grid.reduce((product, size) => product * size, 1);

// Ids that a picture takes, with its two marks: from its first mark to its last, both included.
function spent(run, media) {
  const [from, to] = [media.first_token - 1, media.first_token + tokensOf(media)];
  const row = run.positions[0];
  return to < row.length ? row[to] - row[from] + 1 : tokensOf(media);
}

function budgetRows(state) {
  const run = state.runs.A || state.runs.B;
  const pictures = run.media.map((_, index) => [
    run.media.length > 1 ? `Picture ${index + 1}` : "This picture",
    (each) => [tokensOf(each.media[index]) + 2, spent(each, each.media[index])],
  ]);
  return [
    ...pictures.slice(0, 3),
    ["Whole prompt", (each) => [each.account.prompt_tokens, each.account.largest_position + 1]],
  ];
}

function budget(state) {
  const rows = budgetRows(state);
  const present = LETTERS.filter((letter) => state.runs[letter]);
  const most = Math.max(
    ...rows.flatMap(([, measure]) => present.flatMap((letter) => measure(state.runs[letter]))),
    10,
  );
  const width = (value) => `${(100 * Math.log10(Math.max(1.2, value))) / Math.log10(most)}%`;
  return rows.map(([name, measure]) =>
    el(
      "div",
      { class: "budget-row" },
      el("span", { text: name }),
      el(
        "div",
        {},
        ...present.map((letter) => {
          const [tokens, ids] = measure(state.runs[letter]);
          return el(
            "div",
            { class: "budget-pair" },
            el("b", { text: letter }),
            el(
              "div",
              { class: "budget-bars" },
              el("i", { class: "tokens", style: { width: width(tokens) } }),
              el("i", { class: "ids", style: { width: width(ids) } }),
            ),
            el("span", { text: `${count(tokens)} in ${count(ids)}` }),
          );
        }),
      ),
    ),
  );
}

function budgetWords(state) {
  const run = state.runs.B;
  const media = run?.media[0];
  if (!media) return "";
  const ids = spent(run, media);
  return `B numbers a picture by its longer side: ${count(tokensOf(media) + 2)} tokens take ${count(ids)} ids of its ${count(run.account.context)}.`;
}

function paintIds(canvas, image, media, cell, box) {
  const shape = fit(media.size, box);
  const { context, width, height, ratio } = sizeCanvas(canvas, Math.round(shape.width), Math.round(shape.height));
  context.filter = "saturate(.45) brightness(.62)";
  context.drawImage(image, 0, 0, width, height);
  context.filter = "none";
  const [, rows, columns] = media.token_grid;
  const [xs, ys] = [edges(columns, width), edges(rows, height)];
  context.fillStyle = "rgb(255 255 255 / .22)";
  xs.slice(1, -1).forEach((x) => context.fillRect(x, 0, 1, height));
  ys.slice(1, -1).forEach((y) => context.fillRect(0, y, width, 1));
  if (!cell) return;
  const [, row, column] = cell;
  context.fillStyle = "rgb(60 190 100 / .55)";
  context.fillRect(0, ys[row], width, ys[row + 1] - ys[row]);
  context.fillStyle = "rgb(150 110 250 / .55)";
  context.fillRect(xs[column], 0, xs[column + 1] - xs[column], height);
  context.strokeStyle = "#ff9840";
  context.lineWidth = 2.5 * ratio;
  context.strokeRect(xs[column], ys[row], xs[column + 1] - xs[column], ys[row + 1] - ys[row]);
}

function idsCard(ctx) {
  const canvas = el("canvas");
  const words = el("p", {});
  const root = el(
    "section",
    { class: "card ids-card" },
    el("div", { class: "title-line" }, el("h3", { text: "Ids on the picture" }), el("span", { text: "B" })),
    canvas,
    words,
  );
  const pick = (event) => {
    const run = ctx.run("B");
    const media = run?.media[ctx.store.state.selection.media];
    if (!media) return null;
    const box = canvas.getBoundingClientRect();
    const { index } = cellAt(
      [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height].map((value) =>
        Math.min(0.9999, Math.max(0, value)),
      ),
      media.token_grid,
    );
    return { letter: "B", token: media.first_token + index };
  };
  canvas.addEventListener("pointermove", (event) => event.pointerType === "mouse" && hoverToken(ctx, pick(event)));
  canvas.addEventListener("pointerleave", () => hoverToken(ctx, null));
  canvas.addEventListener("click", (event) => pick(event) && pickToken(ctx, pick(event)));
  return { root, canvas, words };
}

function tokenPatch(ctx, { letter, token }) {
  const { selection } = ctx.store.state;
  return { model: letter, query: { ...selection.query, [letter]: token }, own: { ...selection.own, [letter]: true } };
}

const hoverToken = (ctx, at) => ctx.store.preview(at ? tokenPatch(ctx, at) : null);

function pickToken(ctx, at) {
  const { selection } = ctx.store.state;
  const again = selection.query[at.letter] === at.token && selection.model === at.letter;
  ctx.store.select(again ? { query: { ...selection.query, [at.letter]: null } } : tokenPatch(ctx, at));
}

function drawIds(ctx, card, state, selection) {
  const run = state.runs.B;
  const media = run?.media[selection.media];
  card.root.hidden = !media;
  if (!media) return;
  const image = ctx.picture("picture", run.id, selection.media);
  const token = selection.query.B;
  const cell = token !== null && run.tokens.media[token] === selection.media ? run.tokens.cell[token] : null;
  if (image) paintIds(card.canvas, image, media, cell, [card.root.clientWidth - 30 || 300, 190]);
  const [t, h, w] = media.first_position;
  const [, rows, columns] = media.token_grid;
  refill(card.words, [run.id, selection.media, cell], () =>
    cell
      ? [
          axis("t"),
          ` ${count(t)} everywhere, `,
          axis("h"),
          ` ${count(h + cell[1])} along the row, `,
          axis("w"),
          ` ${count(w + cell[2])} down the column.`,
        ]
      : [
          axis("t"),
          ` ${count(t)} everywhere, `,
          axis("h"),
          ` ${count(h)} to ${count(h + rows - 1)}, `,
          axis("w"),
          ` ${count(w)} to ${count(w + columns - 1)}. A has neither: its ids follow the order of the queries.`,
        ],
  );
}

function plotCard(ctx) {
  const plot = createPlot3d(ctx, {
    onhover: (token) => hoverToken(ctx, token === null ? null : { letter: ctx.store.state.plotted || "B", token }),
    onpick: (token) => pickToken(ctx, { letter: ctx.store.state.plotted || "B", token }),
  });
  const choice = segmented(
    "Model in the plot",
    [
      ["A", "A"],
      ["B", "B"],
    ],
    (letter) => ctx.store.set({ plotted: letter }),
  );
  const root = el(
    "section",
    { class: "card plot-card" },
    el(
      "div",
      { class: "title-line" },
      el("h3", {}, el("span", {}, "Every token at (", axis("t"), ", ", axis("h"), ", ", axis("w"), ")")),
      choice,
    ),
    plot.root,
  );
  return { root, plot, choice };
}

const HONEST = [
  ["Plotted", "The ids that the models used in this run, one column a token. Text has three equal ids."],
  [
    "Scale",
    "One token axis for both models, so widths compare. Heights are each model's own; budget bars are logarithmic.",
  ],
  ["Not shown", "What a model makes of an id: rotary embedding sees only the differences between ids."],
];

function legendRow(choice) {
  const key = (name, words) => el("span", { class: "bar-key" }, el("i", { class: `part-${name}` }), words);
  const keys = [key("template", "text"), key("image", "picture"), key("answer", "answer")];
  return el("div", { class: "tools" }, ...keys, el("span", { class: "spring" }), choice.root);
}

function budgetCard() {
  const bars = el("div", { class: "budget-rows" });
  const words = el("p", {});
  const swatch = (name) => el("i", { class: `swatch ${name}` });
  const legend = el("span", {}, swatch("tokens"), "tokens ", swatch("ids"), "ids spent");
  const title = el("div", { class: "title-line" }, el("h3", { text: "Position budget" }), legend);
  return { root: el("section", { class: "card budget-card" }, title, bars, words), bars, words };
}

function drawBudget(card, state, present) {
  const runs = present.map((letter) => state.runs[letter].id);
  refill(card.bars, runs, () => budget(state));
  setText(card.words, budgetWords(state));
}

export function createView(ctx) {
  const lanes = new Lanes({ onhover: (at) => hoverToken(ctx, at), onpick: (at) => pickToken(ctx, at) });
  const lanesCard = el("section", { class: "card lanes-card" }, lanes.root);
  const [plot, ids, costs] = [plotCard(ctx), idsCard(ctx), budgetCard()];
  const choice = ctx.mediaChoice();
  const panel = honestPanel();
  panel.update(HONEST);
  const cards = el("div", { class: "triple" }, plot.root, ids.root, costs.root);
  return {
    root: el("div", { class: "view view-positions" }, legendRow(choice), lanesCard, cards, panel.root),
    stages: {},
    update(state, selection) {
      choice.update(state, selection);
      const present = LETTERS.filter((letter) => state.runs[letter]);
      if (!present.length) return;
      lanes.update(state.runs, selection.query, Math.max(300, lanesCard.clientWidth - 30));
      const plotted = present.includes(state.plotted || "B") ? state.plotted || "B" : present[0];
      plot.choice.choose(plotted);
      plot.plot.update(state.runs[plotted], state.selection.query[plotted]);
      drawIds(ctx, ids, state, selection);
      drawBudget(costs, state, present);
    },
  };
}

// What the status line says of this view.
export function status(ctx, state, selection) {
  const parts = LETTERS.filter((letter) => state.runs[letter] && selection.query[letter] !== null).map((letter) => {
    const run = state.runs[letter];
    const [t, h, w] = run.positions.map((lane) => lane[selection.query[letter]]);
    return [
      "",
      letter,
      ` token ${count(selection.query[letter])} ${letter === "A" ? `has id ${t}` : `has ids t ${t}, h ${h}, w ${w}`}`,
    ];
  });
  const largest = LETTERS.filter((letter) => state.runs[letter]).map((letter) => [
    "",
    letter,
    ` ${count(state.runs[letter].account.prompt_tokens)} prompt tokens, largest id ${count(state.runs[letter].account.largest_position)}`,
  ]);
  return [[parts.length ? "a token and its ids" : "the ids of the prompt"], ...(parts.length ? parts : largest)];
}
