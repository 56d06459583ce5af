// The prompt as lanes along one token axis: kinds of token, and the ids, exactly as the models used them.

import { el, refill, svg } from "../dom.js";
import { count } from "../numbers.js";
import { LETTERS } from "../store.js";
import { kindSpans } from "./ribbon.js";

const LABELS = 84;
const NARROW = 560; // below this width printed ids would lie on one another
const KINDS = 13;
const LANE = { A: [60], B: [42, 42, 42] };
const GAP = 6;
const NAMES = {
  A: [["", "ids"]],
  B: [
    ["t", "time"],
    ["h", "row"],
    ["w", "column"],
  ],
};
const COLOURS = { A: ["var(--kind-text)"], B: ["var(--ax-t)", "var(--ax-h)", "var(--ax-w)"] };

const heightOf = (letter) => KINDS + LANE[letter].reduce((sum, lane) => sum + lane + GAP, GAP);

// Steps, not slopes: an id holds for the whole of its token. Closed along `bottom`, if one is given.
function stepPath(lane, x, y, bottom) {
  const parts = [`M${x(0)} ${y(lane[0])}`];
  lane.forEach((id, index) => {
    if (index && id !== lane[index - 1]) parts.push(`H${x(index).toFixed(2)}V${y(id).toFixed(2)}`);
  });
  parts.push(`H${x(lane.length).toFixed(2)}`);
  return bottom === null ? parts.join("") : `${parts.join("")}V${bottom}H${x(0)}Z`;
}

// Where ids are worth printing: where a picture's block starts and ends, the jump after it, and the last one.
function landmarks(run, lane, width) {
  const marks = [];
  if (width < NARROW) return run.media.slice(0, 1).map((media) => [media.first_token, lane[media.first_token]]);
  run.media.forEach((media) => {
    const tokens = media.token_grid.reduce((product, size) => product * size, 1);
    const [first, last] = [media.first_token, media.first_token + tokens - 1];
    marks.push(
      [first, lane[first]],
      [last, Math.max(...lane.slice(first, last + 1)), "end"],
      [last + 1, lane[last + 1], "after"],
    );
  });
  marks.push([lane.length - 1, lane[lane.length - 1], "end"]);
  return run.media.length > 2 ? marks.slice(-1) : marks;
}

function said(tag, attributes, text) {
  const node = svg(tag, attributes);
  node.textContent = text;
  return node;
}

function idLabel([at, id, side], x, y, top, colour) {
  const right = side === "end";
  const above = y(id) - 4 >= top + 10;
  const place = { x: x(at) + (right ? -3 : 3), y: above ? y(id) - 4 : y(id) + 13 };
  const style = { fill: colour };
  return said("text", { ...place, "text-anchor": right ? "end" : "start", class: "lane-id", style }, count(id));
}

function laneTitle([name, words], colour, y) {
  const style = { fill: colour, "font-weight": 700 };
  const parts = [said("tspan", { style }, name), said("tspan", { dx: name ? 6 : 0 }, words)];
  return svg("text", { x: 18, y, class: "lane-name" }, ...parts);
}

function laneParts(run, letter, index, x, top, largest, width) {
  const lane = run.positions[index];
  const [height, colour] = [LANE[letter][index], COLOURS[letter][index]];
  const y = (id) => top + height - 2 - (id / largest) * (height - 8);
  const ground = { x: LABELS, y: top, width: width - LABELS, height, rx: 5 };
  const path = (filled, style) => svg("path", { d: stepPath(lane, x, y, filled ? top + height : null), style });
  return [
    svg("rect", { ...ground, style: { fill: "var(--background-fill-secondary)" } }),
    path(true, { fill: colour, opacity: 0.14 }),
    path(false, { fill: "none", stroke: colour, "stroke-width": 1.5 }),
    ...landmarks(run, lane, width).map((mark) => idLabel(mark, x, y, top, colour)),
    laneTitle(NAMES[letter][index], colour, top + height / 2 + 4),
  ];
}

function block(run, letter, top, width, tokens) {
  const x = (index) => LABELS + (index * (width - LABELS)) / tokens;
  const largest = Math.max(1, ...run.positions.map((lane) => lane.reduce((a, b) => Math.max(a, b), 0)));
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
  const lanes = LANE[letter].flatMap((height, index) => {
    const parts = laneParts(run, letter, index, x, at, largest, width);
    at += height + GAP;
    return parts;
  });
  const badge = said("text", { x: 0, y: top + 11, class: "lane-letter" }, letter);
  return [badge, said("text", { x: 18, y: top + 11, class: "lane-name" }, "tokens"), ...kinds, ...lanes];
}

export function idsOf(run, token) {
  const [t, h, w] = run.positions.map((lane) => lane[token]);
  return run.letter === "A" ? `id ${count(t)}` : `(t ${count(t)}, h ${count(h)}, w ${count(w)})`;
}

// Where each model's block lies in the drawing, on one token axis.
function layOut(runs, width) {
  const present = LETTERS.filter((letter) => runs[letter]);
  const [tops, lengths] = [{}, {}];
  let top = 24;
  present.forEach((letter) => {
    tops[letter] = top;
    lengths[letter] = runs[letter].tokens.id.length;
    top += heightOf(letter) + 26;
  });
  return { present, tops, lengths, width, tokens: Math.max(...Object.values(lengths)), height: top - 16 };
}

export class Lanes {
  constructor({ onhover, onpick }) {
    const cursor = () => el("div", { class: "lane-cursor", hidden: true }, el("span"));
    const label = { tabindex: "0", role: "group", "aria-label": "Position ids along the prompt" };
    this.drawing = svg("svg", { class: "lanes-drawing" });
    this.cursors = Object.fromEntries(LETTERS.map((letter) => [letter, cursor()]));
    this.root = el("div", { class: "lanes", ...label }, this.drawing, ...Object.values(this.cursors));
    this.root.addEventListener("pointermove", (event) => event.pointerType === "mouse" && onhover(this.under(event)));
    this.root.addEventListener("pointerleave", () => onhover(null));
    this.root.addEventListener("click", (event) => this.under(event) && onpick(this.under(event)));
  }

  // The model and token under the pointer.
  under(event) {
    const { shape } = this;
    const box = this.root.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const letter = shape?.present.find((each) => y >= shape.tops[each] && y < shape.tops[each] + heightOf(each));
    if (!letter || x < LABELS) return null;
    const token = Math.floor(((x - LABELS) * shape.tokens) / (shape.width - LABELS));
    return token < shape.lengths[letter] ? { letter, token } : null;
  }

  update(runs, query, width) {
    const shape = layOut(runs, width);
    this.shape = shape;
    this.drawing.setAttribute("width", width);
    this.drawing.setAttribute("height", shape.height);
    refill(this.drawing, [LETTERS.map((letter) => runs[letter]?.id), width, document.body.className], () =>
      shape.present.flatMap((letter) => block(runs[letter], letter, shape.tops[letter], width, shape.tokens)),
    );
    LETTERS.forEach((letter) => this.placeCursor(letter, runs[letter], query[letter]));
  }

  placeCursor(letter, run, token) {
    const { shape } = this;
    const cursor = this.cursors[letter];
    cursor.hidden = !run || token === null || token >= run.tokens.id.length;
    if (cursor.hidden) return;
    const x = LABELS + ((token + 0.5) * (shape.width - LABELS)) / shape.tokens;
    cursor.style.left = `${x}px`;
    cursor.style.top = `${shape.tops[letter] - 22}px`;
    cursor.style.height = `${heightOf(letter) + 20}px`;
    const label = cursor.firstChild;
    label.textContent = `token ${count(token)}${run.letter === "A" ? ", " : " is "}${idsOf(run, token)}`;
    label.style.transform = `translateX(${x > shape.width - 110 ? "-96%" : x < 190 ? "-4%" : "-50%"})`;
  }
}
