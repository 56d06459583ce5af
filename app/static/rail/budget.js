// The pixel budget: min_pixels and max_pixels on a logarithmic scale, and what they make of the pictures, at once.

import { el, refill, setText } from "../core/dom.js";
import { said, say } from "../language/i18n.js";
import { publish } from "../state/news.js";
import { count, times } from "../language/numbers.js";

/** @import { Gradio, Size } from "../core/types.d.ts" */
/** @import { Draft, Forecast, Offer, PixelBudget } from "./types.d.ts" */

/** @typedef {(name: string, value: number | null, wait?: number) => void} Change */

/** @typedef {[letter: string, plan: Forecast]} Planned */

const RANGE = [784, 12_845_056];
const STEPS = 1000;
const UNIT = 28 * 28; // one visual token
const SEND_MS = 40;

/** @param {number} value */
const toStep = (value) => Math.round((STEPS * Math.log(value / RANGE[0])) / Math.log(RANGE[1] / RANGE[0]));

/** @param {Size} size */
const sizeWords = ([width, height]) => times(width, height);

// Whole tokens' worth of pixels, so that a round number of tokens can be met; the ends stay exact.
/** @param {number} step */
function fromStep(step) {
  if (step >= STEPS) return RANGE[1];
  return Math.max(RANGE[0], Math.round((RANGE[0] * (RANGE[1] / RANGE[0]) ** (step / STEPS)) / UNIT) * UNIT);
}

/** @param {string} name @param {string} title @param {Change} onchange */
function control(name, title, onchange) {
  const slider = el("input", {
    type: "range",
    min: 0,
    max: STEPS,
    step: 1,
    id: `slider-${name}`,
    "aria-label": say("{name}, logarithmic", { name }),
  });
  const field = el("input", {
    type: "text",
    inputmode: "numeric",
    id: name,
    class: "pixels",
    "aria-label": say("{name} in pixels", { name }),
  });
  const root = el(
    "div",
    { class: "budget-control" },
    el(
      "div",
      { class: "budget-head" },
      el("label", { for: name, text: name, title }),
      field,
      el("span", { text: "px" }),
    ),
    slider,
  );
  slider.addEventListener("input", () => onchange(name, fromStep(Number(slider.value)), SEND_MS));
  field.addEventListener("change", () => {
    const value = Number(field.value.replace(/[^0-9]/g, ""));
    onchange(name, value >= 1 ? Math.min(RANGE[1], Math.max(RANGE[0], value)) : null);
  });
  return {
    root,
    /** @param {number} value */
    show(value) {
      slider.value = String(toStep(value));
      slider.style.setProperty("--fill", `${(100 * toStep(value)) / STEPS}%`);
      slider.setAttribute("aria-valuetext", say("{n} pixels", { n: count(value) }));
      field.value = count(value);
    },
  };
}

/** @param {string} letter @param {Forecast} plan */
function resultLine(letter, plan) {
  const sizes = plan.media.map((media) => sizeWords(media.resized));
  const tokens = plan.media.reduce((sum, media) => sum + media.tokens, 0);
  const same = new Set(sizes).size === 1;
  const shown =
    sizes.length === 0
      ? say("no picture")
      : plan.family === "qwen-vl"
        ? say("{size}, always", { size: `${sizes[0]}${sizes.length > 1 ? ` × ${sizes.length}` : ""}` })
        : say("{size}, {tokens} tokens", {
            size: same ? sizes[0] : say("{n} sizes", { n: sizes.length }),
            tokens: count(tokens),
          });
  const detail = plan.media
    .map((media) =>
      say("{name}: {size} becomes {resized}, {tokens} tokens", {
        name: media.name,
        size: sizeWords(media.size),
        resized: sizeWords(media.resized),
        tokens: count(media.tokens),
      }),
    )
    .join("\n");
  return el(
    "div",
    { class: "result-line", "data-part": "result-line", title: detail },
    el("b", { text: letter }),
    el("span", { text: shown }),
  );
}

/** @param {Forecast} plan */
function eachPicture(plan) {
  if (plan.media.length < 2) return [];
  return plan.media.map((media, index) =>
    el(
      "div",
      { class: "result-line sub", "data-part": "result-line" },
      el("span", { text: say(media.kind === "video" ? "clip {n}" : "picture {n}", { n: index + 1 }) }),
      el("span", { text: `${sizeWords(media.resized)}, ${count(media.tokens)}` }),
    ),
  );
}

// A button that does what a refusal says would fit.
/** @param {Offer | null} offer @param {(offer: Offer) => void} [take] */
export const offered = (offer, take = offerSetting) =>
  offer
    ? el("button", {
        type: "button",
        class: "offer",
        "data-part": "offer",
        text: say("Do that"),
        onclick: () => take(offer),
      })
    : null;

/** @param {Offer} offer */
export const offerSetting = (offer) => window.dispatchEvent(new CustomEvent("inspector-offer", { detail: offer }));

/** @param {Draft} result */
function results(result) {
  /** @type {Planned[]} */
  const plans = Object.entries(result.forecast || {});
  const bitten = plans.flatMap(([, plan]) => plan.media.filter((media) => media.limit && !media.sampling));
  /** @type {[text: string, title: string][]} */
  const effects = bitten.map((media) => [
    say("{limit} bites: {size} becomes {resized}.", {
      limit: media.limit,
      size: sizeWords(media.size),
      resized: sizeWords(media.resized),
    }),
    said(media.effect),
  ]);
  const tooLong = plans
    .filter(([, plan]) => !plan.fits)
    .map(([letter, plan]) => el("p", { class: "bad" }, `${letter}: ${said(plan.sentence)} `, offered(plan.shorter)));
  return [
    ...plans.flatMap(([letter, plan]) => [
      resultLine(letter, plan),
      ...(plan.family === "qwen-vl" ? [] : eachPicture(plan)),
    ]),
    ...effects.slice(0, 1).map(([text, title]) => el("p", { class: "bites", text, title })),
    ...tooLong,
  ];
}

/** @param {HTMLElement} element @param {Gradio<{ value?: PixelBudget | null, result?: Draft }>} gradio */
export function mount(element, { props, watch, signal }) {
  let { min = 3136, max = 200_704 } = props.value || {};
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const [result, prompt] = [
    el("div", { class: "result", "data-part": "result", "aria-live": "polite" }),
    el("span", {}),
  ];

  // A number that was typed is sent at once: Ask may be the next press.
  /** @param {number} wait */
  function send(wait) {
    clearTimeout(timer);
    const tell = () => (props.value = { min, max });
    if (wait) timer = setTimeout(tell, wait);
    else tell();
  }
  /** @param {string} name @param {number | null} value @param {number} [wait] */
  function change(name, value, wait = 0) {
    if (value !== null && name === "min_pixels") [min, max] = [value, Math.max(value, max)];
    else if (value !== null) [min, max] = [Math.min(min, value), value];
    show();
    send(wait);
  }
  const [high, low] = [
    control("max_pixels", say("A picture with more pixels is made smaller"), change),
    control("min_pixels", say("A picture with fewer pixels is made larger"), change),
  ];
  function show() {
    high.show(max);
    low.show(min);
  }
  function hear() {
    if (props.value && (props.value.min !== min || props.value.max !== max)) {
      ({ min, max } = props.value);
      show();
    }
    answered();
  }
  // What was counted for another budget may come last: a change of the question was on its way when this one changed.
  const isCurrent = (/** @type {Draft} */ { budget }) =>
    !budget || (budget.min === props.value?.min && budget.max === props.value?.max);
  function answered() {
    const news = props.result;
    if (!news || !isCurrent(news)) return;
    refill(result, news.forecast, () => results(news));
    const lengths = Object.values(news.forecast || {}).map((plan) => count(plan.prompt_tokens));
    setText(prompt, lengths.length && !news.follows ? say("prompt {lengths}", { lengths: lengths.join(" / ") }) : "");
    publish("inspector-draft", news);
  }
  element.replaceChildren(
    el(
      "div",
      { class: "budget", "data-part": "budget" },
      el("div", { class: "title-line", "data-part": "title-line" }, el("h3", { text: say("Pixel budget") }), prompt),
      high.root,
      low.root,
      result,
    ),
  );
  show();
  window.addEventListener(
    "inspector-offer",
    ({ detail }) => detail.max_pixels && change("max_pixels", detail.max_pixels),
    { signal },
  );
  watch("value", hear);
  watch("result", answered);
  answered();
}
