// Why this word: the row that predicts a word of the answer, as a map on the picture, in both models.

import { el, find, refill, setText, toggle } from "../../core/dom.js";
import { hasAdapter } from "../../core/families.js";
import { fit } from "../../core/geometry.js";
import { said, say } from "../../language/i18n.js";
import { count } from "../../language/numbers.js";
import { LETTERS, choices } from "../../state/selection.js";
import { atCell, cellInTime } from "../../state/time.js";
import { belowStage, twoColumns } from "../../drawing/frame.js";
import { honestPanel } from "../../drawing/honest.js";
import { Ladder } from "../../drawing/ladder.js";
import { Matrix, STATISTICS } from "../../drawing/matrix.js";
import { createRibbon } from "../../drawing/ribbon.js";
import { createScale } from "../../drawing/scale.js";
import { createStage } from "../../drawing/stage.js";
import { headWords, languageWhere, layerWords } from "./row_words.js";
import { createClip } from "./clip.js";
import { columnOver, columnScale, differenceOver, differenceScale, isCompared, rowOver, rowScale } from "./over_map.js";
import { readerBars, rowBars } from "./row_bar.js";
import { honest, keyName, rowLabel } from "./sentences.js";
import { statisticChoice, tools } from "./tools.js";

export { status } from "./sentences.js";

/** @import { Attended, Both, Context, Letter, MapResources } from "../../core/types.d.ts" */
/** @import { Media, Run, Selection, State, ViewDrawing } from "../../core/types.d.ts" */

/** @typedef {ReturnType<typeof column>} Column */

/** @typedef {Both<MapResources>} Resources */

/**
 * One column's run and what of it is on show; the map is null while a column is read instead.
 * @typedef {object} Shown
 * @property {Run} run
 * @property {Media} media
 * @property {Attended | null} map
 * @property {Selection} selection
 * @property {Resources} resources
 */

/**
 * The row on show, and what of it lies on the frame on show.
 * @typedef {{ run: Run, media: Media, selection: Selection, map: Attended, still: Attended }} RowOnShow
 */

/** @typedef {RowOnShow & { image: HTMLImageElement | null }} Details */

export const NAME = "Answer";

export const SITE = "language";

export const SHOWS = ["place", "region", "swap"];

export const CHOICES = { mode: "raw", scale: "own", statistic: "share" };

// What is shown of one run, for an export. A difference compares shares, and a map against a neutral question has none.
/** @param {State} state */
export function shown({ selection }) {
  const { mode, scale } = choices(selection, "answer");
  const summed = scale === "difference";
  return { mode: summed && mode === "neutral" ? "raw" : mode, summed, shared: scale === "shared" };
}

const STAGE_HEIGHT = 288;

const SCALE_HEIGHT = 204; // the least that its words need

/** @param {Context} ctx @param {Letter} letter */
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
  /** @param {string} name @param {(Node | string)[]} children */
  const cell = (name, ...children) => el("div", { class: name, "data-part": name, "data-letter": letter }, ...children);
  const statistic = statisticChoice(ctx);
  const matrixBox = el(
    "div",
    { class: "matrix-box" },
    el("div", { class: "title-line", "data-part": "title-line" }, el("span", { class: "statistic-box" }, statistic)),
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
/** @param {Context} ctx @param {Letter} letter @param {number} rung */
function openRung(ctx, letter, rung) {
  if (rung === 0) find(`.detail-cell[data-letter="${letter}"] .matrix-cell[aria-selected="true"]`)?.focus();
  else ctx.actions.pickView(rung === 1 ? "adapter" : "patches");
}

const BARE = { quiet: false, cells: null, contour: null, outlines: [], label: null };

/** @param {Column} view @param {boolean} idle */
const setIdle = (view, idle) => [view.scale.root, ...belowStage(view)].forEach((node) => toggle(node, "idle", idle));

/** @param {Context} ctx @param {Column} view @param {State} state */
function drawVacant(ctx, view, state) {
  setIdle(view, true);
  view.stage.update(ctx.vacant(view.cells.stage, view.letter, STAGE_HEIGHT, state.runs[view.letter]));
}

/** @param {Selection} selection @param {Resources} resources @param {Attended} map */
function maximum(selection, resources, map) {
  if (choices(selection, "answer").scale !== "shared") return map.max;
  return Math.max(...LETTERS.map((each) => resources[each].map?.max || 0));
}

// What lies on the stage, and the words of its scale.
/** @param {Context} ctx @param {Column} view @param {Shown} given */
function overlayOf(ctx, view, { run, media, map, selection, resources }) {
  const { letter } = view;
  const { value } = selection.swap ? ctx.reading(letter) : { value: null };
  if (value) {
    const over = columnOver(media, selection, value, !hasAdapter(run));
    return { spec: over.spec, words: columnScale(!hasAdapter(run), over.most) };
  }
  const wanted = choices(selection, "answer").scale === "difference" ? ctx.agreement() : null;
  const compared = wanted?.value;
  if (wanted && compared && isCompared(compared))
    return {
      spec: differenceOver(compared, selection, wanted.fresh),
      words: differenceScale(compared, letter === "A"),
    };
  if (!map) return null;
  const most = maximum(selection, resources, map);
  const over = rowOver(map, selection, most);
  return {
    spec: { ...over.spec, aria: map.sentence },
    words: rowScale(ctx, letter, { run, media, map, selection, most, ...over }),
  };
}

/**
 * @param {Context} ctx
 * @param {Column} view
 * @param {State} state
 * @param {Selection} chosen
 * @param {Resources} resources
 */
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

/** @param {Context} ctx @param {Column} view @param {{ run: Run, selection: Selection }} given */
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
  const marks = typeof reading.key === "number" ? [reading.key] : [];
  view.ribbon.update({
    run,
    row: reading.key ?? 0,
    keys: values,
    width: Math.floor(view.cells.ribbon.clientWidth),
    marks,
    swap: true,
  });
}

/** @param {Column} view @param {{ run: Run, map: Attended }} given */
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

/** @param {Context} ctx @param {Column} view @param {Selection} selection */
function drawMatrix(ctx, view, selection) {
  const { letter } = view;
  const wanted = choices(selection, "answer").statistic;
  const statistic = Object.hasOwn(STATISTICS, wanted) ? wanted : "share";
  const { values, most, means } = STATISTICS[statistic];
  const shares = ctx.shares(letter);
  const found = statistic === "share" ? null : ctx.statistics(letter); // shares are asked of every row as it is
  const shown = statistic === "share" ? shares?.values : found && values(found);
  view.statistic.value = statistic;
  if (!shown) return;
  view.statistic.title = means(found);
  const [layer, head] = [selection.layer[letter], selection.head[letter]];
  view.matrix.update({ values: shown, most: found ? most(found) : 1, statistic, layer, head });
}

/** @param {Context} ctx @param {Column} view @param {Details} details */
function drawDetails(ctx, view, { selection, run, map, still, image, media }) {
  if (!selection.swap) drawRow(view, { run, map });
  drawMatrix(ctx, view, selection);
  if (image) view.ladder.update(run, still, image, media);
}

/** @param {Context} ctx @returns {ViewDrawing} */
export function createView(ctx) {
  const { columns, rows, stages } = twoColumns((letter) => column(ctx, letter));
  const tool = tools(ctx);
  const panel = honestPanel();
  const clip = createClip(ctx); // nothing where a still is looked at
  const root = el(
    "div",
    { class: "view view-answer", "data-part": "view" },
    tool.root,
    ...clip.above,
    ...rows(),
    ...clip.below,
    panel.root,
  );
  return {
    root,
    stages,
    update(state, selection) {
      const resources = { A: ctx.mapResources("A"), B: ctx.mapResources("B") };
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
/** @param {Context} ctx @param {State} _state @param {Selection} selection @param {HTMLElement} root */
export function figure(ctx, _state, selection, root) {
  const answer = selection.swap ? null : ctx.agreement();
  const found = answer?.value;
  toggle(root, "late", answer && !answer.fresh);
  root.title = say(
    "IoU: of the areas that hold half of each map, what both share over what either covers. JS: Jensen-Shannon distance of the two maps, 0 the same, 1 apart. Both by area on the original picture.",
  );
  const { iou = null, js_distance: distance = null } = found ?? {};
  refill(root, iou === null ? null : [iou, distance], () =>
    iou === null || distance === null
      ? []
      : [
          `${say("A and B agree:")} IoU `,
          el("b", { text: iou.toFixed(2) }),
          ` · ${say("JS distance")} `,
          el("b", { text: distance.toFixed(2) }),
        ],
  );
}
