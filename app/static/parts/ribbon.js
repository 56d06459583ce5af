// The whole prompt and answer on one line: kinds of token, the row as a heat strip, and the position ids.

import { el, isDark, sizeCanvas, token } from "../dom.js";
import { css, tide } from "../colour.js";
import { count } from "../numbers.js";

const HEIGHTS = { kinds: 7, heat: 11, ids: 24 };
export const RIBBON_HEIGHT = HEIGHTS.kinds + 2 + HEIGHTS.heat + 2 + HEIGHTS.ids;

export function kindColour(run, index) {
  if (index >= run.answer_start) return token("--kind-answer");
  return run.tokens.media[index] !== null && run.tokens.media[index] !== undefined
    ? token("--kind-image")
    : token("--kind-text");
}

// Runs of equal colour along the tokens: [from, to, colour].
export function kindSpans(run) {
  const spans = [];
  run.tokens.id.forEach((_, index) => {
    const colour = kindColour(run, index);
    const last = spans[spans.length - 1];
    if (last && last[2] === colour) last[1] = index + 1;
    else spans.push([index, index + 1, colour]);
  });
  return spans;
}

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

function paintIds(context, run, width, top, height, ratio) {
  const total = run.tokens.id.length;
  const flat = run.letter === "A";
  const lanes = flat
    ? [[run.positions[0], token("--kind-text")]]
    : run.positions.map((lane, axis) => [lane, token(["--ax-t", "--ax-h", "--ax-w"][axis])]);
  const largest = Math.max(1, ...run.positions.map((lane) => lane.reduce((a, b) => Math.max(a, b), 0)));
  lanes.forEach(([lane, colour]) => {
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

function strongest(keys, number) {
  return [...keys.keys()].sort((a, b) => keys[b] - keys[a]).slice(0, number);
}

function paintMarks(context, { run, row, keys }, width, height, ratio) {
  const total = run.tokens.id.length;
  const at = (index) => Math.round(((index + 0.5) * width) / total);
  context.fillStyle = token("--k");
  const top = (HEIGHTS.kinds + 2) * ratio;
  strongest(keys, 4).forEach((index) => {
    for (let y = top; y < height; y += 5 * ratio) context.fillRect(at(index), y, ratio, 3 * ratio);
  });
  context.fillStyle = token("--q");
  context.fillRect(at(row) - ratio, 0, 2 * ratio, height);
  context.beginPath();
  context.arc(at(row), 3.5 * ratio, 3.5 * ratio, 0, 7);
  context.fill();
}

export function createRibbon() {
  const canvas = el("canvas", { class: "ribbon", role: "img" });
  const title = el("div", { class: "title-line" });
  const largestLabel = el("span", { class: "ribbon-largest" });
  const root = el("div", { class: "ribbon-block" }, title, el("div", { class: "ribbon-box" }, canvas, largestLabel));
  let last = null;
  return {
    root,
    update({ run, row, keys, width }) {
      const stamp = [run.id, row, width, isDark()].join();
      if (last?.stamp === stamp && last.keys === keys) return;
      last = { stamp, keys };
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
      paintMarks(context, { run, row, keys }, paper.width, paper.height, ratio);
      largestLabel.textContent = count(largest);
      canvas.setAttribute(
        "aria-label",
        `${count(total)} tokens; the row of token ${row}, largest id ${count(largest)}`,
      );
      const ids =
        run.letter === "A"
          ? [`${count(total)} tokens, one id each`]
          : [`${count(total)} tokens, ids `, axis("t"), " ", axis("h"), " ", axis("w")];
      title.replaceChildren(
        el("h3", { text: "Prompt and answer" }),
        el("span", { title: "Heat strip: square root of each weight over the largest" }, ...ids),
      );
    },
  };
}

export const axis = (name) => el("b", { class: `axis-${name}`, text: name });
