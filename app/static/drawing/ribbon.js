// The whole prompt and answer on one line: kinds of token, the row as a heat strip, and the position ids.

import { el, isDark, sizeCanvas, token } from "../core/dom.js";
import { css, tide } from "../core/colour.js";
import { hasAdapter } from "../core/families.js";
import { say } from "../language/i18n.js";
import { count } from "../language/numbers.js";

/** @import { Floats, RibbonGestures, RibbonSpec, Run } from "../core/types.d.ts" */

const HEIGHTS = { kinds: 7, heat: 11, ids: 24 };
const RIBBON_HEIGHT = HEIGHTS.kinds + 2 + HEIGHTS.heat + 2 + HEIGHTS.ids;

/** @param {Run} run @param {number} index */
function kindColour(run, index) {
  if (index >= run.answer_start) return token("--kind-answer");
  return run.tokens.media[index] !== null && run.tokens.media[index] !== undefined
    ? token("--kind-image")
    : token("--kind-text");
}

// Runs of equal colour along the tokens: [from, to, colour].
/** @param {Run} run */
export function kindSpans(run) {
  /** @type {[from: number, to: number, colour: string][]} */
  const spans = [];
  run.tokens.id.forEach((_, index) => {
    const colour = kindColour(run, index);
    const last = spans[spans.length - 1];
    if (last && last[2] === colour) last[1] = index + 1;
    else spans.push([index, index + 1, colour]);
  });
  return spans;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Floats} keys
 * @param {number} total
 * @param {number} width
 * @param {number} top
 * @param {number} height
 */
function paintHeat(context, keys, total, width, top, height) {
  const most = keys.reduce((a, b) => Math.max(a, b), 0) || 1;
  const columns = new Float32Array(width);
  keys.forEach((value, index) => {
    const [from, to] = [
      Math.floor((index * width) / total),
      Math.max(Math.floor((index * width) / total) + 1, Math.floor(((index + 1) * width) / total)),
    ];
    for (let x = from; x < to && x < width; x += 1) columns[x] = Math.max(columns[x], Math.sqrt(value / most));
  });
  columns.forEach((value, x) => {
    context.fillStyle = css(tide(value, isDark()));
    context.fillRect(x, top, 1, height);
  });
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Run} run
 * @param {number} width
 * @param {number} top
 * @param {number} height
 * @param {number} ratio
 */
function paintIds(context, run, width, top, height, ratio) {
  const total = run.tokens.id.length;
  const flat = hasAdapter(run);
  const lanes = flat
    ? [{ lane: run.positions[0], colour: token("--kind-text") }]
    : run.positions.map((lane, axis) => ({ lane, colour: token(["--ax-t", "--ax-h", "--ax-w"][axis]) }));
  const largest = Math.max(1, ...run.positions.map((lane) => lane.reduce((a, b) => Math.max(a, b), 0)));
  lanes.forEach(({ lane, colour }) => {
    context.strokeStyle = colour;
    context.lineWidth = 1.25 * ratio;
    context.beginPath();
    lane.forEach((id, index) => {
      const [x, y] = [
        ((index + 0.5) * width) / total,
        top + height - 2 * ratio - (id / largest) * (height - 4 * ratio),
      ];
      if (index) context.lineTo(x, y);
      else context.moveTo(x, y);
    });
    context.stroke();
  });
  return largest;
}

/** @param {Floats} keys @param {number} number */
function strongest(keys, number) {
  return [...keys.keys()].sort((a, b) => keys[b] - keys[a]).slice(0, number);
}

// A row: its query solid with a knob, its strongest keys dashed. A column the other way round: its keys dashed with a
// knob, the strongest queries solid.
/**
 * @param {CanvasRenderingContext2D} context
 * @param {{ run: Run, marks: number[], keys: Floats, swap: boolean }} row
 * @param {number} width
 * @param {number} height
 * @param {number} ratio
 */
function paintMarks(context, { run, marks, keys, swap }, width, height, ratio) {
  const total = run.tokens.id.length;
  /** @param {number} index */
  const at = (index) => Math.round(((index + 0.5) * width) / total);
  const top = (HEIGHTS.kinds + 2) * ratio;
  /** @param {number} index @param {number} from */
  const dashed = (index, from) => {
    context.fillStyle = token("--k");
    for (let y = from; y < height; y += 5 * ratio) context.fillRect(at(index), y, ratio, 3 * ratio);
  };
  /** @param {number} index @param {number} from @param {number} thick */
  const solid = (index, from, thick) => {
    context.fillStyle = token("--q");
    context.fillRect(at(index) - (thick * ratio) / 2, from, thick * ratio, height - from);
  };
  const strong = strongest(keys, 4).filter((index) => keys[index] > 0 && !(swap && marks.includes(index)));
  strong.forEach((index) => (swap ? solid(index, top, 1) : dashed(index, top)));
  marks.forEach((index) => {
    if (swap) dashed(index, 0);
    else solid(index, 0, 2);
    context.fillStyle = token(swap ? "--k" : "--q");
    context.beginPath();
    context.arc(at(index), 3.5 * ratio, 3.5 * ratio, 0, 7);
    context.fill();
  });
}

/** @type {Record<string, number>} */
const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

// Pointing at the ribbon chooses a token; arrows step along it.
/** @param {HTMLCanvasElement} canvas @param {RibbonGestures} gestures @param {() => number} total */
function listen(canvas, { onhover, onpick, onstep }, total) {
  const tokenAt = (/** @type {MouseEvent} */ event) => {
    const box = canvas.getBoundingClientRect();
    return Math.max(0, Math.min(total() - 1, Math.floor(((event.clientX - box.left) / box.width) * total())));
  };
  canvas.addEventListener("pointermove", (event) => event.pointerType === "mouse" && onhover(tokenAt(event)));
  canvas.addEventListener("pointerleave", () => onhover(null));
  canvas.addEventListener("click", (event) => onpick(tokenAt(event), event.shiftKey));
  canvas.addEventListener("keydown", (event) => {
    if (!STEPS[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    onstep(STEPS[event.key]);
  });
}

/** @param {RibbonGestures} [gestures] */
export function createRibbon(gestures) {
  const canvas = el("canvas", { class: "ribbon", "data-part": "ribbon", role: "img", tabindex: gestures ? "0" : null });
  const title = el("div", { class: "title-line", "data-part": "title-line" });
  const largestLabel = el("span", { class: "ribbon-largest" });
  const root = el("div", { class: "ribbon-block" }, title, el("div", { class: "ribbon-box" }, canvas, largestLabel));
  /** @type {{ stamp: string, keys: Floats, run: Run } | null} */
  let last = null;
  if (gestures) listen(canvas, gestures, () => last?.run.tokens.id.length ?? 1);

  /** @param {Required<RibbonSpec>} row */
  function paint({ run, row, keys, width, marks, swap }) {
    const paper = sizeCanvas(canvas, width, RIBBON_HEIGHT);
    const { context, ratio } = paper;
    const total = run.tokens.id.length;
    kindSpans(run).forEach(([from, to, colour]) => {
      context.fillStyle = colour;
      const [x, end] = [Math.round((from * paper.width) / total), Math.round((to * paper.width) / total)];
      context.fillRect(x, 0, Math.max(1, end - x - ratio), HEIGHTS.kinds * ratio);
    });
    const heatTop = (HEIGHTS.kinds + 2) * ratio;
    const idsTop = heatTop + (HEIGHTS.heat + 2) * ratio;
    context.fillStyle = token("--background-fill-secondary");
    context.fillRect(0, idsTop, paper.width, HEIGHTS.ids * ratio);
    paintHeat(context, keys, total, paper.width, heatTop, HEIGHTS.heat * ratio);
    const largest = paintIds(context, run, paper.width, idsTop, HEIGHTS.ids * ratio, ratio);
    paintMarks(context, { run, marks, keys, swap }, paper.width, paper.height, ratio);
    largestLabel.textContent = count(largest);
    const words = { tokens: count(total), row: count(row), largest: count(largest) };
    const spoken = swap
      ? say("{tokens} tokens; what each row gives to the chosen key, largest id {largest}", words)
      : say("{tokens} tokens; the row of token {row}, largest id {largest}", words);
    canvas.setAttribute("aria-label", spoken);
    const ids = hasAdapter(run)
      ? [say("{n} tokens, one id each", { n: count(total) })]
      : [say("{n} tokens, ids", { n: count(total) }), " ", axis("t"), " ", axis("h"), " ", axis("w")];
    const heat = say("Heat strip: square root of each weight over the largest");
    title.replaceChildren(el("h3", { text: say("Prompt and answer") }), el("span", { title: heat }, ...ids));
  }

  return {
    root,
    // `marks`: the tokens whose row it is, or with `swap` the keys whose column it is; the row's own where not said.
    update(/** @type {RibbonSpec} */ { run, row, keys, width, marks = [row], swap = false }) {
      const stamp = [run.id, marks, swap, width, isDark()].join();
      if (last?.stamp === stamp && last.keys === keys) return;
      last = { stamp, keys, run };
      paint({ run, row, keys, width, marks, swap });
    },
  };
}

/** @param {string} name */
export const axis = (name) => el("b", { class: `axis-${name}`, text: name });
