// Why this word: the row that predicts a word of the answer, as a map on the picture, in both models.

import { el, find, refill, segmented, setText, toggle } from "../../core/dom.js";
import { hasAdapter } from "../../core/families.js";
import { fit } from "../../core/geometry.js";
import { say, said } from "../../core/i18n.js";
import { count, percent } from "../../core/numbers.js";
import { Matrix, STATISTICS } from "../../drawing/matrix.js";
import { Ladder, drawnGrid, drawnValues } from "../../drawing/ladder.js";
import { columnOver, columnScale, differenceOver, differenceScale, points, rowOver, rowScale } from "./over_map.js";
import { chosenCells, chosenRegion } from "../../drawing/places.js";
import { readerBars, rowBars } from "./row_bar.js";
import { createRibbon } from "../../drawing/ribbon.js";
import { createScale } from "../../drawing/scale.js";
import { createStage } from "../../drawing/stage.js";
import { createClip } from "./clip.js";
import { belowStage, twoColumns } from "../../drawing/frame.js";
import { honestPanel, weightsNote } from "../../drawing/honest.js";
import { LETTERS, choices } from "../../core/selection.js";
import { cellWords, headWords, languageWhere, layerWords, rowWords } from "../../shell/status.js";
import { atCell, cellInTime } from "../../core/time.js";
import { chosenLabel, isPredicted, tokenLabel, wordLabel, wordOfToken, wordPredictedBy } from "../../core/words.js";

export const NAME = "Answer";
export const SITE = "language";
export const SHOWS = ["place", "region", "swap"];
export const CHOICES = { mode: "raw", scale: "own", statistic: "share" };
const STAGE_HEIGHT = 288;
const SCALE_HEIGHT = 204; // the least that its words need

// What is shown of one run, for an export. A difference compares shares, and a map against a neutral question has none.
export function shown({ selection }) {
  const { mode, scale } = choices(selection, "answer");
  const summed = scale === "difference";
  return { mode: summed && mode === "neutral" ? "raw" : mode, summed, shared: scale === "shared" };
}

function pens() {
  const [query, key] = [el("span", { class: "pen-words" }), el("span", { class: "pen-words" })];
  const root = el(
    "div",
    { class: "pens" },
    el("span", {}, el("i", { class: "pen pen-query" }), query),
    el("span", {}, el("i", { class: "pen pen-key" }), key),
  );
  return {
    root,
    update(run, token, swap) {
      toggle(root, "idle", token === null || !run);
      if (token === null || !run) return;
      const label = chosenLabel(run, token);
      const row = isPredicted(run, token)
        ? say("row that predicts {word}", { word: label })
        : say("row of {word}", { word: label });
      setText(query, swap ? say("rows that give most to the key") : row);
      setText(key, swap ? say("key") : say("fewest cells that hold half of its image share"));
    },
  };
}

const modes = () => [
  ["raw", say("Raw"), say("The row as it is")],
  [
    "sinks",
    say("Sinks aside"),
    say("Keys that draw a large share of most rows count 0; how much that removes is printed"),
  ],
  [
    "neutral",
    say("Against a neutral question"),
    say("The map scaled to sum to 1, minus the same of the last row of the prompt “Describe the image.”"),
  ],
];

const scales = () => [
  ["own", say("Own scale"), say("Each map to its own maximum")],
  ["shared", say("Shared"), say("Both maps to the larger maximum")],
  ["difference", say("Difference"), say("A minus B on one grid, each map scaled to sum to 1")],
];

function tools(ctx) {
  const pen = pens();
  const button = (text, label, act) =>
    el("button", { type: "button", class: "tool", text, "aria-label": label, title: label, onclick: act });
  const play = button("▶", say("Play the answer word by word"), () => ctx.actions.play());
  const mode = segmented(say("What is drawn"), modes(), (value) => ctx.actions.choose("answer", { mode: value }));
  const scale = segmented(say("Scale"), scales(), (value) => {
    ctx.store.set({ shared: value === "shared" });
    ctx.actions.choose("answer", { scale: value });
  });
  const media = ctx.mediaChoice();
  const steps = el(
    "div",
    { class: "steps" },
    button("‹", say("Previous word"), () => ctx.actions.stepWord(-1)),
    play,
    button("›", say("Next word"), () => ctx.actions.stepWord(1)),
  );
  const root = el(
    "div",
    { class: "tools wide" },
    steps,
    pen.root,
    el("span", { class: "spring" }),
    media.root,
    mode,
    scale,
  );
  return { root, pen, mode, scale, media, play };
}

function statisticChoice(ctx) {
  const options = Object.entries(STATISTICS).map(([value, { title }]) => el("option", { value, text: title() }));
  return el(
    "select",
    {
      class: "statistic",
      "aria-label": say("Statistic"),
      onchange: (event) => ctx.actions.choose("answer", { statistic: event.target.value }),
    },
    ...options,
  );
}

function column(ctx, letter) {
  const { actions } = ctx;
  const stage = createStage({
    letter,
    title: say("The picture, model {letter}", { letter }),
    onhover: (place) => actions.hoverPlace(place),
    onpick: (place, adding) => actions.pickPlace(place, adding),
    onstep: (rows, columns) => actions.stepPlace(letter, rows, columns),
    onstretch: (rows, columns) => actions.stretchRegion(letter, rows, columns),
    onregion: (region, done) => (done ? actions.pickRegion(region) : actions.drawRegion(region)),
  });
  const scale = createScale();
  const matrix = new Matrix({
    letter,
    onhover: (layer, head) => actions.hoverHead(letter, layer, head),
    onpick: (layer, head) => actions.pickHead(letter, layer, head),
  });
  const cell = (name, ...children) => el("div", { class: name, "data-letter": letter }, ...children);
  const statistic = statisticChoice(ctx);
  const matrixBox = el(
    "div",
    { class: "matrix-box" },
    el("div", { class: "title-line" }, el("span", { class: "statistic-box" }, statistic)),
    matrix.root,
    el("div", { class: "matrix-axes", text: say("head →   layer ↓") }),
  );
  const ladder = new Ladder({ onrung: (rung) => openRung(ctx, letter, rung) });
  const ribbon = createRibbon({
    onhover: (token) => actions.hoverToken(letter, token),
    onpick: (token, adding) => actions.pickToken(letter, token, adding),
    onstep: (by) => actions.stepToken(letter, by),
  });
  const bars = cell("bars");
  const details = cell("detail-cell", matrixBox, ladder.root);
  const cells = {
    stage: cell("stage-cell", stage.root, scale.root),
    bars,
    ribbon: cell("ribbon-cell", ribbon.root),
    details,
  };
  return { letter, stage, scale, matrix, statistic, ladder, ribbon, bars, cells };
}

// The matrix that made a rung: the row's own layer x head, the adapter's or merger's, or the patches of the picture.
function openRung(ctx, letter, rung) {
  if (rung === 0) find(`.detail-cell[data-letter="${letter}"] .matrix-cell[aria-selected="true"]`)?.focus();
  else ctx.actions.pickView(rung === 1 ? "adapter" : "patches");
}

const BARE = { quiet: false, cells: null, contour: null, outlines: [], label: null };

const setIdle = (view, idle) => [view.scale.root, ...belowStage(view)].forEach((node) => toggle(node, "idle", idle));

function drawVacant(ctx, view, state) {
  setIdle(view, true);
  view.stage.update(ctx.vacant(view.cells.stage, view.letter, STAGE_HEIGHT, state.runs[view.letter]));
}

function maximum(selection, resources, letter) {
  if (choices(selection, "answer").scale !== "shared") return resources[letter].map.max;
  return Math.max(...LETTERS.map((each) => resources[each].map?.max || 0));
}

// What lies on the stage, and the words of its scale.
function overlayOf(ctx, view, { run, media, map, selection, resources }) {
  const { letter } = view;
  const { value } = selection.swap ? ctx.reading(letter) : { value: null };
  if (value) {
    const over = columnOver(media, selection, value, !hasAdapter(run));
    return { spec: over.spec, words: columnScale(!hasAdapter(run), over.most) };
  }
  const wanted = choices(selection, "answer").scale === "difference" ? ctx.agreement() : null;
  const compared = wanted?.value;
  if (compared && compared.iou !== null && compared.iou !== undefined)
    return {
      spec: differenceOver(compared, selection, wanted.fresh),
      words: differenceScale(compared, letter === "A"),
    };
  if (!map) return null;
  const most = maximum(selection, resources, letter);
  const over = rowOver(map, selection, most);
  return {
    spec: { ...over.spec, aria: map.sentence },
    words: rowScale(ctx, letter, { run, media, map, selection, most, ...over }),
  };
}

function drawColumn(ctx, view, state, chosen, resources) {
  const { letter } = view;
  const run = state.runs[letter];
  const { media, image, map, late, error } = resources[letter];
  if (!run || !media) return drawVacant(ctx, view, state);
  const cell = cellInTime(state, chosen, letter);
  const selection = { ...chosen, frame: cell };
  const { inner, flat } = ctx.stageBox(view.cells.stage, media.size, STAGE_HEIGHT);
  const shown = selection.query[letter] === null ? null : map;
  const over = shown || selection.swap ? overlayOf(ctx, view, { run, media, map: shown, selection, resources }) : null;
  const note = error && said(error);
  const dimmed = selection.swap && !ctx.reading(letter).fresh ? say("column on its way") : late;
  view.stage.update({ image, size: media.size, box: inner, dimmed, note, ...(over?.spec ?? BARE) });
  toggle(view.cells.stage, "flat", flat);
  setIdle(view, !over);
  if (!over) return undefined;
  const height = Math.max(SCALE_HEIGHT, Math.round(fit(media.size, inner).height));
  view.scale.update({ height, flat, ...over.words });
  toggle(view.cells.details, "idle", !shown);
  if (selection.swap) drawReaders(ctx, view, { run, selection });
  return shown && drawDetails(ctx, view, { selection, run, map: shown, still: atCell(shown, cell), image, media });
}

function keyName(run, reading) {
  if (reading.cells?.length > 1) return say("{n} chosen cells", { n: count(reading.cells.length) });
  if (reading.cells?.length) return say("the chosen cell");
  return say("token {token} {text}", { token: count(reading.key), text: tokenLabel(run, reading.key) });
}

// A row of the language model by what it does: the word of the answer it predicts, else the token it belongs to.
function rowLabel(run, row) {
  const word = run.words[wordPredictedBy(run, row)];
  if (word) return say("row {row}, predicts “{word}”", { row: count(row), word: wordLabel(word) });
  return say("row {row}, {text}", { row: count(row), text: tokenLabel(run, row) });
}

function drawReaders(ctx, view, { run, selection }) {
  const { letter } = view;
  const reading = ctx.reading(letter);
  if (!reading.value) return;
  const { values, strongest } = reading.value;
  readerBars(view.bars, {
    title: say("Who reads {key}", { key: keyName(run, reading) }),
    where: languageWhere({ layer: selection.layer[letter], head: selection.head[letter] }),
    rows: strongest.map((row) => [rowLabel(run, row), row, values[row]]),
  });
  const marks = reading.key === null ? [] : [reading.key];
  view.ribbon.update({
    run,
    row: reading.key ?? 0,
    keys: values,
    width: Math.floor(view.cells.ribbon.clientWidth),
    marks,
    swap: true,
  });
}

function drawRow(view, { run, map }) {
  const title =
    map.rows.length > 1
      ? say("Where {n} rows go, their mean", { n: map.rows.length })
      : say("Where row {row} goes", { row: count(map.row) });
  rowBars(view.bars, {
    title,
    where: say("language {layer}", { layer: layerWords(map.layer) }),
    chosen: headWords(map.head),
    sections: map.sections,
    mean: map.sections_mean,
    sinks: map.sinks,
    sinksMean: map.sinks_mean,
  });
  view.ribbon.update({
    run,
    row: map.row,
    keys: map.keys,
    width: Math.floor(view.cells.ribbon.clientWidth),
    marks: map.rows,
  });
}

function drawMatrix(ctx, view, selection) {
  const { letter } = view;
  const wanted = choices(selection, "answer").statistic;
  const statistic = Object.hasOwn(STATISTICS, wanted) ? wanted : "share";
  const shares = ctx.shares(letter);
  const found = statistic === "share" ? shares && { share: shares.values } : ctx.statistics(letter);
  view.statistic.value = statistic;
  if (!found) return;
  const { values, most, means } = STATISTICS[statistic];
  view.statistic.title = means(found);
  const [layer, head] = [selection.layer[letter], selection.head[letter]];
  view.matrix.update({ values: values(found), most: most(found), statistic, layer, head });
}

function drawDetails(ctx, view, { selection, run, map, still, image, media }) {
  if (!selection.swap) drawRow(view, { run, map });
  drawMatrix(ctx, view, selection);
  if (image) view.ladder.update(run, still, image, media);
}

function plotted(selection, runs) {
  const averaged = (pair) => LETTERS.some((letter) => runs[letter] && pair[letter] === "mean");
  if (selection.swap) return say("A column: what each row that may see the key gives to it, exact.");
  if (choices(selection, "answer").scale === "difference")
    return say(
      "A minus B by area on one grid, each map scaled to sum to 1. IoU: of the two halves. JS: 0 same, 1 apart.",
    );
  if (selection.also.A.length || selection.also.B.length)
    return say("The mean of several rows, each exact and of equal weight. Only the part on the image is drawn.");
  return averaged(selection.head) || averaged(selection.layer)
    ? say("A row averaged over heads or layers, exact. Only the part on the image is drawn.")
    : say("One row of one head, exact. Only the part that falls on the image is drawn.");
}

function normalised(selection) {
  const { mode, scale } = choices(selection, "answer");
  if (selection.swap) return say("Colours run to the column's maximum. Printed weights are of each reading row.");
  if (scale === "difference")
    return say("Both sides run to the largest difference, in even shares. Zero is bare picture.");
  if (mode === "sinks") return say("Sinks count 0, nothing is scaled up to make good. What was removed is printed.");
  if (mode === "neutral") return say("Both maps scaled to sum to 1, then subtracted: teal more, rose less, zero bare.");
  return say("Colours run to the maximum of each scale. Printed shares are of the whole row.");
}

function honest(selection, runs) {
  const note = weightsNote(LETTERS.map((letter) => runs[letter]));
  return [
    [say("Plotted"), plotted(selection, runs)],
    [say("Normalised"), normalised(selection)],
    [say("Not shown"), `${say("A high share is no cause. Gradients, rollout: left for later.")} ${note}`.trim()],
  ];
}

export function createView(ctx) {
  const { columns, rows, stages } = twoColumns((letter) => column(ctx, letter));
  const tool = tools(ctx);
  const panel = honestPanel();
  const clip = createClip(ctx); // nothing where a still is looked at
  const root = el("div", { class: "view view-answer" }, tool.root, ...clip.above, ...rows(), ...clip.below, panel.root);
  return {
    root,
    stages,
    update(state, selection) {
      const resources = Object.fromEntries(LETTERS.map((letter) => [letter, ctx.mapResources(letter)]));
      const { mode, scale } = choices(selection, "answer");
      tool.pen.update(state.runs[selection.model], selection.query[selection.model], selection.swap);
      tool.mode.choose(mode);
      tool.scale.choose(scale);
      setText(tool.play, state.playing ? "❚❚" : "▶");
      tool.media.update(state, selection);
      LETTERS.forEach((letter) => drawColumn(ctx, columns[letter], state, selection, resources));
      clip.update(state, selection, resources);
      LETTERS.forEach((letter) => resources[letter].fresh && resources[letter].map && ctx.sendAhead(letter));
      panel.update(honest(selection, state.runs));
    },
  };
}

// The one figure of this view, at the right of the tabs: do both models look at the same place?
export function figure(ctx, _state, selection, root) {
  const answer = selection.swap ? null : ctx.agreement();
  const found = answer?.value;
  toggle(root, "late", answer && !answer.fresh);
  const known = found && found.iou !== null && found.iou !== undefined;
  root.title = say(
    "IoU: of the areas that hold half of each map, what both share over what either covers. JS: Jensen-Shannon distance of the two maps, 0 the same, 1 apart. Both by area on the original picture.",
  );
  refill(root, known ? [found.iou, found.js_distance] : null, () =>
    known
      ? [
          `${say("A and B agree:")} IoU `,
          el("b", { text: found.iou.toFixed(2) }),
          ` · ${say("JS distance")} `,
          el("b", { text: found.js_distance.toFixed(2) }),
        ]
      : [],
  );
}

function swapped(ctx, state, letter) {
  const run = state.runs[letter];
  const reading = run && ctx.reading(letter);
  if (!reading?.value) return reading?.error ? said(reading.error) : say("no column yet");
  const best = reading.value.strongest[0];
  if (best === undefined) return say("{key}, no later row reads it", { key: keyName(run, reading) });
  const gaps = { key: keyName(run, reading), row: rowLabel(run, best), share: percent(reading.value.values[best]) };
  return say("{key}, read most by {row}: {share} of it", gaps);
}

// How much of a row falls on the chosen place.
function placedWords(map, selection) {
  const region = chosenRegion(selection, map);
  if (region) {
    if (region.share === null) return null;
    return say("region: {map} of its image attention, {part} of the row", {
      map: percent(region.ofMap),
      part: percent(region.share),
    });
  }
  const pin = chosenCells(selection, map.unit, drawnGrid(map), drawnValues(map));
  if (!pin) return null;
  if (map.mode === "neutral")
    return say("{cell}: {points} against the neutral row", { cell: pin.text, points: points(pin.sum) });
  return say("{cell}: {share} of the row", { cell: pin.text, share: percent(pin.sum) });
}

// What the status line says of this view.
export function status(ctx, state, selection) {
  const run = state.runs[selection.model];
  const token = selection.query[selection.model];
  const label = chosenLabel(run, token);
  if (selection.swap && (label || selection.keys || selection.region))
    return [
      [say("column, query and key swapped")],
      ...LETTERS.map((letter) => ["", letter, ` ${swapped(ctx, state, letter)}`]),
    ];
  const seen = LETTERS.filter((letter) => state.runs[letter]?.media[selection.media]);
  if (!label && selection.keys && !selection.region)
    return [
      [say("a place on the picture")],
      ...seen.map((letter) => [
        "",
        letter,
        ` ${cellWords(state.runs[letter], state.runs[letter].media[selection.media], selection.keys)}`,
      ]),
    ];
  if (!label) return [[say("Nothing is chosen: point at a word of an answer to see the row that predicts it.")]];
  const kind = wordOfToken(run, token) >= 0 ? `${say("answer word")} ` : "";
  const words = (letter) => {
    const now = { ...selection, frame: cellInTime(state, selection, letter) };
    return ` ${rowWords(ctx, letter, state, selection, (map) => placedWords(map, now))}`;
  };
  return [[kind, label], ...LETTERS.map((letter) => ["", letter, words(letter)])];
}
