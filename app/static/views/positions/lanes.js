// The prompt as lanes along one token axis: kinds of token, and the ids under the rule that is looked at.

import { el, refill, svg } from "../../core/dom.js";
import { hasAdapter } from "../../core/families.js";
import { say } from "../../language/i18n.js";
import { count } from "../../language/numbers.js";
import { LETTERS } from "../../state/selection.js";
import { text } from "../../drawing/chart.js";
import { kindSpans } from "../../drawing/ribbon.js";

/** @import { At, ByRule, Cursors, Ruled } from "./choosing.js" */
/** @import { Both, Letter, Media, Run } from "../../core/types.d.ts" */

const LABELS = 84;
const NARROW = 560; // below this width printed ids would lie on one another
const NOTE = 190; // a lane with this much room beside its tokens says in words what its ids do
const KINDS = 13;
const GAP = 6;
/** @typedef {{ name: string, words: string, colour: string, height: number }} Lane */

/** @typedef {Ruled & { lanes: Lane[] }} Laned */

/** @typedef {[at: number, id: number, side?: "end" | "after"]} Mark a printed id */

/** @typedef {(value: number) => number} Scale */

/** @type {Lane[]} */
const ONE = [{ name: "", words: "ids", colour: "var(--kind-text)", height: 48 }];
/** @type {Lane[]} */
const THREE = [
  { name: "t", words: "time", colour: "var(--ax-t)", height: 35 },
  { name: "h", words: "row", colour: "var(--ax-h)", height: 35 },
  { name: "w", words: "column", colour: "var(--ax-w)", height: 35 },
];

const LOW = 23; // of each lane where two models with three lie one above the other

/** @param {Run} run @param {boolean} low */
const lanesOf = (run, low) => (hasAdapter(run) ? ONE : THREE.map((lane) => (low ? { ...lane, height: LOW } : lane)));
/** @param {Lane[]} lanes */
const heightOf = (lanes) => KINDS + lanes.reduce((sum, { height }) => sum + height + GAP, GAP);

/** @param {Media} media */
export const tokensOf = (media) => media.token_grid.reduce((product, size) => product * size, 1);

/** @param {number[][]} lanes */
export const tallest = (lanes) => Math.max(1, ...lanes.map((lane) => lane.reduce((a, b) => Math.max(a, b), 0)));

// Steps, not slopes: an id holds for the whole of its token. Closed along `bottom`, if one is given.
/** @param {number[]} lane @param {number[]} span @param {Scale} x @param {Scale} y @param {number | null} bottom */
function stepPath(lane, [from, to], x, y, bottom) {
  const parts = [`M${x(from).toFixed(2)} ${y(lane[from]).toFixed(2)}`];
  for (let index = from + 1; index < to; index += 1)
    if (lane[index] !== lane[index - 1]) parts.push(`H${x(index).toFixed(2)}V${y(lane[index]).toFixed(2)}`);
  parts.push(`H${x(to).toFixed(2)}`);
  return bottom === null ? parts.join("") : `${parts.join("")}V${bottom}H${x(from).toFixed(2)}Z`;
}

// Tokens from a media's first visual token to its last; the frames of a clip in Qwen-VL have labels between them.
/** @param {Run} run @param {Media} media */
function spanOf(run, media) {
  const last = run.tokens.media.lastIndexOf(media.index);
  return [media.first_token, last < 0 ? media.first_token : last];
}

// Where ids are worth printing: where a media's block starts and ends, the jump after it, and the last one.
/**
 * @param {Run} run
 * @param {number[]} lane
 * @param {number} width
 * @returns {Mark[]}
 */
function landmarks(run, lane, width) {
  if (width < NARROW) return run.media.slice(0, 1).map((media) => [media.first_token, lane[media.first_token]]);
  /** @type {Mark[]} */
  const marks = [];
  /** @type {Mark} */
  const end = [lane.length - 1, lane[lane.length - 1], "end"];
  if (run.media.length > 2) return [end];
  run.media.forEach((media) => {
    const [first, last] = spanOf(run, media);
    const most = lane.slice(first, last + 1).reduce((a, b) => Math.max(a, b), 0);
    marks.push([first, lane[first]], [last, most, "end"]);
    if (last + 1 < lane.length) marks.push([last + 1, lane[last + 1], "after"]);
  });
  return [...marks, end];
}

// Labels in the order they matter; one that would lie on an earlier one is left out.
/** @param {Mark[]} marks @param {Scale} x @param {number} width */
function apart(marks, x, width) {
  /** @type {number[][]} */
  const taken = [];
  return marks.filter(([at, id, side]) => {
    const wide = 7 * count(id).length + 6;
    const [from, to] = side === "end" ? [x(at) - wide, x(at)] : [x(at), x(at) + wide];
    if (to > width || taken.some(([left, right]) => from < right && to > left)) return false;
    taken.push([from, to]);
    return true;
  });
}

/** @param {Mark} mark @param {Scale} x @param {Scale} y @param {number} top @param {string} colour */
function idLabel([at, id, side], x, y, top, colour) {
  const right = side === "end";
  const above = y(id) - 4 >= top + 10;
  const place = { x: x(at) + (right ? -3 : 3), y: above ? y(id) - 4 : y(id) + 13 };
  const label = text(place.x, place.y, count(id), "lane-id", right ? "end" : "start");
  label.style.fill = colour;
  return label;
}

/** @param {Lane} lane @param {number} y */
function laneTitle({ name, words: title, colour }, y) {
  const style = { fill: colour, "font-weight": 700 };
  const parts = [svg("tspan", { style }, name), svg("tspan", { dx: name ? 6 : 0 }, say(title))];
  return svg("text", { x: 18, y, class: "lane-name" }, ...parts);
}

/** @type {Record<string, string>} */
const STEP_WORDS = {
  t: "{low} to {high}, one step a pair of frames",
  h: "{low} to {high}, one step a row of the grid",
  w: "{low} to {high}, once for each row",
};

// What the ids of the first media do along one lane.
/** @param {Run} run @param {number[]} lane @param {string} name */
function laneWords(run, lane, name) {
  const [media] = run.media;
  if (!media) return "";
  const [first, last] = spanOf(run, media);
  const ids = lane.slice(first, last + 1);
  const [low, high] = [ids.reduce((a, b) => Math.min(a, b)), ids.reduce((a, b) => Math.max(a, b), 0)];
  const values = { low: count(low), high: count(high), tokens: count(tokensOf(media)) };
  if (low === high) return say("stays at {low} for all {tokens} tokens", values);
  if (!name) return say("{tokens} ids in a line, {low} to {high}", values);
  if (high - low + 1 === ids.length) return say("{low} to {high}, one a token", values);
  return say(STEP_WORDS[name], values);
}

/**
 * @param {Laned} shown
 * @param {number} at
 * @param {Scale} x
 * @param {number} top
 * @param {number} largest
 * @param {number} width
 */
function laneParts(shown, at, x, top, largest, width) {
  const { run, positions, overtaken, lanes } = shown;
  const [lane, of] = [positions[at], lanes[at]];
  /** @param {number} id */
  const y = (id) => top + of.height - 2 - (id / largest) * (of.height - 8);
  const whole = [0, lane.length];
  /** @type {(span: number[], filled: boolean, style: Record<string, string | number>, name: string) => SVGElement} */
  const path = (span, filled, style, name) =>
    svg("path", { d: stepPath(lane, span, x, y, filled ? top + of.height : null), style, class: name });
  const bad = overtaken?.[at] ?? [];
  const room = width - x(lane.length);
  return [
    svg("rect", {
      x: LABELS,
      y: top,
      width: width - LABELS,
      height: of.height,
      rx: 5,
      style: { fill: "var(--background-fill-secondary)" },
    }),
    path(whole, true, { fill: of.colour, opacity: 0.14 }, "lane-fill"),
    path(whole, false, { fill: "none", stroke: of.colour, "stroke-width": 1.5 }, "lane-line"),
    ...bad.flatMap((span) => [
      path(span, true, { fill: "var(--bad)", opacity: 0.3 }, "lane-overlap"),
      path(span, false, { fill: "none", stroke: "var(--bad)", "stroke-width": 2.5 }, "lane-overlap-line"),
    ]),
    ...apart(landmarks(run, lane, width), x, width).map((mark) => idLabel(mark, x, y, top, of.colour)),
    ...(room > NOTE
      ? [text(x(lane.length) + 12, top + of.height / 2 + 4, laneWords(run, lane, of.name), "lane-name")]
      : []),
    laneTitle(of, top + of.height / 2 + 4),
  ];
}

/** @type {Record<string, number>} */
const ARROWS = { ArrowLeft: -1, ArrowRight: 1 };

const HALF_TAG = 96; // px at most from the middle of a tag to its end
const TAG_TURNS = 190; // px from the left before which a tag lies to the right of its line
const JUMP_WORDS = 320; // px that the sentence of a jump and the tag of a token take beside each other

// Beyond the tag of the last token, where a short prompt leaves room for the sentence; else null.
/** @param {Scale} x @param {Run} run @param {number} width */
function besideTags(x, run, width) {
  const end = x(run.tokens.id.length);
  const at = end + (end < TAG_TURNS + HALF_TAG ? 2 * HALF_TAG : HALF_TAG);
  return at + JUMP_WORDS - HALF_TAG < width ? at : null;
}

// The jump behind each media of a model whose media take fewer ids than tokens.
/** @param {Laned} shown @param {Scale} x @param {number} top @param {number} width */
function jumps(shown, x, top, width) {
  const { run, positions } = shown;
  if (hasAdapter(run) || width < NARROW || run.media.length > 3) return [];
  return run.media.flatMap((media) => {
    const [first, last] = spanOf(run, media);
    const after = positions[0][last + 1];
    if (after === undefined) return [];
    const right = x(last + 1) > width - 150;
    const line = svg("line", {
      x1: x(last + 1),
      x2: x(last + 1),
      y1: top,
      y2: top + heightOf(shown.lanes) - GAP,
      class: "lane-jump",
    });
    // Over the picture's own tokens where they are wide enough: the tag of a word that follows would cover it.
    const apart = x(last + 1) - x(first) > JUMP_WORDS;
    const clear = besideTags(x, run, width);
    const beyond = media === run.media.at(-1) ? clear : null;
    const at = apart ? x(first) : beyond !== null ? beyond : x(last + 1) + (right ? -3 : 3);
    const says = jumpWords(positions[0][first], after, media, shown.rule);
    return [line, text(at, top - 5, says, "lane-name", right && !apart ? "end" : "start")];
  });
}

/** @param {number} start @param {number} after @param {Media} media @param {string} rule */
function jumpWords(start, after, media, rule) {
  const [t, h, w] = media.token_grid;
  const values = { after: count(after), start: count(start), t, h, w, tokens: count(t * h * w) };
  if (rule === "1-D") return say("{after} = {start} + {tokens}", values);
  if (rule === "transformers-5") return say("jump to {after} = {start} + max({h}, {w})", values);
  return say("jump to {after} = {start} + max({t}, {h}, {w})", values);
}

/** @param {Laned} shown @param {Letter} letter @param {number} top @param {number} width @param {number} tokens */
function block(shown, letter, top, width, tokens) {
  const { run, positions } = shown;
  /** @param {number} index */
  const x = (index) => LABELS + (index * (width - LABELS)) / tokens;
  const largest = tallest(positions);
  const kinds = kindSpans(run).map(([from, to, colour]) =>
    svg("rect", {
      x: x(from),
      y: top,
      width: Math.max(1, x(to) - x(from) - 1),
      height: KINDS,
      style: { fill: colour },
    }),
  );
  let at = top + KINDS + GAP;
  const lanes = shown.lanes.flatMap(({ height }, index) => {
    const parts = laneParts(shown, index, x, at, largest, width);
    at += height + GAP;
    return parts;
  });
  const badge = text(0, top + 11, letter, "lane-letter");
  return [badge, text(18, top + 11, say("tokens"), "lane-name"), ...kinds, ...lanes, ...jumps(shown, x, top, width)];
}

/** @param {Run} run @param {number[]} ids */
export const idsWords = (run, [t, h, w]) =>
  hasAdapter(run) ? say("id {id}", { id: count(t) }) : `(t ${count(t)}, h ${count(h)}, w ${count(w)})`;

// Where each model's block lies in the drawing: on one token axis, or each on its own.
/** @typedef {{ letter: Letter, shown: Laned, top: number, length: number, height: number, tokens: number }} Block */

/** @param {Partial<Both<Laned>>} given @param {number} width @param {boolean} own */
function layOut(given, width, own) {
  const found = LETTERS.flatMap((letter) => {
    const shown = given[letter];
    return shown ? [{ letter, shown, length: shown.run.tokens.id.length, height: heightOf(shown.lanes) }] : [];
  });
  const most = Math.max(...found.map(({ length }) => length));
  let height = 0;
  /** @type {Block[]} */
  const blocks = [];
  found.forEach((one) => {
    blocks.push({ ...one, top: 24 + height, tokens: own ? one.length : most });
    height += one.height + 26;
  });
  return { blocks, width, height };
}

/** @param {ByRule} shown @returns {Partial<Both<Laned>>} */
function withLanes(shown) {
  const all = Object.entries(shown);
  const low = all.length > 1 && all.every(([, { run }]) => !hasAdapter(run));
  return Object.fromEntries(all.map(([letter, one]) => [letter, { ...one, lanes: lanesOf(one.run, low) }]));
}

/** @param {string} name */
function cursor(name) {
  const label = el("span");
  return { label, root: el("div", { class: `lane-cursor ${name}`, "data-part": "lane-cursor", hidden: true }, label) };
}

/** @typedef {"key" | "query"} Role */

export class Lanes {
  /** @param {{ onhover(at: At | null): void, onpick(at: At): void }} gestures */
  constructor({ onhover, onpick }) {
    const label = { tabindex: "0", role: "slider", "aria-label": say("Token of the prompt"), "aria-valuemin": "0" };
    this.drawing = svg("svg", { class: "lanes-drawing", "data-part": "lanes-drawing" });
    const both = () => ({ key: cursor("of-key"), query: cursor("of-query") });
    /** @type {Both<Record<Role, ReturnType<typeof cursor>>>} */
    this.cursors = { A: both(), B: both() };
    const cursors = LETTERS.flatMap((letter) => Object.values(this.cursors[letter]).map((one) => one.root));
    this.root = el("div", { class: "lanes", "data-part": "lanes", ...label }, this.drawing, ...cursors);
    this.onpick = onpick;
    /** @type {Cursors} */
    this.cursorsAt = {};
    /** @type {ReturnType<typeof layOut>} where each model's block lies */
    this.shape = { blocks: [], width: 0, height: 0 };
    /** @type {Letter} the model chosen last */
    this.lead = "A";
    this.root.addEventListener("pointermove", (event) => event.pointerType === "mouse" && onhover(this.under(event)));
    this.root.addEventListener("pointerleave", () => onhover(null));
    this.root.addEventListener("click", (event) => {
      const at = this.under(event);
      if (at) onpick(at);
    });
    this.root.addEventListener("keydown", (event) => this.step(event));
  }

  // Left and right walk the tokens of the model chosen last; up and down change the model.
  /** @param {KeyboardEvent} event */
  step(event) {
    const by = ARROWS[event.key];
    const { lead, shape, cursorsAt } = this;
    if (!shape.blocks.length || !(by || ["ArrowUp", "ArrowDown"].includes(event.key))) return;
    event.preventDefault();
    event.stopPropagation();
    const leading = shape.blocks.find((each) => (each.letter === lead) === Boolean(by));
    const { letter, length } = leading ?? shape.blocks[0];
    const from = cursorsAt[letter]?.query ?? 0;
    this.onpick({ letter, token: Math.min(length - 1, Math.max(0, from + (by ?? 0))), walking: true });
  }

  // The model and token under the pointer.
  /** @param {MouseEvent} event @returns {At | null} */
  under(event) {
    const { shape } = this;
    const box = this.root.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const over = shape.blocks.find(({ top, height }) => y >= top && y < top + height);
    if (!over || x < LABELS) return null;
    const token = Math.floor(((x - LABELS) * over.tokens) / (shape.width - LABELS));
    return token < over.length ? { letter: over.letter, token } : null;
  }

  // What is shown of each model; tokens chosen, and tokens that belong to the other model's choice.
  /** @param {ByRule} given @param {Cursors} cursors @param {{ lead: Letter, own: boolean }} how */
  update(given, cursors, { lead, own }) {
    const shown = withLanes(given);
    const width = Math.max(200, this.root.clientWidth);
    const shape = layOut(shown, width, own);
    this.shape = shape;
    this.cursorsAt = cursors;
    const leading = shape.blocks.find(({ letter }) => letter === lead) ?? shape.blocks[0];
    this.lead = leading.letter;
    this.drawing.setAttribute("width", String(width));
    this.drawing.setAttribute("height", String(shape.height));
    const stamp = [
      LETTERS.map((letter) => shown[letter] && [shown[letter]?.run.id, shown[letter]?.rule]),
      width,
      own,
      document.body.className,
    ];
    refill(this.drawing, stamp, () =>
      shape.blocks.flatMap((one) => block(one.shown, one.letter, one.top, width, one.tokens)),
    );
    LETTERS.forEach((letter) => {
      this.placeCursor(letter, "key", cursors[letter]?.key ?? null);
      this.placeCursor(letter, "query", cursors[letter]?.query ?? null);
    });
    const at = cursors[this.lead]?.query ?? 0;
    this.root.setAttribute("aria-valuemax", String(leading.length - 1));
    this.root.setAttribute("aria-valuenow", String(at));
    this.root.setAttribute("aria-valuetext", this.cursors[this.lead].query.label.textContent || say("nothing chosen"));
  }

  /** @param {Letter} letter @param {Role} role @param {number | null} token */
  placeCursor(letter, role, token) {
    const { shape } = this;
    const { root: bar, label } = this.cursors[letter][role];
    const over = shape.blocks.find((one) => one.letter === letter);
    bar.hidden = !over || token === null || token >= over.length;
    if (!over || token === null || bar.hidden) return;
    const { shown, top, height, tokens } = over;
    const x = LABELS + ((token + 0.5) * (shape.width - LABELS)) / tokens;
    bar.style.left = `${x}px`;
    bar.style.top = `${top - 22}px`;
    bar.style.height = `${height + 20}px`;
    const ids = idsWords(
      shown.run,
      shown.positions.map((lane) => lane[token]),
    );
    label.textContent =
      role === "query"
        ? say("token {token} is {ids}", { token: count(token), ids })
        : say("coded at the same place: token {token}, {ids}", { token: count(token), ids });
    label.style.transform = `translateX(${x > shape.width - 110 ? "-96%" : x < TAG_TURNS ? "-4%" : "-50%"})`;
  }
}
