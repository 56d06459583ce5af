// Deletion or insertion: the word's probability against the share of cells that are gone or back, one chart.

import { el, refill } from "../../core/dom.js";
import { say } from "../../language/i18n.js";
import { band, chart, grid, line, scale, text } from "../../drawing/chart.js";

/** @import { CurvePair } from "../../core/types.d.ts" */
/** @import { CurveKind } from "./work.js" */

const [WIDTH, HEIGHT] = [248, 132];
const [LEFT, RIGHT, TOP, BOTTOM] = [34, 6, 8, 20];

// The end of the scale: the whole where the word is likely, else a round number above the largest value.
/** @param {CurvePair} pair */
function scaleTop(pair) {
  const values = [pair.map?.y, pair.reverse?.y, pair.random?.high].flatMap((list) => list ?? []);
  const most = Math.max(...values, 1e-12);
  if (most > 0.5) return 1;
  const unit = 10 ** Math.floor(Math.log10(most));
  return unit * ([1, 2, 5].find((step) => step * unit >= most) ?? 10);
}

/** @param {number} value */
const percent = (value) => `${Number((100 * value).toPrecision(2))} %`;

/** @param {number} top @param {(value: number) => number} y @param {string} words */
function axes(top, y, words) {
  const format = (/** @type {number} */ value) => (value ? percent(value) : "0");
  return [
    ...grid([0, top / 2, top], y, { left: LEFT, right: WIDTH - RIGHT, gap: 4, format }),
    text(LEFT, HEIGHT - 5, "0"),
    text((LEFT + WIDTH) / 2, HEIGHT - 5, words, null, "middle"),
    text(WIDTH - RIGHT, HEIGHT - 5, "100 %", null, "end"),
  ];
}

/** @param {CurvePair} pair @param {string} words @param {string} label */
function drawing(pair, words, label) {
  const top = scaleTop(pair);
  const x = scale([0, 1], [LEFT, WIDTH - RIGHT]);
  const y = scale([0, top], [HEIGHT - BOTTOM, TOP]);
  /** @param {number[]} xs @param {number[]} ys @param {string} name */
  const curve = (xs, ys, name) =>
    line(
      xs.map((at, index) => [x(at), y(ys[index])]),
      name,
    );
  const { map, reverse, random } = pair;
  return chart({ width: WIDTH, height: HEIGHT, label, fluid: true, name: "curve" }, [
    ...axes(top, y, words),
    ...(random ? [band(random.x.map(x), random.low.map(y), random.high.map(y), "curve-band")] : []),
    ...(random ? [curve(random.x, random.mean, "curve-mean")] : []),
    ...(reverse ? [curve(reverse.x, reverse.y, "curve-reverse")] : []),
    ...(map ? [curve(map.x, map.y, "curve-map")] : []),
  ]);
}

/** @param {number | null | undefined} value */
const area = (value) => (value === undefined || value === null ? "–" : value.toFixed(3));

/** @param {CurvePair} pair */
function areas({ map, reverse, random }) {
  const mean = random ? random.areas.reduce((sum, one) => sum + one, 0) / random.areas.length : null;
  const range = random ? `${area(Math.min(...random.areas))} ${say("to")} ${area(Math.max(...random.areas))}` : "";
  /** @param {string} name @param {string} key @param {string} value @param {string} more */
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
    { class: "curve-areas", "data-part": "curve-areas" },
    row(say("map's order"), "map", area(map?.area), ""),
    row(say("random orders, mean"), "mean", area(mean), range),
    row(say("reversed order"), "reverse", area(reverse?.area), ""),
  );
}

// `pair` as the server tells it; `kind` "deletion" or "insertion".
/** @param {HTMLElement} root @param {CurveKind} kind @param {CurvePair} pair */
export function drawCurves(root, kind, pair) {
  refill(root, [kind, pair], () => {
    const title = kind === "deletion" ? say("Deletion: lower is better") : say("Insertion: higher is better");
    const words = kind === "deletion" ? say("of the cells painted away") : say("of the cells shown again");
    return [el("h4", { text: title }), drawing(pair, words, title), areas(pair)];
  });
}
