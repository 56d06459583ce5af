// Curves over layers: one line for each of several things, a dashed line to hold them against, the chosen layer marked.

import { el, refill, setText, svg } from "../core/dom.js";
import { across, chart, line, scale, text, upright } from "./chart.js";

/** @import { LayerCurvesSpec, LayerLine } from "../core/types.d.ts" */

const LEFT = 38;
const BOTTOM = 18;
const TOP = 8;
const RIGHT = 10;

// Layers to print on the axis: all while they fit, else every second, fourth, eighth.
/** @param {number} count */
function layerTicks(count) {
  const step = [1, 2, 4, 8, 16, 32].find((each) => count / each <= 12) ?? 64;
  return Array.from({ length: Math.ceil(count / step) }, (_, index) => index * step);
}

// One line with its dots and its label; it breaks off where there is no value.
/**
 * @param {LayerLine} line
 * @param {(layer: number, length: number) => number} along
 * @param {(value: number) => number} y
 */
function drawLine({ values, kind, label }, along, y) {
  const points = [...values].flatMap((value, layer) =>
    Number.isFinite(value) ? [[along(layer, values.length), y(value)]] : [],
  );
  const dotted = points.length === 1 || kind === "strong" || kind === "chosen";
  const dot = (/** @type {number[]} */ [cx, cy]) =>
    svg("circle", { cx, cy, r: kind === "chosen" ? 3 : 2, class: `layer-dot ${kind}` });
  const last = points.at(-1);
  return [
    line(points, `layer-line ${kind}`),
    ...(dotted ? points.map(dot) : []),
    ...(label && last ? [text(last[0] - 4, last[1] - 6, label, "layer-label", "end")] : []),
  ];
}

// `lines`: { values, kind: "faint" | "strong" | "chosen" | "dashed", name }; values may hold NaN, where a line breaks off.
/**
 * @param {object} what
 * @param {string} what.label
 * @param {number} [what.height]
 * @param {((layer: number, line: LayerLine) => void) | null} [what.onpick]
 * @param {((layer: number | null, line?: LayerLine) => void) | null} [what.onhover]
 */
export function createLayerCurves({ label, height = 132, onpick = null, onhover = null }) {
  const root = el("div", { class: "layer-curves" });
  const words = el("span", { class: "layer-words faint" });
  /** @type {LayerCurvesSpec | null} */
  let shown = null;
  let shape = { across: 1, bottom: 1, count: 1 };
  root.addEventListener("pointermove", (event) => point(event, onhover));
  root.addEventListener("click", (event) => point(event, onpick));
  root.addEventListener("pointerleave", () => {
    setText(words, "");
    onhover?.(null);
  });

  /** @param {MouseEvent} event @param {((layer: number, line: LayerLine) => void) | null} act */
  function point(event, act) {
    if (!shown) return;
    const box = root.getBoundingClientRect();
    const layer = Math.round(((event.clientX - box.left - LEFT) / shape.across) * (shape.count - 1) || 0);
    const value = ((shape.bottom - (event.clientY - box.top)) / (shape.bottom - TOP)) * shown.top;
    const held = Math.max(0, Math.min(shape.count - 1, layer));
    const depth = shape.count > 1 ? held / (shape.count - 1) : 0;
    const found = nearest(shown.lines, depth, value);
    if (!found) return;
    const own = Math.round(depth * (found.values.length - 1));
    setText(words, `${found.name}, ${shown.layer(own)}: ${shown.format(found.values[own])}`);
    act?.(held, found);
  }

  /** @param {LayerLine[]} lines @param {number} depth @param {number} value */
  function nearest(lines, depth, value) {
    const away = (/** @type {LayerLine} */ each) =>
      Math.abs(each.values[Math.round(depth * (each.values.length - 1))] - value);
    const named = lines.filter((each) => each.name && Number.isFinite(away(each)));
    return named.reduce((best, each) => (away(best) <= away(each) ? best : each), named[0]);
  }

  /** @param {LayerCurvesSpec} spec */
  function draw({ width, lines, top, reference, chosen, format, ticks }) {
    const count = lines[0].values.length; // other lines may have more layers or fewer: all run from first to last
    const [bottom, right] = [height - BOTTOM, width - RIGHT];
    /** @param {number} layer @param {number} length */
    const along = (layer, length) => (length > 1 ? scale([0, length - 1], [LEFT, right])(layer) : (LEFT + right) / 2);
    const up = scale([0, top], [bottom, TOP]);
    /** @param {number} value */
    const y = (value) => up(Math.max(0, Math.min(top, value)));
    shape = { across: right - LEFT, bottom, count };
    return chart({ width, height, label, name: "layer-drawing" }, [
      ...ticks.map((value) => across(LEFT, right, y(value), "chart-grid")),
      ...(reference ? [across(LEFT, right, y(reference.value), "layer-reference")] : []),
      ...(reference ? [text(LEFT + 4, y(reference.value) - 4, reference.text)] : []),
      ...(typeof chosen === "number" && Number.isInteger(chosen)
        ? [upright(along(chosen, count), TOP, bottom, "layer-chosen")]
        : []),
      ...lines.flatMap((each) => drawLine(each, along, y)),
      ...ticks.map((value) => text(LEFT - 5, y(value) + 4, format(value), null, "end")),
      ...layerTicks(count).map((layer) => text(along(layer, count), height - 5, layer, null, "middle")),
    ]);
  }

  const box = el("div", { class: "layer-box" });
  root.append(box, words);
  return {
    root,
    // `layer` names a layer, `format` a value.
    update(/** @type {LayerCurvesSpec} */ spec) {
      const kept = { ...spec, width: Math.max(120, spec.width) };
      shown = spec;
      const key = [
        kept.width,
        kept.top,
        kept.reference,
        kept.chosen,
        kept.ticks,
        kept.lines.map(({ values, kind, label: said, name }) => [kind, said, name, Array.from(values)]),
      ];
      refill(box, key, () => draw(kept));
    },
  };
}
