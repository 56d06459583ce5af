// What the language model's states read as after every layer: before the words of the answer, and at the visual tokens.

import { el, isDark, refill, setText, toggle } from "../../core/dom.js";
import { hasAdapter } from "../../core/families.js";
import { cellAt, cellBox, rowAndColumn } from "../../core/geometry.js";
import { said, say } from "../../core/i18n.js";
import { count, percent, roughly } from "../../core/numbers.js";
import { belowStage, createFrame } from "../../drawing/frame.js";
import { createLayerCurves } from "../../drawing/layer_curves.js";
import { beginReading, drawCurves, layersOf, lensOf } from "./lens_curves.js";
import { weightsNote } from "../../drawing/honest.js";
import { drawTable, quoted, reveal, stepCell } from "./lens_table.js";
import { figures } from "../../drawing/scale.js";
import { createStage } from "../../drawing/stage.js";
import { paintGrid } from "../../drawing/thumbnails.js";
import { LETTERS, choices, other } from "../../core/selection.js";
import { cellInTime, firstFrameOf } from "../../core/time.js";
import { chosenLabel } from "../../core/words.js";

export const NAME = "Layers";
export const SITE = "language";
export const SHOWS = ["place"];
export const CHOICES = { layerA: null, layerB: null, word: "" };

const STAGE_HEIGHT = 204;
const THUMB = [64, 44];
const READING = "reading every layer";

const own = (selection) => choices(selection, "layers");

// The word that is looked for: one that was typed, else the chosen word of the answer.
const typed = (selection) => {
  try {
    return decodeURIComponent(String(own(selection).word));
  } catch {
    return "";
  }
};

// --- what is asked of the server ---

function wordOf(ctx, state, letter) {
  const run = state.runs[letter];
  const { selection } = state; // of what is locked: a hovered word would cost a replay
  if (!run.media[selection.media]) return null;
  const text = typed(selection);
  const token = selection.query[letter];
  if (!text && token === null) return null;
  const query = { run: run.id, media: selection.media, ...(text ? { text } : { token }) };
  return ctx.client.resource(`lens word ${letter}`, "lens_word", query, { group: `${run.id} ${selection.media}` });
}

const tokenOf = (ctx, state, run, token, channel) =>
  ctx.client.resource(
    channel,
    "lens_token",
    { run: run.id, token },
    { hovering: state.preview !== null, group: run.id },
  );

// The layer on show: the chosen one, else that where the word is likeliest, else the last.
function layerOf(run, selection, letter, word) {
  const chosen = own(selection)[`layer${letter}`];
  if (Number.isInteger(chosen) && chosen >= 0 && chosen < layersOf(run)) return chosen;
  return word?.layer ?? layersOf(run) - 1;
}

// The visual token in question: under the chosen place, or the chosen query where tokens are no places.
function visualToken(state, selection, letter) {
  const run = state.runs[letter];
  const media = run.media[selection.media];
  const [, rows, columns] = media.token_grid;
  const time = cellInTime(state, selection, letter);
  const within = hasAdapter(run)
    ? Math.min(selection.adapter.query, rows * columns - 1)
    : cellAt(selection.keys ?? [0.5, 0.5], media.token_grid).index;
  const [row, column] = rowAndColumn(within, media.token_grid);
  return {
    row,
    column,
    columns,
    time,
    cell: time * rows * columns + within,
    token: media.first_token + tokenOffset(run, media, time, within),
  };
}

// Where a visual token stands after the media's first: in Qwen-VL marks stand between the frames of a clip.
function tokenOffset(run, media, time, within) {
  const [, rows, columns] = media.token_grid;
  const cell = time * rows * columns + within;
  let seen = -1;
  for (let index = media.first_token; index < run.tokens.media.length; index += 1) {
    if (run.tokens.media[index] === media.index) seen += 1;
    if (seen === cell) return index - media.first_token;
  }
  return 0;
}

// --- the stage: a word on the visual tokens ---

function boardGestures(ctx, letter) {
  const query = (place) => {
    const { state } = ctx.store;
    const media = state.runs[letter]?.media[state.selection.media];
    return media ? cellAt(place, media.token_grid).index : 0;
  };
  const board = () => {
    const run = ctx.store.state.runs[letter];
    return run && hasAdapter(run);
  };
  const step = (rows, columns) => {
    const { state } = ctx.store;
    const [, height, width] = state.runs[letter].media[state.selection.media].token_grid;
    const [row, column] = rowAndColumn(state.selection.adapter.query, [1, height, width]);
    const held = (value, size) => Math.max(0, Math.min(size - 1, value));
    ctx.actions.pickQuery(held(row + rows, height) * width + held(column + columns, width));
  };
  return {
    onhover: (place) => (board() ? ctx.actions.hoverQuery(place && query(place)) : ctx.actions.hoverPlace(place)),
    onpick: (place) => (board() ? ctx.actions.pickQuery(query(place)) : ctx.actions.pickPlace(place)),
    onstep: (rows, columns) => (board() ? step(rows, columns) : ctx.actions.stepPlace(letter, rows, columns)),
  };
}

function drawStage(ctx, view, look, state, selection) {
  const { run, media, word, layer, lens } = look;
  const board = hasAdapter(run);
  const here = visualToken(state, selection, view.letter);
  const [, rows, columns] = media.token_grid;
  const size = board ? [columns, rows] : media.size;
  const { inner, flat } = ctx.stageBox(view.cells.stage, size, STAGE_HEIGHT);
  toggle(view.cells.stage, "flat", flat);
  const value = word?.value;
  const image = board ? null : ctx.picture("picture", run.id, media.index, firstFrameOf(media, here.time));
  const offset = layer * (value?.values.shape[1] ?? 0) + here.time * rows * columns;
  const late = !lens.fresh || (word && !word.fresh) ? say(READING) : null;
  const error = lens.error ?? word?.error;
  view.stage.update({
    image,
    size,
    box: inner,
    quiet: true,
    cells: value && !error ? { values: value.values, grid: media.token_grid, max: value.most, offset } : null,
    lines: board ? media.token_grid : null,
    outlines: [{ box: cellBox(here.row, here.column, [1, 1], media.token_grid), kind: "query" }],
    label: board ? null : { text: say("token ({row}, {column})", here) },
    dimmed: value ? late : null,
    note: error ? said(error) : value ? null : late,
    frame: offset,
    aria: say("One word on the visual tokens, model {letter}", { letter: view.letter }),
  });
  drawFigures(view, look, here);
}

function drawFigures(view, { run, word, layer }, here) {
  const value = word?.value;
  if (!value) {
    figures(view.side, [
      [String(layer), say("layer on show")],
      ["–", say("choose a word to look for")],
    ]);
    return;
  }
  const width = value.values.shape[1];
  const values = value.values.subarray(layer * width, (layer + 1) * width);
  const most = values.reduce((a, b) => Math.max(a, b), 0);
  figures(view.side, [
    [
      quoted(value.text),
      hasAdapter(run)
        ? say("looked for at every query, layer {n}", { n: layer })
        : say("looked for at every token, layer {n}", { n: layer }),
    ],
    [
      percent(values[here.cell]),
      hasAdapter(run)
        ? say("at query {n}, which is no place", { n: here.row * here.columns + here.column })
        : say("at the chosen one"),
    ],
    [percent(most), say("the most at this layer")],
    [percent(value.most), say("the most of all, layer {n}; end of the scale", { n: value.layer })],
  ]);
}

// --- a thumbnail a layer ---

function drawThumbs(ctx, view, { run, media, word, layer }, state, selection) {
  const value = word?.value;
  toggle(view.thumbs, "idle", !value);
  if (!value) return;
  const [, rows, columns] = media.token_grid;
  const time = cellInTime(state, selection, view.letter);
  const pick = (index) => ctx.actions.choose("layers", { [`layer${view.letter}`]: index });
  const stamp = [run.id, value.id, media.index, time, isDark()];
  const made = refill(view.thumbs, stamp, () =>
    Array.from({ length: layersOf(run) }, (_, index) => {
      const canvas = el("canvas", { "aria-hidden": "true" });
      const from = index * value.values.shape[1] + time * rows * columns;
      paintGrid(canvas, value.values.subarray(from, from + rows * columns), [rows, columns], THUMB, 1, value.most);
      return el(
        "button",
        {
          type: "button",
          class: "lens-thumb",
          "data-layer": index,
          "aria-label": say("layer {n}", { n: index }),
          onclick: () => pick(index),
        },
        canvas,
        el("span", { text: index }),
      );
    }),
  );
  view.thumbs
    .querySelectorAll("button")
    .forEach((button) => button.setAttribute("aria-pressed", String(Number(button.dataset.layer) === layer)));
  if (made || view.thumbs.dataset.layer !== String(layer)) reveal(view.thumbs, view.thumbs.children[layer], layer);
}

// --- the answer, layer by layer ---

// The five likeliest at one layer, and the first of every layer.
function drawReading(root, answer, title, layer) {
  const value = answer?.value;
  const key = [title, layer, value?.token, Boolean(value), answer?.error];
  refill(root, key, () => {
    if (answer?.error) return [el("h4", { text: title }), el("span", { class: "faint", text: said(answer.error) })];
    if (!value) return [el("h4", { text: title }), el("span", { class: "faint", text: say(READING) })];
    const [, wide] = value.probabilities.shape;
    return [
      el("h4", { text: title }),
      ...value.texts[layer].map((text, rank) =>
        el(
          "div",
          { class: "lens-choice" },
          el("span", { text: quoted(text) }),
          el(
            "span",
            { class: "bar-track" },
            el("i", { style: { width: `${100 * value.probabilities[layer * wide + rank]}%` } }),
          ),
          el("span", { text: percent(value.probabilities[layer * wide + rank]) }),
        ),
      ),
    ];
  });
}

function drawReadings(ctx, view, { run, media, layer }, state, selection) {
  const token = selection.query[view.letter];
  const label = chosenLabel(run, token);
  const before = token > 0 ? tokenOf(ctx, state, run, token - 1, `lens row ${view.letter}`) : null;
  view.before.hidden = !before;
  if (before) drawReading(view.before, before, say("Before {word}, layer {n}", { word: label, n: layer }), layer);
  view.at.hidden = !media;
  if (!media) return;
  const here = visualToken(state, selection, view.letter);
  const name = hasAdapter(run)
    ? say("Query {n}, layer {layer}", { n: here.row * media.token_grid[2] + here.column, layer })
    : say("Token ({row}, {column}), layer {layer}", { ...here, layer });
  drawReading(view.at, tokenOf(ctx, state, run, here.token, `lens cell ${view.letter}`), name, layer);
}

// --- one column ---

function column(ctx, letter) {
  const stage = createStage({
    letter,
    title: say("One word on the visual tokens, model {letter}", { letter }),
    ...boardGestures(ctx, letter),
  });
  const make = (name) => el("div", { class: name });
  const [side, wait, thumbs, table, before, at, words] = [
    "figures",
    "lens-wait idle",
    "lens-thumbs",
    "lens-table",
    "lens-reading",
    "lens-reading",
    "faint",
  ].map(make);
  const pick = (layer) => ctx.actions.choose("layers", { [`layer${letter}`]: layer });
  const chance = createLayerCurves({
    label: say("Probability of the answer's word by layer"),
    height: 110,
    onpick: pick,
  });
  const norms = createLayerCurves({ label: say("Length of the states by layer"), height: 110, onpick: pick });
  const cell = (name, ...children) => el("div", { class: name, "data-letter": letter }, ...children);
  const swatch = (kind, name) => el("span", {}, el("i", { class: `swatch part-${kind}` }), name);
  const kinds = el(
    "span",
    {},
    swatch("text", say("text")),
    swatch("image", say("image")),
    swatch("answer", say("answer")),
  );
  const titled = (title, remark, ...children) =>
    el(
      "div",
      {},
      el(
        "div",
        { class: "title-line" },
        el("h3", {}, title),
        typeof remark === "string" ? el("span", { text: remark }) : remark,
      ),
      ...children,
    );
  const cells = {
    stage: cell("stage-cell", stage.root, side, wait),
    strip: cell("lens-strip", titled(say("The same word, layer by layer"), say("one scale; click a layer"), thumbs)),
    table: cell(
      "lens-cell-pair",
      titled(say("Before each word of the answer"), say("likeliest word by layer"), table),
      el("div", { class: "lens-readings" }, before, at),
    ),
    charts: cell(
      "lens-charts",
      titled(say("Chance of the word"), say("{a} solid, {b} dashed", { a: letter, b: other(letter) }), chance.root),
      titled(say("Median length"), kinds, norms.root),
      words,
    ),
  };
  const view = { letter, stage, side, wait, thumbs, table, before, at, words, chance, norms, cells };
  table.addEventListener("keydown", (event) => stepCell(ctx, view, event));
  return view;
}

// What reading every layer of a large run takes, before anybody pays for it.
function drawWaiting(ctx, view, run, media, seconds) {
  belowStage(view).forEach((cell) => toggle(cell, "idle", true));
  toggle(view.side, "idle", true);
  const { inner } = ctx.stageBox(view.cells.stage, media?.size ?? [1, 1], STAGE_HEIGHT);
  const image = media && ctx.picture("picture", run.id, media.index);
  view.stage.update({ image, size: media?.size ?? [1, 1], box: inner, quiet: true });
  refill(view.wait, [run.id, seconds], () => [
    el("button", {
      type: "button",
      class: "text-button main",
      text: say("Read every layer, {time}", { time: roughly(seconds) }),
      onclick: () => beginReading(ctx, run),
    }),
    el("span", {
      class: "faint",
      text: say(
        "Replays the run, then asks the language head what each of its {n} tokens reads as after every layer.",
        { n: count(run.tokens.id.length) },
      ),
    }),
  ]);
}

function drawColumn(ctx, view, state, selection) {
  const run = state.runs[view.letter];
  belowStage(view).forEach((cell) => toggle(cell, "idle", !run));
  toggle(view.side, "idle", !run?.media[selection.media]);
  if (!run) return void view.stage.update(ctx.vacant(view.cells.stage, view.letter, STAGE_HEIGHT, run));
  const media = run.media[selection.media] ?? null;
  const lens = lensOf(ctx, run, view.letter);
  toggle(view.wait, "idle", !lens.waits);
  if (lens.waits) return drawWaiting(ctx, view, run, media, lens.waits);
  const word = wordOf(ctx, state, view.letter);
  const look = { run, media, lens, word, layer: layerOf(run, selection, view.letter, word?.value) };
  if (media) drawStage(ctx, view, look, state, selection);
  else
    view.stage.update({
      ...ctx.vacant(view.cells.stage, view.letter, STAGE_HEIGHT, run),
      note: say("No picture in this question, so no visual token."),
    });
  toggle(view.cells.strip, "idle", !media);
  if (media) drawThumbs(ctx, view, look, state, selection);
  drawTable(ctx, view, look, selection);
  drawReadings(ctx, view, look, state, selection);
  drawCurves(ctx, view, look, state);
}

function tools(ctx) {
  const label = el("b", { class: "pen-words" });
  const input = el("input", {
    class: "text-field",
    type: "text",
    id: "lens-word",
    maxlength: "40",
    "aria-label": say("A word to look for on the visual tokens"),
    onchange: (event) => ctx.actions.choose("layers", { word: encodeURIComponent(event.target.value.trim()) }),
  });
  const media = ctx.mediaChoice();
  return {
    root: el(
      "div",
      { class: "tools" },
      el("div", { class: "pens" }, el("span", {}, el("i", { class: "pen pen-query" }), label)),
      el("span", { class: "spring" }),
      media.root,
      el("label", { class: "lens-find", for: "lens-word" }, say("Look for"), input),
    ),
    update(state, selection) {
      media.update(state, selection);
      const run = state.runs[selection.model];
      const chosen = chosenLabel(run, selection.query[selection.model]);
      setText(
        label,
        chosen
          ? say("the row before {word}, and a visual token", { word: chosen })
          : say("a visual token; choose a word of an answer"),
      );
      input.placeholder = chosen || say("a word");
      if (document.activeElement !== input) input.value = typed(selection);
    },
  };
}

function honest(runs) {
  const boards = runs.some((run) => run && hasAdapter(run));
  const plotted = say("Each state through the model's own last norm and head: what it would say if it stopped there.");
  const queries = boards
    ? say("Qwen-VL's queries are no places: a board.")
    : say("Each visual token lies where its patches do.");
  return [
    [say("Plotted"), plotted],
    [say("Scale"), `${say("Chances over the whole vocabulary, one scale for all layers.")} ${queries}`],
    [say("Not shown"), `${say("A proof: no head was trained on early layers.")} ${weightsNote(runs)}`],
  ];
}

export const createView = (ctx) =>
  createFrame("layers", {
    tools: tools(ctx),
    column: (letter) => column(ctx, letter),
    draw: (view, state, selection) => drawColumn(ctx, view, state, selection),
    honest: (state) => honest(LETTERS.map((letter) => state.runs[letter])),
  });

// What the visual token in question reads as.
function visualWords(ctx, state, selection, letter, layer) {
  const run = state.runs[letter];
  if (!run.media[selection.media]) return "";
  const here = visualToken(state, selection, letter);
  const { value } = tokenOf(ctx, state, run, here.token, `lens cell ${letter}`);
  if (value?.token !== here.token) return "";
  const read = {
    top: quoted(value.texts[layer][0]),
    share: percent(value.probabilities[layer * value.probabilities.shape[1]]),
  };
  if (hasAdapter(run))
    return say("query {n} reads {top} at {share}", { n: here.row * here.columns + here.column, ...read });
  return say("token ({row}, {column}) reads {top} at {share}", { row: here.row, column: here.column, ...read });
}

// What the status line says of this view.
export function status(ctx, state, selection) {
  const about = (letter) => {
    const run = state.runs[letter];
    if (!run) return null;
    const lens = lensOf(ctx, run, letter);
    if (lens.waits) return ["", letter, ` ${say("not read yet, {time}", { time: roughly(lens.waits) })}`];
    if (!lens.value) return ["", letter, ` ${lens.error ? said(lens.error) : say(READING)}`];
    const word = wordOf(ctx, state, letter);
    const layer = layerOf(run, selection, letter, word?.value);
    const token = selection.query[letter];
    const at = token === null ? -1 : token - run.answer_start;
    const visual = visualWords(ctx, state, selection, letter, layer);
    if (at < 0)
      return ["", letter, ` ${[say("layer {n}, no word chosen", { n: layer }), visual].filter(Boolean).join(", ")}`];
    const [top, chance] = [lens.value.top, lens.value.said].map((values) => values[layer * values.shape[1] + at]);
    const told = say("layer {n} reads {top} at {share}, its own word at {own}", {
      n: layer,
      top: quoted(lens.value.texts[layer][at]),
      share: percent(top),
      own: percent(chance),
    });
    return ["", letter, ` ${[told, visual].filter(Boolean).join(", ")}`];
  };
  const chosen = chosenLabel(state.runs[selection.model], selection.query[selection.model]);
  return [
    [chosen ? say("the row before {word}", { word: chosen }) : say("no word is chosen")],
    ...LETTERS.map(about).filter(Boolean),
  ];
}
