// The pixel budget as one line on a logarithmic scale: two ends to drag, and where pictures and defaults lie on it.

import { el, refill, setText } from "../core/dom.js";
import { say } from "../language/i18n.js";
import { count } from "../language/numbers.js";
import { isRefused } from "./table.js";
import { CLASS_MAX, planner, RANGE, setting, SHIPPED, shownFile, UNIT_PIXELS } from "./state.js";

/** @import { ChosenRow } from "./table.js" */
/** @import { Answer, SuggestedTokens } from "../core/types.d.ts" */

const QWEN_VL = 448 * 448;
const STEPS = 1000;

/** @type {End[]} */
const ENDS = ["min", "max"];

/** @param {number} pixels */
const toShare = (pixels) => Math.log(pixels / RANGE[0]) / Math.log(RANGE[1] / RANGE[0]);

// Whole tokens' worth of pixels; the published limits catch what comes near them.
/** @param {number} share */
function fromShare(share) {
  const pixels = RANGE[0] * (RANGE[1] / RANGE[0]) ** Math.min(1, Math.max(0, share));
  const near = [SHIPPED.min, SHIPPED.max, CLASS_MAX, QWEN_VL].find((one) => Math.abs(toShare(one) - share) < 0.008);
  return near ?? Math.max(RANGE[0], Math.round(pixels / UNIT_PIXELS) * UNIT_PIXELS);
}

/** @typedef {"min" | "max"} End */

/** @param {End} name @param {number} value */
function change(name, value) {
  const { min, max } = planner.settings;
  const patch = name === "min" ? { min: value, max: Math.max(value, max) } : { max: value, min: Math.min(min, value) };
  setting({ ...patch, ...(planner.settings.group === "class" ? {} : { group: chosenGroup(patch) }) });
}

/** @param {{ min: number, max: number }} limits */
const chosenGroup = ({ min, max }) => (min === SHIPPED.min && max === SHIPPED.max ? "files" : "own");

/** @type {Record<string, number>} */
const KEY_STEPS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -20, PageUp: 20 };

/** @type {Record<string, number | undefined>} */
const KEY_ENDS = { Home: RANGE[0], End: RANGE[1] };

// An end of the bar: a slider by keyboard, a knob by pointer.
/** @param {End} name @param {HTMLElement} track */
function createEnd(name, track) {
  const knob = el("div", {
    class: `plan-end ${name}`,
    "data-part": "plan-end",
    role: "slider",
    tabindex: 0,
    "data-end": name,
  });
  knob.setAttribute("aria-label", say("{name}, logarithmic", { name: `${name}_pixels` }));
  knob.setAttribute("aria-valuemin", String(RANGE[0]));
  knob.setAttribute("aria-valuemax", String(RANGE[1]));
  /** @param {MouseEvent} event */
  const move = (event) => {
    const box = track.getBoundingClientRect();
    change(name, fromShare((event.clientX - box.left) / box.width));
  };
  knob.addEventListener("pointerdown", (event) => {
    knob.setPointerCapture(event.pointerId);
    event.preventDefault();
    knob.focus();
  });
  knob.addEventListener("pointermove", (event) => knob.hasPointerCapture(event.pointerId) && move(event));
  knob.addEventListener("keydown", (event) => {
    const [by, end] = [KEY_STEPS[event.key] ?? 0, KEY_ENDS[event.key]];
    if (!by && !end) return;
    event.preventDefault();
    event.stopPropagation();
    change(name, end ?? stepped(planner.settings[name], by));
  });
  return knob;
}

/** @param {number} value @param {number} by */
function stepped(value, by) {
  const next = RANGE[0] * (RANGE[1] / RANGE[0]) ** ((Math.round(toShare(value) * STEPS) + by * 4) / STEPS);
  const whole = Math.round(next / UNIT_PIXELS) * UNIT_PIXELS;
  const moved = whole === value ? value + Math.sign(by) * UNIT_PIXELS : whole;
  return Math.min(RANGE[1], Math.max(RANGE[0], moved));
}

/** @param {End} name */
function field(name) {
  const box = el("input", { type: "text", inputmode: "numeric", class: "text-field pixels", id: `plan-${name}` });
  box.setAttribute("aria-label", say("{name} in pixels", { name: `${name}_pixels` }));
  box.addEventListener("change", () => {
    const value = Number(box.value.replace(/[^0-9]/g, ""));
    if (value >= 1) change(name, Math.min(RANGE[1], Math.max(RANGE[0], Math.round(value))));
    box.value = count(planner.settings[name]);
  });
  const tokens = el("span", { class: "faint" });
  const label = el("label", { for: `plan-${name}`, text: `${name}_pixels` });
  return { root: el("span", { class: "plan-field" }, label, box, tokens), box, tokens };
}

/** @param {number} share @param {string} text @param {string} row @param {string} kind */
const mark = (share, text, row, kind = "") =>
  el(
    "span",
    {
      class: `plan-mark ${row} ${kind} ${share > 0.72 ? "left" : ""}`,
      style: { left: `${(100 * share).toFixed(2)}%` },
    },
    el("i"),
    el("span", { text }),
  );

function marks() {
  const file = planner.files[shownFile()];
  const area = file ? file.size[0] * file.size[1] : 0;
  const inside = area >= RANGE[0] && area <= RANGE[1];
  return [
    mark(toShare(QWEN_VL), say("{n} · what Qwen-VL sees, 256 tokens", { n: count(QWEN_VL) }), "above"),
    mark(toShare(CLASS_MAX), say("class default {n} · 1,280 tokens", { n: count(CLASS_MAX) }), "below"),
    ...(inside ? [mark(toShare(area), say("{name}, {n} px", { name: file.name, n: count(area) }), "top", "file")] : []),
  ];
}

// How many tokens a picture had better have, as its makers say, beside how many it has; a press plans with that range.
/** @param {SuggestedTokens} one @param {number} tokens */
function suggestion(one, tokens) {
  const place = tokens < one.low ? say("below") : tokens > one.high ? say("above") : say("within");
  const range = { low: count(one.low), high: count(one.high), purpose: say(one.purpose), place };
  return el("button", {
    type: "button",
    class: "tag plan-suggested",
    "data-part": "plan-suggested",
    text: say("{low} to {high} for {purpose}: {place}", range),
    title: say("Suggested by {source}. Press to plan with these limits.", { source: say(one.source) }),
    onclick: () => setting({ min: one.low * UNIT_PIXELS, max: one.high * UNIT_PIXELS, group: "own" }),
  });
}

function createSuggestions() {
  const root = el("div", { class: "plan-suggestions" });
  return {
    root,
    update(/** @type {SuggestedTokens[]} */ suggested, /** @type {ChosenRow | null} */ chosen) {
      const row = chosen && !isRefused(chosen.row) ? chosen.row : null;
      const media = row?.media[shownFile()];
      const file = planner.files[shownFile()];
      root.hidden = !media || file?.kind !== "image" || row?.family !== "qwen2-vl";
      if (!media || root.hidden) return;
      refill(root, [suggested, media.tokens], () => [
        el("span", {
          class: "faint",
          text: say("Suggested visual tokens a picture, of {n} here", { n: count(media.tokens) }),
        }),
        ...suggested.map((one) => suggestion(one, media.tokens)),
      ]);
    },
  };
}

export function createBudget() {
  const track = el("div", { class: "plan-track" });
  const fill = el("div", { class: "plan-fill" });
  const ends = { min: createEnd("min", track), max: createEnd("max", track) };
  const places = el("div", { class: "plan-marks" });
  const fields = { min: field("min"), max: field("max") };
  const reset = el("button", {
    type: "button",
    class: "link",
    text: say("as the files ship"),
    onclick: () => setting({ ...SHIPPED, group: "files" }),
  });
  track.append(fill, places, ends.min, ends.max);
  const advice = createSuggestions();
  const hint = el("span", { class: "faint", text: say("log scale, drag the ends to plan with your own limits") });
  const root = el(
    "section",
    { class: "card plan-budget" },
    el("div", { class: "plan-head" }, el("h3", { text: say("Pixel budget") }), reset, hint),
    track,
    el("div", { class: "plan-fields" }, fields.min.root, fields.max.root),
    advice.root,
  );
  return {
    root,
    update(/** @type {Answer<"planner_plan">} */ answer, /** @type {ChosenRow | null} */ chosen) {
      advice.update(answer.suggested, chosen);
      const { min, max } = planner.settings;
      const [low, high] = [toShare(min), toShare(max)];
      fill.style.left = `${100 * low}%`;
      fill.style.width = `${100 * (high - low)}%`;
      for (const [name, value] of ENDS.map((end) => /** @type {const} */ ([end, planner.settings[end]]))) {
        ends[name].style.left = `${100 * toShare(value)}%`;
        ends[name].setAttribute("aria-valuenow", String(value));
        ends[name].setAttribute("aria-valuetext", say("{n} pixels", { n: count(value) }));
        if (document.activeElement !== fields[name].box) fields[name].box.value = count(value);
        setText(fields[name].tokens, say("px · {n} tokens", { n: count(Math.floor(value / UNIT_PIXELS)) }));
      }
      reset.hidden = min === SHIPPED.min && max === SHIPPED.max;
      refill(places, [planner.files[shownFile()]], marks);
    },
  };
}
