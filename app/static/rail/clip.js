// Which frames of a clip the models are shown: by rate or by number, under whose limits; and why each limit bit.

import { hear as onNews } from "../state/news.js";
import { el, refill, segmented } from "../core/dom.js";
import { said, say } from "../language/i18n.js";
import { count, times } from "../language/numbers.js";

/** @import { ClipSampling, Gradio } from "../core/types.d.ts" */
/** @import { ClipOptions, Draft, Forecast, Forecasts, Offer, PixelBudget, PlannedMedia } from "./types.d.ts" */

/** @typedef {PlannedMedia & { sampling: ClipSampling }} PlannedClip */

/**
 * What a field changes.
 * @typedef {{ by?: string, amount?: number | null, preset?: string, pictures?: number | null }} Patch
 */

/** @type {Record<string, string>} */
const PRESETS = {
  "Qwen2-VL": "24,576 tokens a clip at most; qwen-vl-utils 0.0.8, the tool of this model's time",
  paper: "16,384 tokens a clip at most, as in training",
  "qwen-vl-utils 0.0.14": "115,200 tokens a clip at most",
};

/**
 * @param {string} id
 * @param {string} label
 * @param {string} title
 * @param {number} least
 * @param {(value: number | null) => void} onchange
 */
function numberField(id, label, title, least, onchange) {
  const field = el("input", { type: "text", inputmode: "decimal", id, class: "pixels", "aria-label": label, title });
  field.addEventListener("change", () => {
    const value = Number(field.value.replace(/,/g, ""));
    onchange(field.value.trim() && Number.isFinite(value) && value >= least ? value : null);
  });
  return field;
}

const TUBES = "{taken} of {total} frames, {tubes} tubes, {tokens} tokens";
const ONE_TUBE = "{taken} of {total} frames, {tubes} tube, {tokens} tokens";

/** @param {PlannedMedia} media */
const tubes = (media) => media.token_grid[0];

// What each model gets of a clip, in one line.
/** @param {string} letter @param {PlannedClip} media */
function lineOf(letter, media) {
  const [, rows, columns] = media.token_grid;
  const { indices, total_frames: total, effective_fps: rate } = media.sampling;
  const taken = indices.length;
  const words =
    tubes(media) === taken
      ? say("{taken} pictures of {each} positions", { taken: count(taken), each: count(rows * columns + 2) })
      : say(tubes(media) === 1 ? ONE_TUBE : TUBES, {
          taken: count(taken),
          total: count(total),
          tubes: count(tubes(media)),
          tokens: count(media.tokens),
        });
  const title = say("{size} each, {rate} frames a second", {
    size: times(media.resized[0], media.resized[1]),
    rate: Number(rate.toPrecision(3)),
  });
  return el(
    "div",
    { class: "result-line", "data-part": "result-line", title },
    el("b", { text: letter }),
    el("span", { text: words }),
  );
}

/** @param {PlannedMedia} media @returns {media is PlannedClip} */
const isSampled = (media) => media.sampling !== null;

/** @param {Forecast | undefined} plan */
const sampled = (plan) => (plan?.media ?? []).filter(isSampled);

// Clip by clip what each model gets of it, then every limit that bit, once.
/** @param {Forecasts | undefined} forecast */
function results(forecast) {
  const plans = Object.entries(forecast || {});
  const number = Math.max(0, ...plans.map(([, plan]) => sampled(plan).length));
  const clips = Array.from({ length: number }, (_, index) =>
    plans.flatMap(([letter, plan]) =>
      sampled(plan)
        .slice(index, index + 1)
        .map((media) => ({ letter, media, index })),
    ),
  ).flat();
  const clamps = new Set(clips.flatMap(({ media }) => media.sampling.clamps.map((clamp) => clamp.sentence)));
  const notes = new Set(clips.map(({ media }) => media.note).filter(Boolean));
  return [
    ...clips.flatMap(({ letter, media, index }, place) => [
      ...(number > 1 && clips[place - 1]?.index !== index
        ? [el("div", { class: "result-line sub", "data-part": "result-line" }, el("span", { text: media.name }))]
        : []),
      lineOf(letter, media),
    ]),
    ...[...clamps, ...notes].map((sentence) => el("p", { class: "bites", text: said(sentence) })),
  ];
}

/** @param {(patch: Patch) => void} change */
function controls(change) {
  const by = segmented(
    say("Frames of the clip by"),
    [
      ["fps", say("a second"), "fps"],
      ["nframes", say("in all"), "nframes"],
    ],
    (kind) => change({ by: kind }),
  );
  const amount = numberField("clip-frames", say("Frames"), say("Frames that Qwen2-VL is shown"), 0.001, (value) =>
    change({ amount: value }),
  );
  const pictures = numberField("clip-pictures", say("Pictures for Qwen-VL"), "pictures", 1, (value) =>
    change({ pictures: value === null ? null : Math.round(value) }),
  );
  const preset = el(
    "select",
    {
      id: "clip-preset",
      "aria-label": say("Limits of clips"),
      onchange: ({ currentTarget }) => change({ preset: currentTarget.value }),
    },
    ...Object.keys(PRESETS).map((name) => el("option", { value: name, text: name, title: say(PRESETS[name]) })),
  );
  /** @param {string} label @param {HTMLElement[]} fields */
  const row = (label, ...fields) => el("div", { class: "clip-row" }, el("span", { text: label }), ...fields);
  return {
    by,
    amount,
    pictures,
    preset,
    rows: [
      row(say("Frames"), amount, by),
      row(say("Limits of"), preset),
      row(say("Qwen-VL has no video; pictures"), pictures),
    ],
  };
}

/** @param {HTMLElement} element @param {Gradio<{ value?: ClipOptions | null, result?: Draft | null }>} gradio */
export function mount(element, { props, watch, signal }) {
  /** @type {ClipOptions} */
  let options = {};
  /** @type {PixelBudget | null} */
  let budget = null; // of the figures that the rail shows
  const fields = controls(change);
  const result = el("div", { class: "result", "data-part": "result", "aria-live": "polite" });
  const root = el(
    "div",
    { class: "clip-options", "data-part": "clip-options", hidden: true },
    el("div", { class: "title-line", "data-part": "title-line" }, el("h3", { text: say("Frames of the clip") })),
    ...fields.rows,
    result,
  );

  function show() {
    fields.by.choose(options.nframes ? "nframes" : "fps");
    fields.amount.value = String(options.nframes ?? options.fps ?? 2);
    fields.preset.value = options.preset ?? "Qwen2-VL";
    fields.preset.title = say(PRESETS[fields.preset.value]);
    fields.pictures.value = String(options.pictures ?? "");
    fields.pictures.placeholder = say("as many as fit");
  }
  /** @param {Patch} patch */
  function change(patch) {
    const kind = patch.by ?? (options.nframes ? "nframes" : "fps");
    const now = Number(options.nframes ?? options.fps ?? 2);
    if ("amount" in patch || patch.by) {
      const amount = patch.by ? (kind === "nframes" ? taken() : 2) : (patch.amount ?? now);
      options = { ...options, fps: null, nframes: null };
      if (kind === "nframes") options.nframes = Math.max(2, Math.round(amount));
      else options.fps = amount === 2 ? null : amount;
    }
    if ("preset" in patch) options = { ...options, preset: patch.preset };
    if ("pictures" in patch) options = { ...options, pictures: patch.pictures };
    show();
    props.value = { ...options };
  }
  // What a refusal says would fit: a number of frames, a rate, or how many pictures.
  /** @param {{ detail: Offer }} event */
  function take({ detail }) {
    if (detail.nframes || detail.fps)
      options = { ...options, nframes: detail.nframes ?? null, fps: detail.fps ?? null };
    else if (detail.pictures) options = { ...options, pictures: detail.pictures };
    else return;
    show();
    props.value = { ...options };
  }
  // As many frames as are taken now, to begin with when they are to be counted.
  function taken() {
    /** @type {Forecasts} */
    const forecast = props.result?.forecast ?? {};
    const clips = Object.values(forecast).flatMap(sampled);
    return Math.max(4, ...clips.map((media) => media.sampling.indices.length));
  }
  function hear() {
    options = { ...props.value };
    show();
  }
  // Figures for a budget that has changed since may come last.
  const isCurrent = (/** @type {Draft | null | undefined} */ news) =>
    !news?.budget || !budget || JSON.stringify(news.budget) === JSON.stringify(budget);
  function answered() {
    if (!isCurrent(props.result)) return;
    const forecast = props.result?.forecast ?? {};
    root.hidden = !props.result?.clips;
    refill(result, [forecast, props.result?.error], () => [
      ...results(forecast),
      ...(props.result?.error ? [el("p", { class: "bad", text: said(props.result.error) })] : []),
    ]);
  }
  element.replaceChildren(root);
  window.addEventListener("inspector-offer", take, { signal });
  hear();
  watch("value", hear);
  watch("result", answered);
  answered();
  onNews(
    "inspector-draft",
    (/** @type {Draft} */ news) => {
      budget = news.budget;
      answered();
    },
    signal,
  );
}
