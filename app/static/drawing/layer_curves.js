// Curves over layers: one line for each of several things, a dashed line to hold them against, the chosen layer marked.

import { el, refill, setText, svg } from "../core/dom.js";

const LEFT = 38;
const BOTTOM = 18;
const TOP = 8;
const RIGHT = 10;

const line = (points, more) =>
  svg("polyline", { points: points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" "), ...more });

// Layers to print on the axis: all while they fit, else every second, fourth, eighth.
function layerTicks(count) {
  const step = [1, 2, 4, 8, 16, 32].find((each) => count / each <= 12) ?? 64;
  return Array.from({ length: Math.ceil(count / step) }, (_, index) => index * step);
}

// `lines`: { values, kind: "faint" | "strong" | "chosen" | "dashed", name }; values may hold NaN, where a line breaks off.
export function createLayerCurves({ label, height = 132, onpick = null, onhover = null }) {
  const root = el("div", { class: "layer-curves" });
  const words = el("span", { class: "layer-words faint" });
  let shape = null;
  root.addEventListener("pointermove", (event) => point(event, onhover));
  root.addEventListener("click", (event) => point(event, onpick));
  root.addEventListener("pointerleave", () => {
    setText(words, "");
    onhover?.(null);
  });

  function point(event, act) {
    if (!shape) return;
    const box = root.getBoundingClientRect();
    const layer = Math.round(((event.clientX - box.left - LEFT) / shape.across) * (shape.count - 1) || 0);
    const value = ((shape.bottom - (event.clientY - box.top)) / (shape.bottom - TOP)) * shape.top;
    const held = Math.max(0, Math.min(shape.count - 1, layer));
    const depth = shape.count > 1 ? held / (shape.count - 1) : 0;
    const found = nearest(depth, value);
    if (!found) return;
    const own = Math.round(depth * (found.values.length - 1));
    setText(words, `${found.name}, ${shape.layer(own)}: ${shape.format(found.values[own])}`);
    act?.(held, found);
  }

  function nearest(depth, value) {
    const away = (each) => Math.abs(each.values[Math.round(depth * (each.values.length - 1))] - value);
    const named = shape.lines.filter((each) => each.name && Number.isFinite(away(each)));
    return named.reduce((best, each) => (best && away(best) <= away(each) ? best : each), null);
  }

  function draw({ width, lines, top, reference, chosen, format, ticks }) {
    const count = lines[0].values.length; // other lines may have more layers or fewer: all run from first to last
    const [bottom, across] = [height - BOTTOM, width - LEFT - RIGHT];
    const along = (layer, length) => LEFT + (length > 1 ? (layer * across) / (length - 1) : across / 2);
    const x = (layer) => along(layer, count);
    const y = (value) => bottom - ((bottom - TOP) * Math.max(0, Math.min(top, value))) / top;
    Object.assign(shape, { across, bottom, count });
    const text = (at, down, said, more = {}) => svg("text", { x: at, y: down, text: said, ...more });
    const grid = ticks.map((value) =>
      svg("line", { x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value), class: "layer-grid" }),
    );
    const scale = ticks.map((value) => text(LEFT - 5, y(value) + 4, format(value), { "text-anchor": "end" }));
    const layers = layerTicks(count).map((layer) => text(x(layer), height - 5, layer, { "text-anchor": "middle" }));
    const mark =
      chosen === null || chosen === undefined
        ? []
        : [svg("line", { x1: x(chosen), x2: x(chosen), y1: TOP, y2: bottom, class: "layer-chosen" })];
    const even = reference
      ? [
          svg("line", {
            x1: LEFT,
            x2: width - RIGHT,
            y1: y(reference.value),
            y2: y(reference.value),
            class: "layer-reference",
          }),
          text(LEFT + 4, y(reference.value) - 4, reference.text),
        ]
      : [];
    const drawn = lines.flatMap((each) => {
      const points = each.values.flatMap((value, layer) =>
        Number.isFinite(value) ? [[along(layer, each.values.length), y(value)]] : [],
      );
      const path = line(points, { class: `layer-line ${each.kind}` });
      const last = points.at(-1);
      const dots = points.length === 1 || each.kind === "strong" || each.kind === "chosen";
      return [
        path,
        ...(dots
          ? points.map(([cx, cy]) =>
              svg("circle", { cx, cy, r: each.kind === "chosen" ? 3 : 2, class: `layer-dot ${each.kind}` }),
            )
          : []),
        ...(each.label && last
          ? [text(last[0] - 4, last[1] - 6, each.label, { "text-anchor": "end", class: "layer-label" })]
          : []),
      ];
    });
    return svg(
      "svg",
      { width, height, role: "img", "aria-label": label, class: "layer-drawing" },
      ...grid,
      ...even,
      ...mark,
      ...drawn,
      ...scale,
      ...layers,
    );
  }

  const box = el("div", { class: "layer-box" });
  root.append(box, words);
  return {
    root,
    // `layer` names a layer, `format` a value.
    update(spec) {
      const kept = { ...spec, width: Math.max(120, spec.width) };
      shape = { ...shape, lines: spec.lines, top: spec.top, format: spec.format, layer: spec.layer };
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

// Round steps from 0 to what a chart must hold.
export function roundTicks(top, about = 4) {
  if (!(top > 0)) return [0];
  const rough = top / about;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * unit).find((each) => each >= rough);
  return Array.from({ length: Math.floor(top / step + 1e-9) + 1 }, (_, index) => index * step);
}
