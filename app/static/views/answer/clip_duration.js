// What a clip of this size would cost if it lasted otherwise: tokens by seconds, under each preset's limits, against the
// 16,384 tokens that clips had at most in training.

import { el, refill, svg } from "../../core/dom.js";
import { say } from "../../language/i18n.js";
import { count, lasting, times } from "../../language/numbers.js";
import { across, chart, grid, line, logScale, text, upright } from "../../drawing/chart.js";

/** @import { ClipLonger, Context, Media, PresetCosts, Run } from "../../core/types.d.ts" */

/**
 * Where seconds and tokens lie on the drawing, and which numbers of tokens are written beside it.
 * @typedef {{ x: (seconds: number) => number, y: (tokens: number) => number, ticks: number[] }} Scales
 */

/** @typedef {{ name: string, y: number, pen: string, amber: boolean }} EndLabel */

const HEIGHT = 190;
const [LEFT, RIGHT, TOP, BOTTOM] = [52, 160, 12, 34];
const SLIM = 14; // to the right, where the names stand beneath
const NARROW = 480; // pixels below which fewer marks stand on the axis
const MARKS = [1, 10, 60, 600, 3600];
const STYLES = ["", "dotted", "dashed"]; // of the presets, in order

/** @param {number} seconds */
const markWords = (seconds) =>
  seconds < 60
    ? say("{n} s", { n: seconds })
    : seconds < 3600
      ? say("{n} min", { n: seconds / 60 })
      : say("{n} h", { n: seconds / 3600 });

/** @param {number} width */
const rightOf = (width) => width - (width < NARROW ? SLIM : RIGHT);

/** @param {ClipLonger} found @param {number} width @returns {Scales} */
function scales(found, width) {
  const tokens = found.presets
    .flatMap(({ costs }) => costs.map((cost) => cost[3]))
    .concat(found.here[1], found.trained);
  const span = (/** @type {number[]} */ values) => [Math.min(...values), Math.max(...values)];
  const [seconds, [low, high]] = [span([...found.seconds, Math.max(0.1, found.here[0])]), span(tokens)];
  const x = logScale(seconds, [LEFT, rightOf(width)]);
  return {
    x: (value) => Math.max(LEFT, x(value)),
    y: logScale([low, high], [HEIGHT - BOTTOM, TOP]),
    ticks: [10, 100, 1000, 10_000, 100_000].filter((value) => value >= low && value <= high),
  };
}

// Labels at the right end, pushed apart so that none covers another.
/** @param {ClipLonger} found @param {(tokens: number) => number} y @param {number} width */
function labels(found, y, width) {
  /** @type {EndLabel[]} */
  const presets = found.presets.map(({ name, costs }, index) => {
    const last = costs[costs.length - 1][3];
    return { name, y: y(last) + 4, pen: `cost-curve ${STYLES[index]}`, amber: false };
  });
  const trained = say("{n} in training", { n: count(found.trained) });
  const ends = [...presets, { name: trained, y: y(found.trained) + 4, pen: "trained-line", amber: true }].sort(
    (one, other) => one.y - other.y,
  );
  ends.forEach((one, index) => {
    if (index) one.y = Math.max(one.y, ends[index - 1].y + 14);
  });
  const x = width - RIGHT + 6;
  return ends.flatMap((one) => [
    across(x, x + 18, one.y - 4, one.pen),
    text(x + 23, one.y, one.name, one.amber ? "trained-text" : "row-name"),
  ]);
}

/** @param {ClipLonger} found @param {PresetCosts} preset @param {number} index @param {Scales} scale */
const curve = (found, { costs }, index, { x, y }) =>
  line(
    costs.map((cost, at) => [x(found.seconds[at]), y(cost[3])]),
    `cost-curve ${STYLES[index]}`,
  );

/** @param {ClipLonger} found @param {number} width */
function drawing(found, width) {
  const scale = scales(found, width);
  const { x, y, ticks } = scale;
  const [floor, end] = [HEIGHT - BOTTOM, rightOf(width)];
  const marks = MARKS.filter((seconds) => width >= NARROW || (seconds !== 10 && seconds !== 600));
  const [here, tokens] = found.here;
  return chart({ width, height: HEIGHT, label: sentence(found) }, [
    ...grid(ticks, y, { left: LEFT, right: end, gap: 6, format: count }),
    ...marks.flatMap((seconds) => [
      upright(x(seconds), floor, floor + 4, "chart-axis"),
      text(x(seconds), floor + 15, markWords(seconds), "tick", "middle"),
    ]),
    across(LEFT, end, floor, "chart-axis"),
    across(LEFT, end, y(found.trained), "trained-line"),
    ...found.presets.map((preset, index) => curve(found, preset, index, scale)),
    svg("circle", { cx: x(here), cy: y(tokens), r: 4, class: "here" }),
    text(x(here) + 8, Math.min(floor - 4, y(tokens) + 14), say("this clip"), "row-name"),
    ...(width < NARROW ? [] : labels(found, y, width)),
    text(LEFT, HEIGHT - 4, say("how long a clip lasts; both scales logarithmic"), "tick"),
  ]);
}

// The names beneath a narrow drawing, each with its line.
/** @param {ClipLonger} found */
function legend(found) {
  const pens = found.presets.map(({ name }, index) => [name, `cost-curve ${STYLES[index]}`]);
  const all = [...pens, [say("{n} in training", { n: count(found.trained) }), "trained-line"]];
  /** @param {string[]} pen */
  const key = ([name, pen]) => el("span", {}, svg("svg", { width: 18, height: 8 }, across(0, 18, 4, pen)), name);
  return el("div", { class: "longer-keys" }, ...all.map(key));
}

// From which length on a preset's own budget is broken; null where it never is.
/** @param {ClipLonger} found @param {PresetCosts} preset */
const broken = (found, { costs, budget }) => found.seconds[costs.findIndex((cost) => cost[3] > budget)] ?? null;

/** @param {ClipLonger} found */
function sentence(found) {
  const each = found.presets.map((preset) => {
    const from = broken(found, preset);
    const values = { name: preset.name, budget: count(preset.budget), from: from && lasting(from) };
    return from === null
      ? say("{name} keeps to its {budget}.", values)
      : say("{name} breaks its {budget} from about {from} s on, where frames stand at their floor.", values);
  });
  return each.join(" ");
}

/** @param {ClipLonger} found @param {number} index */
const lineAt = (found, index) =>
  found.presets
    .map(({ name, costs }) => {
      const [frames, width, height, tokens] = costs[index];
      return say("{name}: {frames} × {size}, {tokens} tokens", {
        name,
        frames: count(frames),
        size: times(width, height),
        tokens: count(tokens),
      });
    })
    .join(" · ");

/** @param {Context} ctx */
export function createLonger(ctx) {
  const [box, words] = [el("div", { class: "longer-chart" }), el("p", {})];
  const range = el("input", { type: "range", min: 0, step: 1, "aria-label": say("How long a clip lasts") });
  const at = el("p", { class: "longer-at", "data-part": "longer-at", "aria-live": "polite" });
  const root = el(
    "section",
    { class: "card longer", "data-part": "longer", hidden: true },
    el(
      "div",
      { class: "title-line", "data-part": "title-line" },
      el("h3", { text: say("If the clip were longer or shorter") }),
      el("span", { text: say("2 frames a second, each preset's own limits") }),
    ),
    box,
    el("div", { class: "scrubber" }, range),
    at,
    words,
  );
  /** @type {ClipLonger | null} */
  let found = null;
  const tell = () => {
    if (!found) return;
    const index = Number(range.value);
    at.textContent = `${say("{n} s", { n: lasting(found.seconds[index]) })} · ${lineAt(found, index)}`;
    range.style.setProperty("--fill", `${(100 * index) / (found.seconds.length - 1)}%`);
    range.setAttribute("aria-valuetext", at.textContent);
  };
  range.addEventListener("input", tell);
  range.addEventListener("keydown", (event) => event.stopPropagation());
  return {
    root,
    /** @param {Run} run @param {Media} media */
    update(run, media) {
      const asked = { run: run.id, media: media.index };
      const answer = media.sampling
        ? ctx.client.resource("longer", "clip_longer", asked, { group: `${run.id} ${media.index}` }).value
        : null;
      root.hidden = !answer;
      if (!answer) return;
      const width = Math.max(280, Math.floor(box.clientWidth || 900));
      refill(box, [run.id, media.index, width, document.documentElement.lang], () => [
        drawing(answer, width),
        width < NARROW ? legend(answer) : null,
      ]);
      if (found === answer) return;
      found = answer;
      range.max = String(answer.seconds.length - 1);
      range.value = String(answer.seconds.findIndex((seconds) => seconds >= answer.here[0]));
      words.textContent = sentence(answer);
      tell();
    },
  };
}
