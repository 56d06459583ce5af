// What the language model's states read as after every layer: before the words of the answer, and at the visual tokens.

import { el, refill, setText, toggle } from "../../core/dom.js";
import { hasAdapter } from "../../core/families.js";
import { said, say } from "../../language/i18n.js";
import { count, percent, roughly } from "../../language/numbers.js";
import { LETTERS, other } from "../../state/selection.js";
import { chosenLabel } from "../../state/words.js";
import { belowStage, createFrame } from "../../drawing/frame.js";
import { weightsNote } from "../../drawing/honest.js";
import { createLayerCurves } from "../../drawing/layer_curves.js";
import { createStage } from "../../drawing/stage.js";
import { READING, layerChoice, layerOf, tokenOf, typed, visualToken, wordOf } from "./asked.js";
import { beginReading, drawCurves, lensOf } from "./lens_curves.js";
import { drawTable, quoted, stepCell } from "./lens_table.js";
import { drawReadings, drawThumbs } from "./readings.js";
import { STAGE_HEIGHT, boardGestures, drawStage } from "./stage.js";

/** @import { LayersColumn } from "./asked.js" */
/**
 * @import {
 *   Child, Context, HonestItems, Letter, Media, Part, Run, Selection, State, StatusParts
 * } from "../../core/types.d.ts"
 */

export const NAME = "Layers";

export const SITE = "language";

export const SHOWS = ["place"];

export const CHOICES = { layerA: null, layerB: null, word: "" };

/** @param {Context} ctx @param {Letter} letter @returns {LayersColumn} */
function column(ctx, letter) {
  const stage = createStage({
    letter,
    title: say("One word on the visual tokens, model {letter}", { letter }),
    ...boardGestures(ctx, letter),
  });
  const make = (/** @type {string} */ name) => el("div", { class: name, "data-part": name });
  const [side, wait, thumbs, table, before, at, words] = [
    "figures",
    "lens-wait idle",
    "lens-thumbs",
    "lens-table",
    "lens-reading",
    "lens-reading",
    "faint",
  ].map(make);
  const pick = (/** @type {number} */ layer) => ctx.actions.choose("layers", layerChoice(letter, layer));
  const chance = createLayerCurves({
    label: say("Probability of the answer's word by layer"),
    height: 110,
    onpick: pick,
  });
  const norms = createLayerCurves({ label: say("Length of the states by layer"), height: 110, onpick: pick });
  const cell = (/** @type {string} */ name, /** @type {Child[]} */ ...children) =>
    el("div", { class: name, "data-part": name, "data-letter": letter }, ...children);
  const swatch = (/** @type {string} */ kind, /** @type {string} */ name) =>
    el("span", {}, el("i", { class: `swatch part-${kind}` }), name);
  const kinds = el(
    "span",
    {},
    swatch("text", say("text")),
    swatch("image", say("image")),
    swatch("answer", say("answer")),
  );
  /** @type {(title: string, remark: string | HTMLElement, ...children: Child[]) => HTMLElement} */
  const titled = (title, remark, ...children) =>
    el(
      "div",
      {},
      el(
        "div",
        { class: "title-line", "data-part": "title-line" },
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
/** @param {Context} ctx @param {LayersColumn} view @param {Run} run @param {Media | null} media @param {number} seconds */
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
      "data-part": "text-button",
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

/** @param {Context} ctx @param {LayersColumn} view @param {State} state @param {Selection} selection */
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
  if (media) drawStage(ctx, view, { ...look, media }, state, selection);
  else
    view.stage.update({
      ...ctx.vacant(view.cells.stage, view.letter, STAGE_HEIGHT, run),
      note: say("No picture in this question, so no visual token."),
    });
  toggle(view.cells.strip, "idle", !media);
  if (media) drawThumbs(ctx, view, { ...look, media }, state, selection);
  drawTable(ctx, view, look, selection);
  drawReadings(ctx, view, look, state, selection);
  drawCurves(ctx, view, look, state);
}

/** @param {Context} ctx @returns {Part} */
function tools(ctx) {
  const label = el("b", { class: "pen-words", "data-part": "pen-words" });
  const input = el("input", {
    class: "text-field",
    type: "text",
    id: "lens-word",
    maxlength: "40",
    "aria-label": say("A word to look for on the visual tokens"),
    onchange: (event) => ctx.actions.choose("layers", { word: encodeURIComponent(event.currentTarget.value.trim()) }),
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

/**
 * @param {(Run | null)[]} runs
 * @returns {HonestItems}
 */
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

/** @param {Context} ctx */
export const createView = (ctx) =>
  createFrame("layers", {
    tools: tools(ctx),
    column: (letter) => column(ctx, letter),
    draw: (view, state, selection) => drawColumn(ctx, view, state, selection),
    honest: (state) => honest(LETTERS.map((letter) => state.runs[letter])),
  });

// What the visual token in question reads as.
/** @type {(ctx: Context, run: Run, state: State, selection: Selection, letter: Letter, layer: number) => string} */
function visualWords(ctx, run, state, selection, letter, layer) {
  const media = run.media[selection.media];
  if (!media) return "";
  const here = visualToken({ run, media }, state, selection, letter);
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
/** @param {Context} ctx @param {State} state @param {Selection} selection @returns {StatusParts} */
export function status(ctx, state, selection) {
  /** @param {Letter} letter @returns {string[] | null} */
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
    const visual = visualWords(ctx, run, state, selection, letter, layer);
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
    ...LETTERS.map(about).filter((part) => part !== null),
  ];
}
