// Which frequencies read which id: a bar a channel pair, its height the wavelength on a logarithmic scale.

import { el, refill, setText, svg } from "../../core/dom.js";
import { say } from "../../language/i18n.js";
import { count } from "../../language/numbers.js";
import { text } from "../../drawing/chart.js";

/** @import { FrequencyFacts } from "../../core/types.d.ts" */

const HEIGHT = 46;
const AXES = ["t", "h", "w"];

// Wavelengths as one reads them: 6.3, 199, 35 k, 5.1 M.
/** @param {number} value */
function short(value) {
  if (value < 10) return value.toFixed(1);
  if (value < 1000) return value.toFixed(0);
  if (value < 1e6) return `${Number((value / 1e3).toPrecision(2))} k`;
  return `${Number((value / 1e6).toPrecision(2))} M`;
}

// Which axis each pair reads; "" where a token has one id.
/**
 * @param {FrequencyFacts} facts
 * @returns {string[]}
 */
const axesOf = ({ wavelengths, sections }) =>
  sections.length ? sections.flatMap((pairs, at) => Array(pairs).fill(AXES[at])) : wavelengths.map(() => "");

/** @param {string} axis */
const colourOf = (axis) => (axis ? `var(--ax-${axis})` : "var(--kind-text)");

/** @param {FrequencyFacts} found @param {number} width @param {number} most */
function drawing(found, width, most) {
  const { wavelengths } = found;
  const axes = axesOf(found);
  const step = width / wavelengths.length;
  /** @param {number} value */
  const height = (value) => Math.max(2, (HEIGHT * Math.log(value)) / Math.log(most));
  const bars = wavelengths.map((value, pair) =>
    svg("rect", {
      x: pair * step,
      y: 16 + HEIGHT - height(value),
      width: Math.max(0.5, step - Math.min(1.5, step / 4)),
      height: height(value),
      rx: 1,
      "data-pair": pair,
      "data-axis": axes[pair],
      style: { fill: colourOf(axes[pair]), opacity: 0.88 },
    }),
  );
  const first = [...new Set(axes)].map((axis) => axes.indexOf(axis));
  const marks = [...new Set([...first, wavelengths.length - 1])].map((pair) => {
    const last = pair === wavelengths.length - 1;
    const y = 12 + HEIGHT - height(wavelengths[pair]);
    return text(last ? width : pair * step, y, short(wavelengths[pair]), "lane-name", last ? "end" : "start");
  });
  return [...bars, ...marks];
}

/** @param {FrequencyFacts} facts */
function sectionKeys({ sections }) {
  return sections.map((pairs, at) =>
    el(
      "span",
      { class: `section-key axis-${AXES[at]}`, style: { flex: String(pairs) } },
      el("b", { text: `${AXES[at]} · ${pairs}` }),
    ),
  );
}

// One model's bars; hovering one says which id it reads and when it comes round: `ontell(sentence or null)`.
/** @param {(sentence: string | null) => void} ontell */
export function createFrequencies(ontell) {
  const chart = svg("svg", { class: "frequency-bars", "data-part": "frequency-bars" });
  const keys = el("div", { class: "section-keys" });
  const [letter, size] = [el("span", { class: "letter", "data-part": "letter" }), el("span", {})];
  const root = el(
    "div",
    { class: "frequencies", "data-part": "frequencies" },
    el("div", { class: "title-line", "data-part": "title-line" }, letter, size),
    chart,
    keys,
  );
  /** @type {FrequencyFacts | null} */
  let found = null;
  let spent = 0;

  /** @param {number | null} pair */
  function tell(pair) {
    if (pair === null || !found) return ontell(null);
    const axis = axesOf(found)[pair];
    const wavelength = found.wavelengths[pair];
    const values = {
      pair,
      axis,
      wavelength: short(wavelength),
      turns: (spent / wavelength).toPrecision(2),
      largest: count(spent),
    };
    return ontell(
      axis
        ? say(
            "Pair {pair} reads {axis}: round once in {wavelength} ids, {turns} times up to this run's largest, {largest}.",
            values,
          )
        : say(
            "Pair {pair} reads the id: round once in {wavelength} ids, {turns} times up to this run's largest, {largest}.",
            values,
          ),
    );
  }
  chart.addEventListener("pointermove", ({ target }) => {
    const pair = target instanceof SVGElement ? target.dataset.pair : undefined;
    tell(pair === undefined ? null : Number(pair));
  });
  chart.addEventListener("pointerleave", () => tell(null));

  return {
    root,
    /** @param {string} name @param {FrequencyFacts} given @param {{ width: number, most: number, largest: number }} room */
    update(name, given, { width, most, largest }) {
      [found, spent] = [given, largest];
      setText(letter, name);
      setText(
        size,
        say("{pairs} pairs in a head of {dim}, base {theta}", {
          pairs: given.wavelengths.length,
          dim: given.head_dim,
          theta: count(given.theta),
        }),
      );
      chart.setAttribute("width", String(width));
      chart.setAttribute("height", String(HEIGHT + 17));
      refill(chart, [given, width, most], () => drawing(given, width, most));
      refill(keys, [given.sections], () => sectionKeys(given));
    },
  };
}

/** @param {FrequencyFacts} facts */
export function plainWords({ sections, alpha }) {
  if (sections.length)
    return say("Time has the fastest, {t} of them; rows {h}, columns {w}.", {
      t: sections[0],
      h: sections[1],
      w: sections[2],
    });
  if (alpha > 1)
    return say("All read the one id. Dynamic NTK stretched the base by alpha {alpha} for this long prompt.", { alpha });
  return say("All read the one id. The prompt is short enough that dynamic NTK leaves the base as it is.");
}
