// Did a place matter for a word? Hide it from attention or paint it over, and the same answer is told again; take the
// cells of the shown map away step by step, and see whether the word falls sooner than by chance.

import { decode } from "../../state/client.js";
import { el, letterBadge, refill, toggle } from "../../core/dom.js";
import { ownGrid } from "../../core/families.js";
import { said, say } from "../../language/i18n.js";
import { percent, roughly } from "../../language/numbers.js";
import { LETTERS, choices } from "../../state/selection.js";
import { cellInTime } from "../../state/time.js";
import { chosenLabel } from "../../state/words.js";
import { twoColumns } from "../../drawing/frame.js";
import { honestPanel, weightsNote } from "../../drawing/honest.js";
import { drawnGrid, drawnValues } from "../../drawing/ladder.js";
import { NO_RECTANGLE } from "../../core/rectangle.js";
import { createLayer } from "../../drawing/region.js";
import { figures } from "../../drawing/scale.js";
import { createStage } from "../../drawing/stage.js";
import { brushCell, brushKeys, brushWords } from "./brush_keys.js";
import { drawing, inFrame, paintRegion, regionOf } from "./drawn_region.js";
import { drawEffect, isLong } from "./effect.js";
import { createControls, layersOf } from "./tools.js";
import { drawWalk } from "./walk.js";
import { nameOf, sideFigures } from "./words.js";
import { createAsker, createWalker } from "./work.js";

/** @import { Both, CausesChoices, CausesTold, Choices, Context, Letter, Media } from "../../core/types.d.ts" */
/** @import { Run, Selection, State, StatusParts, ViewDrawing } from "../../core/types.d.ts" */
/** @import { Asked, CurvesAsked, Work } from "./work.js" */
/** @import { ChosenPlace } from "./drawn_region.js" */

/** @typedef {ReturnType<typeof column>} Column */

export const NAME = "Causes";

export const SITE = "language";

export const SHOWS = ["picture", "place"];

export const CHOICES = {
  tool: "paint",
  shape: "box",
  ...NO_RECTANGLE,
  strokes: "none",
  fill: "mean",
  rows: "answer",
  through: "adapter",
  from_A: null,
  to_A: null,
  from_B: null,
  to_B: null,
  beneath: false,
};

const STAGE_HEIGHT = 250;

const NO_MAP = { map: null, late: null, error: null };

// The question about one model, from what is locked: hovering asks nothing here.
/** @param {State} state @param {Letter} letter @param {ChosenPlace | null} [region] @returns {Asked | null} */
function questionOf(state, letter, region = regionOf(choices(state.selection, "causes"))) {
  const { selection } = state;
  const run = state.runs[letter];
  const query = selection.query[letter];
  const chosen = choices(selection, "causes");
  if (!run?.media[selection.media] || !region || query === null || query < run.answer_start) return null;
  const about = { run: run.id, query, media: selection.media };
  const map = region.kind === "half" ? { layer: selection.layer[letter], head: selection.head[letter] } : {};
  if (chosen.tool === "paint") {
    const frame = cellInTime(state, selection, letter);
    return { ...about, tool: "paint", place: region, ...map, fill: chosen.fill, frame };
  }
  const layers = layersOf(run, chosen, letter);
  return { ...about, tool: "block", place: region, ...map, rows: chosen.rows, through: chosen.through, layers };
}

// What is shown of one run, for an export; where no place is chosen, the cells that hold half of the map.
/** @param {State} state @param {Letter} letter */
export function shown(state, letter) {
  const chosen = choices(state.selection, "causes");
  /** @type {ChosenPlace} */
  const region = regionOf(chosen) ?? { kind: "half" };
  return { ...questionOf(state, letter, region), fill: chosen.fill };
}

/** @param {State} state @param {Letter} letter @returns {CurvesAsked | null} */
function curvesQuestion(state, letter) {
  const { selection } = state;
  const run = state.runs[letter];
  const query = selection.query[letter];
  if (!run?.media[selection.media] || query === null || query < run.answer_start) return null;
  const cell = { layer: selection.layer[letter], head: selection.head[letter] };
  return { run: run.id, query, media: selection.media, ...cell, fill: choices(selection, "causes").fill };
}

/** @param {Context} ctx @param {Letter} letter @param {Work} work */
function column(ctx, letter, work) {
  const stage = createStage({
    letter,
    title: say("The picture, model {letter}: drag to choose a place", { letter }),
    onhover: () => {},
    onpick: () => {},
    ...brushKeys(ctx, letter, work.choose),
  });
  const drag = drawing(ctx, letter);
  const layer = createLayer(stage, {
    onhover: () => {},
    onclick: () => {},
    ondrag: (from, to, done) => drag(from, to, done, work.choose),
  });
  const side = el("div", { class: "figures", "data-part": "figures" });
  const cell = el("div", { class: "stage-cell", "data-part": "stage-cell", "data-letter": letter }, stage.root, side);
  const [body, charts] = [
    el("div", { class: "causes-body", "data-part": "causes-body" }),
    { deletion: el("div"), insertion: el("div") },
  ];
  /** @param {string} text @param {HTMLElement} right */
  const title = (text, right) =>
    el("div", { class: "title-line", "data-part": "title-line" }, el("h3", {}, letterBadge(letter), text), right);
  const state = el("span", { class: "causes-state" });
  const card = el(
    "section",
    { class: "card causes-card", "data-part": "causes-card", "data-letter": letter },
    title(say("The same answer, told again"), state),
    body,
  );
  const done = el("i");
  const [run, progress, note] = [
    el("button", { type: "button", class: "text-button", "data-part": "text-button" }),
    el("span", { class: "progress-line" }, done),
    el("p", { class: "causes-note" }),
  ];
  run.addEventListener("click", () => work.walk(letter));
  const curves = el(
    "section",
    { class: "card curves-card", "data-part": "curves-card", "data-letter": letter },
    title(say("Deletion and insertion of the shown map"), run),
    progress,
    note,
    el("div", { class: "curve-pair" }, charts.deletion, charts.insertion),
  );
  return { letter, stage, layer, side, cell, body, state, card, curves, charts, run, progress, done, note };
}

/**
 * @param {Context} ctx
 * @param {Letter} letter
 * @param {Run} run
 * @param {Media} media
 * @param {Selection} selection
 * @param {CausesTold | null} effect
 */
function overlayOf(ctx, letter, run, media, selection, effect) {
  const chosen = choices(selection, "causes");
  const grid = ownGrid(run, media);
  const frame = cellInTime(ctx.store.state, selection, letter);
  const byCells = effect && (effect.tool === "block" || chosen.shape === "half"); // else pixels were painted, not cells
  const hidden = byCells ? { cells: inFrame(effect.cells, grid, frame), grid } : null;
  const shows = chosen.beneath || (chosen.shape === "half" && !effect);
  const { map, late, error } = shows ? ctx.mapResources(letter) : NO_MAP;
  const note = error && said(error);
  if (!map) return { quiet: false, cells: null, contour: hidden, dimmed: late, note };
  const drawn = drawnGrid(map);
  const cells = { values: drawnValues(map), grid: drawn, max: map.max, offset: frame * drawn[1] * drawn[2] };
  return { quiet: true, cells, contour: hidden, dimmed: late, note };
}

/** @param {Context} ctx @param {Column} view @param {Work} work @param {State} state @param {Selection} selection */
function drawColumn(ctx, view, work, state, selection) {
  const { letter } = view;
  const run = state.runs[letter];
  const media = run?.media[selection.media];
  const chosen = choices(selection, "causes");
  [view.card, view.curves].forEach((card) => (card.hidden = !run));
  if (!run || !media) {
    view.stage.update(ctx.vacant(view.cell, letter, STAGE_HEIGHT, run));
    view.layer.draw([], () => {});
    refill(view.side, [], () => []);
    view.curves.hidden = true;
    refill(view.body, [run?.id], () =>
      run ? [el("p", { text: say("No picture in this question: there is nothing to take away.") })] : [],
    );
    return;
  }
  const asked = questionOf(state, letter);
  const held = work.asker.look(letter, asked);
  const word = nameOf(run, state.selection.query[letter]);
  const effect = held.value;
  const drawingNow =
    state.preview && JSON.stringify(regionOf(chosen)) !== JSON.stringify(regionOf(choices(state.selection, "causes")));
  const painted = !drawingNow && effect?.tool === "paint" ? held.image : null;
  const { inner, flat } = ctx.stageBox(view.cell, media.size, STAGE_HEIGHT);
  const image = painted ?? ctx.picture("picture", run.id, selection.media);
  const here = brushCell(run, media, selection);
  const aria = [say("The picture, model {letter}: drag to choose a place", { letter }), here && brushWords(here)]
    .filter(Boolean)
    .join(", ");
  view.stage.update({
    image,
    size: media.size,
    box: inner,
    aria,
    ...overlayOf(ctx, letter, run, media, selection, drawingNow ? null : effect),
  });
  toggle(view.cell, "flat", flat);
  view.layer.draw([regionOf(chosen), Boolean(painted), here], paintRegion(chosen, Boolean(painted), here));
  figures(view.side, sideFigures(media, effect, word));
  const start = () =>
    el("button", {
      type: "button",
      class: "text-button main",
      "data-part": "text-button",
      text: isLong(run)
        ? say("Tell the answer again, {time}", { time: roughly(run.seconds.replay) })
        : say("Tell the answer again"),
      onclick: work.begin,
    });
  drawEffect(view, { run, chosen, held, asked, word, start });
  drawWalk(view, work.walker.look(letter), curvesQuestion(state, letter), run, state.selection);
}

/** @param {Both<Run | null>} runs */
function honest(runs) {
  return [
    [
      say("Plotted"),
      say(
        "The probability of the chosen word in the same forced answer, before and after; nothing is generated anew. Float32 softmax of the model's own logits.",
      ),
    ],
    [
      say("Normalised"),
      say(
        "Probabilities are absolute, of all tokens of the vocabulary; areas are under curves from 0 to 1 on both axes.",
      ),
    ],
    [
      say("Not shown"),
      `${say("Proof: a painted picture is none the model was trained on, and what is hidden from some rows may reach the answer through others that read it before.")} ${weightsNote(LETTERS.map((letter) => runs[letter]))}`,
    ],
  ];
}

// What was asked stays when the view is made anew in another language, and the status line reads it too.
/** @type {WeakMap<Context, ReturnType<typeof createAsker>>} */
const askers = new WeakMap();

/** @type {WeakMap<Context, ReturnType<typeof createWalker>>} */
const walkers = new WeakMap();

/**
 * @template T
 * @param {WeakMap<Context, T>} held
 * @param {Context} ctx
 * @param {(ctx: Context, read: typeof decode) => T} create
 * @returns {T}
 */
function kept(held, ctx, create) {
  const known = held.get(ctx) ?? create(ctx, decode);
  held.set(ctx, known);
  return known;
}

/** @param {Context} ctx @returns {ViewDrawing} */
export function createView(ctx) {
  const asker = kept(askers, ctx, createAsker);
  const walker = kept(walkers, ctx, createWalker);
  /** @type {Work} */
  const work = {
    asker,
    walker,
    choose(patch) {
      asker.live ||= LETTERS.every((letter) => !isLong(ctx.store.state.runs[letter]));
      ctx.actions.choose("causes", patch);
    },
    begin() {
      asker.live = true;
      ctx.store.redraw();
    },
    walk: (letter) => walker.toggle(letter, curvesQuestion(ctx.store.state, letter)),
  };
  const controls = createControls(ctx, work);
  const { columns, pair, stages } = twoColumns((letter) => column(ctx, letter, work));
  const panel = honestPanel();
  const root = el(
    "div",
    { class: "view view-causes", "data-part": "view" },
    ...controls.rows,
    pair("cell", ({ cell }) => cell),
    pair("card", ({ card }) => card),
    pair("curves", ({ curves }) => curves),
    panel.root,
  );
  walker.watch(() => root.isConnected);
  return {
    root,
    stages,
    update(state, selection) {
      controls.update(state, selection);
      LETTERS.forEach((letter) => drawColumn(ctx, columns[letter], work, state, selection));
      panel.update(honest(state.runs));
      root.dataset.settled = String(LETTERS.every((letter) => !asker.look(letter, questionOf(state, letter)).late));
    },
  };
}

// Without the place that is hidden or painted; null where none is.
/** @param {CausesChoices} chosen @returns {Choices | null} */
export function letGo(chosen) {
  if (!regionOf(chosen)) return null;
  return { ...NO_RECTANGLE, strokes: "none", shape: chosen.shape === "half" ? "box" : chosen.shape };
}

/** @param {ChosenPlace} region */
function whereWords(region) {
  if (region.kind === "box") return say("region {box} thousandths", { box: region.box.join(", ") });
  return region.kind === "brush" ? say("the brushed region") : say("the cells that hold half of the shown map");
}

// What the status line says of this view.
/** @param {Context} ctx @param {State} state @param {Selection} selection @returns {StatusParts} */
export function status(ctx, state, selection) {
  const chosen = choices(state.selection, "causes");
  const region = regionOf(chosen);
  /** @param {Letter} letter @param {string[]} words */
  const partOf = (letter, ...words) => {
    const run = state.runs[letter];
    const here = brushCell(run, run?.media[selection.media], selection);
    return ["", letter, ` ${[here && brushWords(here), ...words].filter(Boolean).join(", ")}`];
  };
  const known = LETTERS.filter((letter) => state.runs[letter]);
  if (!region) {
    const cells = selection.keys ? known.map((letter) => partOf(letter)) : [];
    return [[say("No place is chosen: drag on a picture to hide it or paint it over.")], ...cells];
  }
  const told = known.map((letter) => {
    const held = kept(askers, ctx, createAsker).look(letter, questionOf(state, letter));
    const word = chosenLabel(state.runs[letter], state.selection.query[letter]);
    if (!held.value || held.late) return partOf(letter, say("not computed"));
    const { before, after } = held.value;
    return partOf(letter, say("{word} {before} to {after}", { word, before: percent(before), after: percent(after) }));
  });
  return [
    [`${chosen.tool === "paint" ? say("painted over") : say("hidden from attention")}: ${whereWords(region)}`],
    ...told,
  ];
}
