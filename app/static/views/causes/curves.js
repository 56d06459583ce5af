// Deletion or insertion: the word's probability against the share of cells that are gone or back, one chart.

import { el, refill, svg } from "../../core/dom.js";
import { say } from "../../core/i18n.js";

const [WIDTH, HEIGHT] = [248, 132];
const [LEFT, RIGHT, TOP, BOTTOM] = [34, 6, 8, 20];

const scaleX = (x) => LEFT + x * (WIDTH - LEFT - RIGHT);
const scaleY = (y, top) => HEIGHT - BOTTOM - (y / top) * (HEIGHT - TOP - BOTTOM);

// The end of the scale: the whole where the word is likely, else a round number above the largest value.
function scaleTop(pair) {
  const values = [pair.map?.y, pair.reverse?.y, pair.random?.high].flatMap((list) => list ?? []);
  const most = Math.max(...values, 1e-12);
  if (most > 0.5) return 1;
  const unit = 10 ** Math.floor(Math.log10(most));
  return unit * [1, 2, 5, 10].find((step) => step * unit >= most);
}

const path = (xs, ys, top) =>
  xs.map((x, at) => `${at ? "L" : "M"}${scaleX(x).toFixed(1)} ${scaleY(ys[at], top).toFixed(1)}`).join("");

function band(random, top) {
  const back = [...random.x.keys()].reverse();
  const low = back.map((at) => `L${scaleX(random.x[at]).toFixed(1)} ${scaleY(random.low[at], top).toFixed(1)}`);
  return `${path(random.x, random.high, top)}${low.join("")}Z`;
}

function axes(top, words) {
  const tick = (y, text) => [
    svg("line", { class: "curve-grid", x1: LEFT, x2: WIDTH - RIGHT, y1: scaleY(y, top), y2: scaleY(y, top) }),
    svg("text", { class: "curve-tick", x: LEFT - 4, y: scaleY(y, top) + 4, "text-anchor": "end" }, text),
  ];
  const percent = (value) => `${Number((100 * value).toPrecision(2))} %`;
  return [
    ...tick(0, "0"),
    ...tick(top / 2, percent(top / 2)),
    ...tick(top, percent(top)),
    svg("text", { class: "curve-tick", x: LEFT, y: HEIGHT - 5 }, "0"),
    svg("text", { class: "curve-tick", x: (LEFT + WIDTH) / 2, y: HEIGHT - 5, "text-anchor": "middle" }, words),
    svg("text", { class: "curve-tick", x: WIDTH - RIGHT, y: HEIGHT - 5, "text-anchor": "end" }, "100 %"),
  ];
}

function chart(pair, words, name) {
  const top = scaleTop(pair);
  const drawn = [...axes(top, words)];
  if (pair.random) {
    drawn.push(svg("path", { class: "curve-band", d: band(pair.random, top) }));
    drawn.push(svg("path", { class: "curve-mean", d: path(pair.random.x, pair.random.mean, top) }));
  }
  if (pair.reverse) drawn.push(svg("path", { class: "curve-reverse", d: path(pair.reverse.x, pair.reverse.y, top) }));
  if (pair.map) drawn.push(svg("path", { class: "curve-map", d: path(pair.map.x, pair.map.y, top) }));
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "curve", role: "img", "aria-label": name }, ...drawn);
}

const area = (value) => (value === undefined || value === null ? "–" : value.toFixed(3));

function areas({ map, reverse, random }) {
  const mean = random ? random.areas.reduce((sum, one) => sum + one, 0) / random.areas.length : null;
  const range = random ? `${area(Math.min(...random.areas))} ${say("to")} ${area(Math.max(...random.areas))}` : "";
  const row = (name, key, value, more) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, el("i", { class: `curve-key ${key}` }), name),
      el("td", { text: value }),
      el("td", { text: more }),
    );
  return el(
    "table",
    { class: "curve-areas" },
    row(say("map's order"), "map", area(map?.area), ""),
    row(say("random orders, mean"), "mean", area(mean), range),
    row(say("reversed order"), "reverse", area(reverse?.area), ""),
  );
}

// `pair` as the server tells it; `kind` "deletion" or "insertion".
export function drawCurves(root, kind, pair) {
  refill(root, [kind, pair], () => {
    const title = kind === "deletion" ? say("Deletion: lower is better") : say("Insertion: higher is better");
    const words = kind === "deletion" ? say("of the cells painted away") : say("of the cells shown again");
    return [el("h4", { text: title }), chart(pair, words, title), areas(pair)];
  });
}
