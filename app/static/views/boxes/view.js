// The boxes an answer writes, on the original picture: the numbers as written, in the pixels the model saw and in the
// original's, the tokens that write them, and where the row that predicts a number falls.

import { el, letterBadge, refill, segmented, toggle } from "../../core/dom.js";
import { said, say } from "../../core/i18n.js";
import { count, percent } from "../../core/numbers.js";
import { twoColumns } from "../../drawing/frame.js";
import { honestPanel, weightsNote } from "../../drawing/honest.js";
import { drawnGrid, drawnValues } from "../../drawing/ladder.js";
import {
  EDGES,
  NO_RECTANGLE,
  createLayer,
  edgeFields,
  edgesOf,
  outline,
  rectangle,
  shifted,
} from "../../drawing/region.js";
import { figures } from "../../drawing/scale.js";
import { createStage } from "../../drawing/stage.js";
import { LETTERS, choices, other } from "../../core/selection.js";
import { cellInTime } from "../../core/time.js";

export const NAME = "Boxes";
export const SITE = "language";
export const CHOICES = { beneath: true, ...NO_RECTANGLE };

const STAGE_HEIGHT = 288;
const WRITTEN = { colour: "#ffffff", width: 2 };
const CHOSEN = { colour: "#ffffff", width: 3.5 };
const QUERY = { colour: "#ff9840", width: 3 };
const YOURS = { colour: "#ffffff", width: 1.5, dash: [5, 4] };
const NEAR = 0.03; // of the picture: how close to an edge the pointer takes it
const COLOURS = "red orange yellow green cyan blue purple pink black white".split(" ");
const SHAPES = "circle square triangle cross diamond star ring heart".split(" ");

const edgeNames = () => [say("left"), say("top"), say("right"), say("bottom")];

// --- reading ---

// Intersection over union of two boxes in one space.
function overlap(one, two) {
  const area = ([left, top, right, bottom]) => Math.max(right - left, 0) * Math.max(bottom - top, 0);
  const shared = area([
    Math.max(one[0], two[0]),
    Math.max(one[1], two[1]),
    Math.min(one[2], two[2]),
    Math.min(one[3], two[3]),
  ]);
  const union = area(one) + area(two) - shared;
  return union > 0 ? shared / union : 0;
}

// Which box a token belongs to, and which of its four numbers it writes (-1: none of them).
function placeOf(boxes, token) {
  const index = token === null ? -1 : boxes.findIndex((box) => box.tokens.includes(token));
  if (index < 0) return { index: -1, edge: -1 };
  return { index, edge: boxes[index].coordinates.findIndex((tokens) => tokens.includes(token)) };
}

const relative = ([left, top, right, bottom], [width, height]) => [
  left / width,
  top / height,
  right / width,
  bottom / height,
];

// The box under a place, the smallest first, and the edge that is close to it; the left one where none is.
function boxAt(boxes, media, [x, y]) {
  const inside = boxes
    .map((box, index) => ({ index, box: box.original && relative(box.original, media.size) }))
    .filter(({ box }) => box && x > box[0] - NEAR && x < box[2] + NEAR && y > box[1] - NEAR && y < box[3] + NEAR)
    .sort(
      (one, two) =>
        (one.box[2] - one.box[0]) * (one.box[3] - one.box[1]) - (two.box[2] - two.box[0]) * (two.box[3] - two.box[1]),
    );
  if (!inside.length) return null;
  const { index, box } = inside[0];
  const away = [x, y, x, y].map((value, edge) => Math.abs(value - box[edge]));
  const nearest = away.indexOf(Math.min(...away));
  return { index, edge: away[nearest] < NEAR ? nearest : 0 };
}

function ask(ctx, state, selection, letter) {
  const run = state.runs[letter];
  if (!run) return null;
  return ctx.client.resource(`boxes ${letter}`, "boxes", { run: run.id, media: selection.media }, { group: run.id });
}

// What is shown of one run, for an export.
export function shown(state) {
  const chosen = choices(state.selection, "boxes");
  return { yours: edgesOf(chosen) && EDGES.map((name) => chosen[name]) };
}

// --- pointing ---

const firstToken = (box, edge) => box.coordinates[Math.max(0, edge)]?.[0] ?? box.tokens[0];

// The same number of the other model's box goes along, so that both rows are seen.
function pointing(ctx, parts) {
  const query = (letter, token) => {
    const found = parts[letter].boxes;
    const { index, edge } = placeOf(found, token);
    const far = parts[other(letter)].boxes[index];
    const beside = far ? firstToken(far, edge) : null;
    return {
      model: letter,
      site: "language",
      query: { [letter]: token, [other(letter)]: beside },
      own: { A: true, B: true },
    };
  };
  return {
    hover: (letter, token) => ctx.store.preview(token === null ? null : query(letter, token)),
    pick(letter, token) {
      const { selection } = ctx.store.state;
      if (selection.model === letter && selection.query[letter] === token) ctx.actions.letGoOfWord();
      else ctx.store.select(query(letter, token));
    },
  };
}

// --- parts ---

function tools(ctx) {
  const choose = (patch) => ctx.actions.choose("boxes", patch);
  const beneath = segmented(
    say("Beneath"),
    [
      ["true", say("Map beneath"), say("The row that predicts the chosen number, under the boxes")],
      ["false", say("Boxes alone")],
    ],
    (value) => choose({ beneath: value === "true" }),
  );
  const fields = edgeFields(say("Your box, thousandths"), edgeNames(), choose);
  const clear = el("button", {
    type: "button",
    class: "text-button",
    text: say("Clear"),
    onclick: () => choose(NO_RECTANGLE),
  });
  const media = ctx.mediaChoice();
  const pens = el(
    "div",
    { class: "pens" },
    el("span", {}, el("i", { class: "pen pen-written" }), say("written by the model")),
    el("span", {}, el("i", { class: "pen pen-query" }), say("edge whose number is chosen")),
    el("span", {}, el("i", { class: "pen pen-yours" }), say("yours: drag on a picture")),
  );
  const root = el(
    "div",
    { class: "tools" },
    pens,
    el("span", { class: "spring" }),
    media.root,
    fields.root,
    clear,
    beneath,
  );
  return { root, beneath, fields, clear, media };
}

function column(ctx, letter, point) {
  const choose = (patch) => ctx.actions.choose("boxes", patch);
  const stage = createStage({
    letter,
    title: say("The picture with the boxes of model {letter}", { letter }),
    onhover: () => {},
    onpick: () => {},
    onstep: (rows, columns) => {
      const chosen = choices(ctx.store.state.selection, "boxes");
      if (edgesOf(chosen)) choose(shifted(chosen, rows, columns));
    },
  });
  const view = { letter, stage, boxes: [], media: null };
  const tokenAt = (place) => {
    const found = place && view.media && boxAt(view.boxes, view.media, place);
    return found ? firstToken(view.boxes[found.index], found.edge) : null;
  };
  view.layer = createLayer(stage, {
    onhover: (place) => point.hover(letter, tokenAt(place)),
    onclick: (place) => tokenAt(place) !== null && point.pick(letter, tokenAt(place)),
    ondrag: (from, to, done) =>
      done ? choose(rectangle(from, to)) : ctx.actions.tryChoice("boxes", rectangle(from, to)),
  });
  view.side = el("div", { class: "figures" });
  view.cell = el("div", { class: "stage-cell", "data-letter": letter }, stage.root, view.side);
  view.body = el("div", { class: "boxes-body" });
  const title = el("div", { class: "title-line" }, el("h3", {}, letterBadge(letter), say("Boxes in the answer")));
  view.card = el("section", { class: "card boxes-card", "data-letter": letter }, title, view.body);
  return view;
}

// --- drawing ---

function paintBoxes(boxes, media, at, yours) {
  return (context, ratio, width, height) => {
    const scaled = (box) => [box[0] * width, box[1] * height, box[2] * width, box[3] * height].map(Math.round);
    boxes.forEach((box, index) => {
      if (!box.original) return;
      const [x1, y1, x2, y2] = scaled(relative(box.original, media.size));
      outline(context, ratio, [x1, y1, x2, y2], index === at.index ? CHOSEN : WRITTEN);
      if (index !== at.index || at.edge < 0) return;
      const line = [
        [x1, y1, x1, y2],
        [x1, y1, x2, y1],
        [x2, y1, x2, y2],
        [x1, y2, x2, y2],
      ][at.edge];
      outline(context, ratio, line, QUERY);
    });
    if (yours) outline(context, ratio, scaled(yours), YOURS);
  };
}

// What lies below the boxes: the map of the row that predicts the chosen token, or nothing.
function beneath(ctx, letter, selection, at) {
  const bare = { quiet: false, cells: null, dimmed: null, note: null };
  const { map, late, error } = ctx.mapResources(letter);
  if (at.index < 0 || !choices(selection, "boxes").beneath) return { spec: bare, map: null };
  if (!map) return { spec: { ...bare, note: error, dimmed: late }, map: null };
  const grid = drawnGrid(map);
  const frame = cellInTime(ctx.store.state, selection, letter);
  const cells = { values: drawnValues(map), grid, max: map.max, offset: frame * grid[1] * grid[2] };
  return { spec: { quiet: true, cells, dimmed: late, note: error }, map: late ? null : map };
}

function sideFigures(boxes, map, media, at, yours) {
  const drawn = boxes.filter((box) => box.original);
  const items = [[count(boxes.length), boxes.length === 1 ? say("box in the answer") : say("boxes in the answer")]];
  if (yours && drawn.length) {
    const best = at.index >= 0 && boxes[at.index].original ? [boxes[at.index]] : drawn;
    const shares = best.map((box) => overlap(relative(box.original, media.size), yours));
    items.push([percent(Math.max(...shares)), say("overlap (IoU) with your box")]);
  }
  if (map) {
    const layer = map.layer === "mean" ? say("mean of layers") : say("layer {layer}", { layer: map.layer });
    const head = map.head === "mean" ? say("mean of heads") : say("head {head}", { head: map.head });
    items.push([
      percent(map.share),
      say("of row {row} on this picture, {layer}, {head}", { row: map.row, layer, head }),
    ]);
    items.push([percent(map.max), say("of it in one cell, the end of the scale")]);
  }
  return items;
}

const rounded = (value) => value.toLocaleString("en-US", { maximumFractionDigits: 1, minimumFractionDigits: 0 });

// Every token that writes the box; a number's row is that of the token before it.
function strip(run, box, letter, point) {
  return el(
    "div",
    { class: "box-tokens", role: "group", "aria-label": say("Tokens of this box") },
    ...box.tokens.map((token) => {
      const edge = box.coordinates.findIndex((tokens) => tokens.includes(token));
      const text = run.tokens.text[token];
      return el("button", {
        type: "button",
        class: `box-token${edge < 0 ? "" : " number"}`,
        text: text.trim() || "␣",
        title:
          edge < 0
            ? say("token {token}", { token })
            : say("token {token}: {edge} edge", { token, edge: edgeNames()[edge] }),
        "data-token": token,
        onpointerenter: () => point.hover(letter, token),
        onpointerleave: () => point.hover(letter, null),
        onfocus: () => point.hover(letter, token),
        onblur: () => point.hover(letter, null),
        onclick: () => point.pick(letter, token),
      });
    }),
  );
}

function numbersRow(name, values, box, letter, point, format) {
  const cells = EDGES.map((_, index) =>
    el("td", {
      "data-edge": index,
      text: values ? format(values[index]) : "–",
      onpointerenter: () => values && point.hover(letter, firstToken(box, index)),
      onpointerleave: () => point.hover(letter, null),
      onclick: () => values && point.pick(letter, firstToken(box, index)),
    }),
  );
  return el("tr", {}, el("th", { scope: "row", text: name }), ...cells);
}

function boxBlock(run, box, index, { letter, point, media, yours }) {
  const names = edgeNames().map((name) => el("th", { scope: "col", text: name }));
  const table = el(
    "table",
    { class: "box-numbers" },
    el("thead", {}, el("tr", {}, el("td", {}), ...names)),
    el(
      "tbody",
      {},
      numbersRow(say("as written, 0 to 1000"), box.written, box, letter, point, (value) => String(value)),
      numbersRow(
        say("resized, of {width} × {height}", { width: media?.resized[0], height: media?.resized[1] }),
        box.resized,
        box,
        letter,
        point,
        rounded,
      ),
      numbersRow(
        say("original, of {width} × {height}", { width: media?.size[0], height: media?.size[1] }),
        box.original,
        box,
        letter,
        point,
        rounded,
      ),
    ),
  );
  const phrase = box.phrase === null ? say("a box of nothing named") : `“${box.phrase}”`;
  const share =
    yours && box.original
      ? say("IoU with yours {share}", { share: percent(overlap(relative(box.original, media.size), yours)) })
      : "";
  return el(
    "article",
    { class: "box-block", "data-box": index },
    el("div", { class: "title-line" }, el("b", { text: phrase }), el("span", { text: share })),
    strip(run, box, letter, point),
    box.written ? table : null,
    box.problem ? el("p", { class: "box-problem amber", text: said(box.problem) }) : null,
  );
}

// The token, the number and the box that are chosen or pointed at; what is pointed at stays the same element.
function mark(body, chosen, at) {
  body
    .querySelectorAll(".box-token")
    .forEach((token) => toggle(token, "chosen", Number(token.dataset.token) === chosen));
  body.querySelectorAll(".box-block").forEach((block) => {
    const here = Number(block.dataset.box) === at.index;
    toggle(block, "chosen", here);
    block
      .querySelectorAll("[data-edge]")
      .forEach((cell) => toggle(cell, "chosen", here && Number(cell.dataset.edge) === at.edge));
  });
}

// --- an answer without a box ---

// A question the tiny checkpoints were trained on, about what this question and answer named already.
function suggestion(run) {
  const words = `${run.question} ${run.answer}`.toLowerCase().match(/[a-z]+/g) ?? [];
  const named = [COLOURS, SHAPES].map((known) => words.find((word) => known.includes(word)));
  if (run.model.size_label !== "tiny") return say("Give the box of the main object.");
  return `Where is the ${named[0] ?? "red"} ${named[1] ?? "circle"}?`;
}

function fillQuestion(text) {
  const area = document.querySelector("#question")?.querySelector("textarea");
  if (!area) return;
  area.value = text;
  area.dispatchEvent(new Event("input", { bubbles: true }));
  area.focus();
}

function nothing(run) {
  const text = suggestion(run);
  return [
    el("p", { text: say("This answer holds no box, so there is nothing to draw.") }),
    el("button", {
      type: "button",
      class: "text-button",
      text: say("Put “{question}” into the question field", { question: text }),
      onclick: () => fillQuestion(text),
    }),
  ];
}

// --- the view ---

function drawColumn(ctx, view, point, state, selection) {
  const { letter } = view;
  const run = state.runs[letter];
  const answer = ask(ctx, state, selection, letter);
  const media = run?.media[selection.media];
  Object.assign(view, { boxes: answer?.value?.boxes ?? [], media: media ?? null });
  const chosen = selection.query[letter];
  const at = placeOf(view.boxes, chosen);
  const yours = edgesOf(choices(selection, "boxes"));
  view.stage.root.dataset.boxes = String(view.boxes.length);
  if (media) drawStage(ctx, view, { run, media, selection, at, yours });
  else {
    view.stage.update(ctx.vacant(view.cell, letter, STAGE_HEIGHT, run));
    view.layer.draw([], () => {});
    refill(view.side, [], () => []);
  }
  view.card.hidden = !run;
  if (!run) return;
  if (answer.error) refill(view.body, answer.error, () => el("p", { text: said(answer.error) }));
  else if (answer.value)
    refill(view.body, [run.id, selection.media, yours, view.boxes.length], () =>
      view.boxes.length
        ? view.boxes.map((box, index) => boxBlock(run, box, index, { letter, point, media, yours }))
        : nothing(run),
    );
  mark(view.body, chosen, at);
}

function drawStage(ctx, view, { run, media, selection, at, yours }) {
  const { inner, flat } = ctx.stageBox(view.cell, media.size, STAGE_HEIGHT);
  const image = ctx.picture("picture", run.id, selection.media);
  const { spec, map } = beneath(ctx, view.letter, selection, at);
  view.stage.update({ image, size: media.size, box: inner, ...spec });
  toggle(view.cell, "flat", flat);
  view.layer.draw(
    [run.id, selection.media, view.boxes.map((box) => box.original), at, yours],
    paintBoxes(view.boxes, media, at, yours),
  );
  view.layer.canvas.drawnBoxes = view.boxes.map((box) => box.original && relative(box.original, media.size));
  figures(view.side, sideFigures(view.boxes, map, media, at, yours));
}

function honest(runs) {
  return [
    [
      say("Plotted"),
      say(
        "The numbers of the answer, over 1000, times the original's sides. Neither notation names a picture: they are drawn on the one that is chosen.",
      ),
    ],
    [
      say("Scale"),
      say(
        "A map beneath is one row, of the token before the chosen one, at the layer and head chosen in Answer; it runs to its own maximum.",
      ),
    ],
    [
      say("Not shown"),
      `${say("Whether the box is right: compare with your own.")} ${weightsNote(LETTERS.map((letter) => runs[letter]))}`,
    ],
  ];
}

export function createView(ctx) {
  const parts = {};
  const point = pointing(ctx, parts);
  const { columns, pair, stages } = twoColumns((letter) => column(ctx, letter, point));
  Object.assign(parts, columns);
  const tool = tools(ctx);
  const panel = honestPanel();
  return {
    root: el("div", { class: "view view-boxes" }, tool.root, pair("cell"), pair("card"), panel.root),
    stages,
    update(state, selection) {
      const chosen = choices(selection, "boxes");
      tool.media.update(state, selection);
      tool.fields.update(chosen);
      tool.beneath.choose(String(chosen.beneath));
      tool.clear.disabled = EDGES.every((name) => chosen[name] === null);
      LETTERS.forEach((letter) => drawColumn(ctx, parts[letter], point, state, selection));
      panel.update(honest(state.runs));
    },
  };
}

// Without the visitor's own box; null where none is drawn.
export const letGo = (chosen) => (edgesOf(chosen) ? NO_RECTANGLE : null);

// What the status line says of this view.
export function status(ctx, state, selection) {
  const yours = edgesOf(choices(selection, "boxes"));
  const told = LETTERS.filter((letter) => state.runs[letter]).map((letter) => {
    const boxes = ask(ctx, state, selection, letter)?.value?.boxes;
    if (!boxes) return ["", letter, ` ${say("boxes on their way")}`];
    if (!boxes.length) return ["", letter, ` ${say("no box in this answer")}`];
    const token = selection.query[letter];
    const { index, edge } = placeOf(boxes, token);
    if (index < 0)
      return ["", letter, ` ${boxes.length === 1 ? say("1 box") : say("{count} boxes", { count: boxes.length })}`];
    const box = boxes[index];
    const written = box.written
      ? `(${box.written.slice(0, 2).join(",")}),(${box.written.slice(2).join(",")})`
      : box.text;
    const number =
      edge < 0
        ? ""
        : `, ${say("{edge} edge {value}, predicted by row {row}", { edge: edgeNames()[edge], value: box.written[edge], row: token - 1 })}`;
    return ["", letter, ` ${say("box {index}", { index })} ${written}${number}`];
  });
  const start = yours
    ? say("your box {box} thousandths", { box: yours.map((edge) => Math.round(1000 * edge)).join(", ") })
    : say("boxes of the answers");
  return [[start], ...told];
}
