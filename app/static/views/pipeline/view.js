// The way from a file to an answer through both models, step beside step, with the shapes and times of this run.

import { el, letterBadge, refill, sizeCanvas, toggle } from "../../core/dom.js";
import { hasAdapter } from "../../core/families.js";
import { edges, fit } from "../../core/geometry.js";
import { said, say } from "../../language/i18n.js";
import { count, seconds } from "../../language/numbers.js";
import { merger, readers, strip, ticks, tower, triangle } from "./glyphs.js";
import { honestPanel, weightsNote } from "../../drawing/honest.js";
import { LETTERS, choices } from "../../state/selection.js";

/**
 * @import {
 *   Both, Change, Context, Grid, Letter, Media, PictureKind, Pipeline, Resource
 * } from "../../core/types.d.ts"
 */
/** @import { Run, Selection, Size, Stage, State, StatusParts, ViewDrawing, ViewName } from "../../core/types.d.ts" */

/** @typedef {"file" | "resize" | "patches" | "vision" | "adapter" | "prompt" | "language" | "answer"} StageName */

/** @typedef {ReturnType<typeof createBox>} Box */

/** @typedef {ReturnType<typeof createRow>} Row */

/** @typedef {Record<string, number>} Times seconds by the part of the way */

/** @typedef {{ run: Run | null, stage: Stage | undefined, media: number, live: string }} Shown */

export const NAME = "Pipeline";
export const SITE = "vision";
export const CHOICES = { stage: null };

/** @type {StageName[]} */
const STAGES = ["file", "resize", "patches", "vision", "adapter", "prompt", "language", "answer"];

/** @type {Record<StageName, string>} */
const TITLES = {
  file: "File",
  resize: "Resize",
  patches: "Patches",
  vision: "Vision tower",
  adapter: "Adapter",
  prompt: "Prompt",
  language: "Language model",
  answer: "Answer",
};

// The view that a box opens.
/** @type {Record<StageName, ViewName>} */
const OPENS = {
  file: "patches",
  resize: "patches",
  patches: "patches",
  vision: "vision",
  adapter: "adapter",
  prompt: "positions",
  language: "layers",
  answer: "answer",
};

const TIMES = ["prepare", "vision", "adapter", "language", "rest", "answer"];
/** @type {Record<string, string>} */
const TIME_NAMES = {
  prepare: "file to patches",
  vision: "vision tower",
  adapter: "adapter",
  language: "language model",
  rest: "rest of the pass",
  answer: "answer",
};

// Times below 10 ms with one decimal: adapters are quick.
/** @param {number} value */
const milliseconds = (value) => (value < 0.00995 ? `${(1000 * value).toFixed(1)} ms` : seconds(value));

const THUMB = [76, 48];

/** @param {HTMLCanvasElement} canvas @param {HTMLImageElement} image @param {Size} shape @param {Grid | null} lines */
function paintThumb(canvas, image, shape, lines) {
  const { width, height } = fit(shape, THUMB);
  const paper = sizeCanvas(canvas, Math.round(width), Math.round(height));
  paper.context.drawImage(image, 0, 0, paper.width, paper.height);
  if (!lines) return;
  paper.context.fillStyle = "rgb(255 255 255 / .55)";
  const [, rows, columns] = lines;
  const thin = Math.max(0.5, paper.ratio / 2);
  edges(columns, paper.width)
    .slice(1, -1)
    .forEach((x) => paper.context.fillRect(x, 0, thin, paper.height));
  edges(rows, paper.height)
    .slice(1, -1)
    .forEach((y) => paper.context.fillRect(0, y, paper.width, thin));
}

// What each picture of the first three steps is: the original, the resized one, that under its grid.
/** @typedef {{ kind: PictureKind, shape: Size, lines: Grid | null }} Pictured */

/** @type {Partial<Record<StageName, (media: Media) => Pictured>>} */
const PICTURES = {
  file: (media) => ({ kind: "picture", shape: media.size, lines: null }),
  resize: (media) => ({ kind: "resized", shape: media.resized, lines: null }),
  patches: (media) => ({ kind: "resized", shape: media.resized, lines: media.patch_grid }),
};

/** @type {Partial<Record<StageName, (run: Run) => Node>>} */
const GLYPHS = {
  vision: (run) => tower(run.sites.vision.layers, !hasAdapter(run)),
  adapter: (run) => (hasAdapter(run) ? readers() : merger()),
  prompt: (run) => strip(run.tokens.section.slice(0, run.answer_start).map(kindOf), ids(run)),
  language: (run) => triangle(run.sites.language.layers),
  answer: (run) => ticks(run.tokens.id.length - run.answer_start),
};

/** @param {string} section */
const kindOf = (section) => (section === "image" ? "image" : "text");

/** @param {Run} run */
const ids = (run) =>
  (hasAdapter(run) ? run.positions.slice(0, 1) : run.positions).map((row) => row.slice(0, run.answer_start));

/** @param {Context} ctx @param {Letter} letter @param {StageName} name */
function createBox(ctx, letter, name) {
  const parts = {
    picture: el("div", { class: "pipe-picture" }),
    words: el("div", { class: "pipe-words" }),
    numbers: el("div", { class: "pipe-numbers", "data-part": "pipe-numbers" }),
  };
  const root = el(
    "button",
    {
      type: "button",
      class: "pipe-box",
      "data-part": "pipe-box",
      "data-letter": letter,
      "data-stage": name,
      onclick: () => ctx.actions.pickView(OPENS[name]),
      onpointerenter: (/** @type {PointerEvent} */ event) =>
        event.pointerType === "mouse" && ctx.actions.tryChoice("pipeline", { stage: name }),
      onpointerleave: () => ctx.actions.tryChoice("pipeline", null),
      onfocus: () => ctx.actions.tryChoice("pipeline", { stage: name }),
      onblur: () => ctx.actions.tryChoice("pipeline", null),
    },
    parts.picture,
    parts.words,
    parts.numbers,
  );
  /** @type {{ canvas: HTMLCanvasElement, painted: HTMLImageElement | null }} */
  const thumb = { canvas: el("canvas"), painted: null };
  return { root, name, letter, thumb, ...parts };
}

/** @param {Context} ctx @param {StageName} name */
function createRow(ctx, name) {
  const boxes = { A: createBox(ctx, "A", name), B: createBox(ctx, "B", name) };
  const middle = el("div", { class: "pipe-middle" });
  return { name, boxes, middle, root: el("div", { class: "pipe-row" }, boxes.A.root, middle, boxes.B.root) };
}

/** @param {Context} ctx @param {Box} box @param {Run} run @param {number} index */
function drawPicture(ctx, box, run, index) {
  const media = run.media[index];
  const [glyph, pictured] = [GLYPHS[box.name], PICTURES[box.name]];
  if (glyph) {
    refill(box.picture, [run.id, box.name], () => glyph(run));
    return;
  }
  if (!media || !pictured) {
    refill(box.picture, [run.id, "none"], () => el("span", { class: "faint", text: "–" }));
    return;
  }
  const { kind, shape, lines } = pictured(media);
  const image = ctx.picture(kind, run.id, index);
  refill(box.picture, [run.id, index, "picture"], () => {
    Object.assign(box.thumb, { canvas: el("canvas"), painted: null });
    return box.thumb.canvas;
  });
  if (!image || box.thumb.painted === image) return;
  box.thumb.painted = image;
  paintThumb(box.thumb.canvas, image, shape, lines);
}

/** @param {Stage} stage */
const shapeOf = (stage) => stage.shape.map(count).join(" × ");

/** @param {Stage} stage */
function numbersOf(stage) {
  const time = stage.seconds === null ? null : el("b", { text: milliseconds(stage.seconds) });
  const lines = [el("span", { class: "pipe-shape" }, shapeOf(stage), time)];
  if (stage.shape.length) lines.push(el("small", { text: stage.axes.map((axis) => say(axis)).join(" × ") }));
  if (stage.parameters) lines.push(el("small", { text: say("{n} parameters", { n: count(stage.parameters) }) }));
  return lines;
}

/** @param {Context} ctx @param {Box} box @param {Shown} shown */
function drawBox(ctx, box, { run, stage, media, live }) {
  box.root.disabled = !run;
  toggle(box.root, "vacant", !run);
  if (!run || !stage) {
    const words = box.name === "file" ? live || say("No answer yet.") : "";
    refill(box.words, ["vacant", words], () => el("span", { class: "faint", text: words }));
    [box.picture, box.numbers].forEach((node) => refill(node, ["vacant"], () => []));
    return;
  }
  drawPicture(ctx, box, run, media);
  refill(box.words, [run.id, stage], () => [
    el("b", { text: said(stage.title) }),
    ...stage.words.map((words) => el("span", { text: said(words) })),
  ]);
  refill(box.numbers, [run.id, stage], () => numbersOf(stage));
  const view = say("Opens {view}", { view: say(OPENS[box.name][0].toUpperCase() + OPENS[box.name].slice(1)) });
  box.root.title = view;
  box.root.setAttribute("aria-label", `${box.letter}, ${say(TITLES[box.name])}: ${said(stage.title)}. ${view}`);
}

/** @param {Row} row @param {Change | undefined} change @param {boolean} differ */
function drawMiddle(row, change, differ) {
  refill(row.middle, [change, differ], () => [
    el(
      "div",
      {},
      el("b", { text: say(TITLES[row.name]) }),
      differ && change
        ? el("span", {
            class: `pipe-mark mark-${change.mark}`,
            "data-part": "pipe-mark",
            text: say(change.mark),
            title: change.source,
          })
        : null,
    ),
    differ && change ? el("small", { text: said(change.words), title: change.source }) : null,
  ]);
}

// --- where the time went ---

/** @param {Times} times @param {number} longest */
function bar(times, longest) {
  return TIMES.filter((name) => times[name] !== undefined).map((name) =>
    el("i", {
      class: `time-${name}`,
      style: { width: `${(100 * times[name]) / longest}%` },
      title: `${say(TIME_NAMES[name])}, ${milliseconds(times[name])}`,
    }),
  );
}

/** @param {Times} times */
const total = (times) => Object.values(times).reduce((sum, value) => sum + value, 0);

/** @param {HTMLElement} root @param {Both<Pipeline | null>} answers */
function drawTimes(root, answers) {
  const known = LETTERS.flatMap((letter) => {
    const answer = answers[letter];
    return answer && Object.keys(answer.times).length ? [{ letter, times: answer.times, pass: answer.pass }] : [];
  });
  root.hidden = !known.length;
  if (root.hidden) return;
  const longest = Math.max(...known.map(({ times }) => total(times)));
  const names = TIMES.filter((name) => known.some(({ times }) => times[name] !== undefined));
  const replayed = known.some(({ pass }) => pass === "replay");
  refill(
    root,
    known.map(({ letter, times }) => [letter, times]),
    () => [
      el(
        "div",
        { class: "title-line", "data-part": "title-line" },
        el("h3", { text: say("Where the time went") }),
        el("span", {
          text: replayed
            ? say("timed in the replay of a given answer; one scale")
            : say("timed in the pass that read the prompt; one scale"),
        }),
      ),
      ...known.map(({ letter, times }) =>
        el(
          "div",
          { class: "time-line", "data-part": "time-line" },
          letterBadge(letter),
          el("div", { class: "bar-track" }, ...bar(times, longest)),
          el("span", { text: milliseconds(total(times)) }),
        ),
      ),
      el("div", { class: "time-keys" }, ...names.map((name) => timeKey(name, known))),
    ],
  );
}

/** @param {string} name @param {{ letter: Letter, times: Times }[]} known */
const timeKey = (name, known) =>
  el(
    "span",
    {},
    el("i", { class: `time-${name}` }),
    say(TIME_NAMES[name]),
    ...known.map(({ letter, times }) =>
      el("b", { text: `${letter} ${times[name] === undefined ? "–" : milliseconds(times[name])}` }),
    ),
  );

/** @param {Context} ctx @param {State} state @param {Letter} letter */
const answerOf = (ctx, state, letter) => {
  const run = state.runs[letter];
  return run ? ctx.client.resource(`pipeline ${letter}`, "pipeline", { run: run.id }, { group: run.id }) : null;
};

/** @param {Resource<Pipeline> | null} answer */
const freshOf = (answer) => (answer?.fresh ? answer.value : null);

/** @param {Pipeline | null} answer @param {string} name */
const stageOf = (answer, name) => answer?.stages.find((stage) => stage.name === name);

/** @param {(Run | null)[]} runs */
function honest(runs) {
  return [
    [say("Plotted"), say("Each step's shapes and counts as this run had them; parameters by formula from the config.")],
    [say("Scale"), say("Times are of this run on this machine. The tower's hold its patch embedding.")],
    [say("Not shown"), `${say("How a time would be on other hardware, or in a batch.")} ${weightsNote(runs)}`],
  ];
}

/** @param {Context} ctx @returns {ViewDrawing} */
export function createView(ctx) {
  const rows = STAGES.map((name) => createRow(ctx, name));
  const times = el("section", { class: "card pipe-times", "data-part": "pipe-times" });
  const panel = honestPanel();
  const choice = ctx.mediaChoice();
  const wires = rows.flatMap((row, index) =>
    index ? [el("div", { class: "pipe-wire", "aria-hidden": "true" }, el("i"), el("i")), row.root] : [row.root],
  );
  return {
    root: el(
      "div",
      { class: "view view-pipeline", "data-part": "view" },
      choice.root,
      el("div", { class: "pipe" }, ...wires),
      times,
      panel.root,
    ),
    stages: {},
    update(state, selection) {
      choice.update(state, selection);
      const resources = { A: answerOf(ctx, state, "A"), B: answerOf(ctx, state, "B") };
      const answers = { A: freshOf(resources.A), B: freshOf(resources.B) };
      const families = new Set(LETTERS.map((letter) => state.runs[letter]?.model.family).filter(Boolean));
      const chosen = choices(selection, "pipeline").stage;
      rows.forEach((row) => {
        toggle(row.root, "chosen", row.name === chosen);
        const changes = (answers.A ?? answers.B)?.changes;
        drawMiddle(row, changes?.[row.name], families.size > 1);
        LETTERS.forEach((letter) =>
          drawBox(ctx, row.boxes[letter], {
            run: state.runs[letter],
            stage: stageOf(answers[letter], row.name),
            media: selection.media,
            live: resources[letter]?.error ? said(resources[letter].error) : said(state.live[letter]?.step),
          }),
        );
      });
      drawTimes(times, answers);
      panel.update(honest(LETTERS.map((letter) => state.runs[letter])));
    },
  };
}

// What the status line says of this view.
/** @param {Context} ctx @param {State} state @param {Selection} selection @returns {StatusParts} */
export function status(ctx, state, selection) {
  const name = choices(selection, "pipeline").stage;
  const chosen = STAGES.find((stage) => stage === name);
  /** @param {Letter} letter @param {Run} run */
  const about = (letter, run) => {
    const answer = answerOf(ctx, state, letter)?.value;
    if (!answer) return [];
    const { times } = answer;
    const stage = chosen && stageOf(answer, chosen);
    if (stage) {
      const parts = [said(stage.title), shapeOf(stage), stage.seconds === null ? "" : milliseconds(stage.seconds)];
      return [["", letter, ` ${parts.filter(Boolean).join(", ")}`]];
    }
    const { account } = run;
    const words = say("{patches} patches, {tokens} visual tokens, {prompt} in the prompt, {time} from file to answer", {
      patches: count(account.patches),
      tokens: count(account.visual_tokens),
      prompt: count(account.prompt_tokens),
      time: milliseconds(total(times)),
    });
    return [["", letter, ` ${words}`]];
  };
  const title = chosen ? say(TITLES[chosen]) : say("the way from file to answer");
  const parts = LETTERS.flatMap((letter) => {
    const run = state.runs[letter];
    return run ? about(letter, run) : [];
  });
  return [[title], ...parts];
}
