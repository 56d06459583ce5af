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
const NAMES = { A: [["", "ids"]], B: [["t", "time"], ["h", "row"], ["w", "column"]] };
const COLOURS = { A: ["var(--kind-text)"], B: ["var(--ax-t)", "var(--ax-h)", "var(--ax-w)"] };

const heightOf = (letter) => KINDS + LANE[letter].reduce((sum, lane) => sum + lane + GAP, GAP);

// Steps, not slopes: an id holds for the whole of its token.
function stepPath(lane, largest, x, top, height, filled) {
  const y = (id) => top + height - 2 - (id / largest) * (height - 8);
  const parts = [`M${x(0)} ${y(lane[0])}`];
  lane.forEach((id, index) => {
    if (index && id !== lane[index - 1]) parts.push(`H${x(index).toFixed(2)}V${y(id).toFixed(2)}`);
  });
  parts.push(`H${x(lane.length).toFixed(2)}`);
  return filled ? `${parts.join("")}V${top + height}H${x(0)}Z` : parts.join("");
}

// Where ids are worth printing: where a picture's block starts and ends, the jump after it, and the last one.
function landmarks(run, lane, width) {
  const marks = [];
  if (width < NARROW) return run.media.slice(0, 1).map((media) => [media.first_token, lane[media.first_token]]);
  run.media.forEach((media) => {
    const tokens = media.token_grid.reduce((product, size) => product * size, 1);
    const [first, last] = [media.first_token, media.first_token + tokens - 1];
    marks.push([first, lane[first]], [last, Math.max(...lane.slice(first, last + 1)), "end"], [last + 1, lane[last + 1], "after"]);
  });
  marks.push([lane.length - 1, lane[lane.length - 1], "end"]);
  return run.media.length > 2 ? marks.slice(-1) : marks;
}

function laneParts(run, letter, index, x, top, largest, width) {
  const lane = run.positions[index];
  const height = LANE[letter][index];
  const colour = COLOURS[letter][index];
  const y = (id) => top + height - 2 - (id / largest) * (height - 8);
  const [name, words] = NAMES[letter][index];
  const labels = landmarks(run, lane, width).map(([at, id, side]) => {
    const right = side === "end";
    const beneath = y(id) - 4 < top + 10;
    const text = svg("text", { x: x(at) + (right ? -3 : 3), y: beneath ? y(id) + 13 : y(id) - 4, "text-anchor": right ? "end" : "start", class: "lane-id", style: { fill: colour } });
    text.textContent = count(id);
    return text;
  });
  const title = svg("text", { x: 18, y: top + height / 2 + 4, class: "lane-name" });
  const bold = svg("tspan", { style: { fill: colour, "font-weight": 700 } });
  bold.textContent = name;
  const rest = svg("tspan", { dx: name ? 6 : 0 });
  rest.textContent = words;
  title.append(bold, rest);
  return [
    svg("rect", { x: LABELS, y: top, width: width - LABELS, height, rx: 5, style: { fill: "var(--background-fill-secondary)" } }),
    svg("path", { d: stepPath(lane, largest, x, top, height, true), style: { fill: colour, opacity: 0.14 } }),
    svg("path", { d: stepPath(lane, largest, x, top, height, false), style: { fill: "none", stroke: colour, "stroke-width": 1.5 } }),
    ...labels,
    title,
  ];
}

function block(run, letter, top, width, tokens) {
  const x = (index) => LABELS + (index * (width - LABELS)) / tokens;
  const largest = Math.max(1, ...run.positions.map((lane) => lane.reduce((a, b) => Math.max(a, b), 0)));
  const badge = svg("text", { x: 0, y: top + 11, class: "lane-letter" });
  badge.textContent = letter;
  const label = svg("text", { x: 18, y: top + 11, class: "lane-name" });
  label.textContent = "tokens";
  const kinds = kindSpans(run).map(([from, to, colour]) =>
    svg("rect", { x: x(from), y: top, width: Math.max(1, x(to) - x(from) - 1), height: KINDS, style: { fill: colour } }),
  );
  let at = top + KINDS + GAP;
  const lanes = LANE[letter].flatMap((height, index) => {
    const parts = laneParts(run, letter, index, x, at, largest, width);
    at += height + GAP;
    return parts;
  });
  return [badge, label, ...kinds, ...lanes];
}

export function idsOf(run, token) {
  const [t, h, w] = run.positions.map((lane) => lane[token]);
  return run.letter === "A" ? `id ${count(t)}` : `(t ${count(t)}, h ${count(h)}, w ${count(w)})`;
}

export function createLanes({ onhover, onpick }) {
  const drawing = svg("svg", { class: "lanes-drawing" });
  const cursors = Object.fromEntries(LETTERS.map((letter) => [letter, el("div", { class: "lane-cursor", hidden: true }, el("span"))]));
  const root = el("div", { class: "lanes", tabindex: "0", role: "group", "aria-label": "Position ids along the prompt" }, drawing, ...Object.values(cursors));
  let shape = null;

  const under = (event) => {
    const box = root.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const letter = LETTERS.find((each) => shape?.tops[each] !== undefined && y >= shape.tops[each] && y < shape.tops[each] + heightOf(each));
    if (!letter || x < LABELS) return null;
    const token = Math.floor(((x - LABELS) * shape.tokens) / (shape.width - LABELS));
    return token < shape.lengths[letter] ? { letter, token } : null;
  };
  root.addEventListener("pointermove", (event) => event.pointerType === "mouse" && onhover(under(event)));
  root.addEventListener("pointerleave", () => onhover(null));
  root.addEventListener("click", (event) => under(event) && onpick(under(event)));

  function layOut(runs, width) {
    const present = LETTERS.filter((letter) => runs[letter]);
    const tops = {};
    let top = 24;
    present.forEach((letter) => {
      tops[letter] = top;
      top += heightOf(letter) + 26;
    });
    const lengths = Object.fromEntries(present.map((letter) => [letter, runs[letter].tokens.id.length]));
    return { tops, lengths, tokens: Math.max(...Object.values(lengths)), width, height: top - 16, present };
  }

  function placeCursor(letter, run, token) {
    const cursor = cursors[letter];
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

  return {
    root,
    update(runs, query, width) {
      shape = layOut(runs, width);
      drawing.setAttribute("width", width);
      drawing.setAttribute("height", shape.height);
      refill(drawing, [LETTERS.map((letter) => runs[letter]?.id), width, document.body.className], () =>
        shape.present.flatMap((letter) => block(runs[letter], letter, shape.tops[letter], width, shape.tokens)),
      );
      LETTERS.forEach((letter) => placeCursor(letter, runs[letter], query[letter]));
    },
  };
}
