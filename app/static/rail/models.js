// The two models: chosen among what the server offers, or typed as a hub id where it allows that; and the number format
// of their weights. Nothing is loaded by choosing; what a model would take stands beneath its name.

import { el, refill } from "../core/dom.js";
import { say } from "../language/i18n.js";
import { hear } from "../state/news.js";
import { bytes } from "../language/numbers.js";

/** @import { Gradio } from "../core/types.d.ts" */
/** @import { ChosenModel, Forecast, Forecasts, OfferedModel } from "./types.d.ts" */

const TYPED = "\u0000typed";
const FORMATS = { auto: "As the device has it", bfloat16: "bfloat16", float32: "float32" };

/** @param {string} label */
const detail = (label) => (label.endsWith("-fine") ? ", fine" : ""); // twins that were taught small things
/** @param {OfferedModel} model */
const words = ({ label, title, size_label: size }) => (size === "tiny" ? `${title}, ${size}${detail(label)}` : label);

/** @param {OfferedModel[]} offered @param {string} label @param {boolean} hub */
function choices(offered, label, hub) {
  const known = offered.some((one) => one.label === label);
  const listed = known ? offered : [...offered, { label }];
  const options = listed.map((one) =>
    el("option", { value: one.label, text: words(one), selected: one.label === label }),
  );
  return hub ? [...options, el("option", { value: TYPED, text: say("A hub id…") })] : options;
}

// One model's row: a list, which gives way to a field while a hub id is typed.
/** @param {string} letter @param {(label: string) => void} onpick */
function createRow(letter, onpick) {
  const list = el("select", { "aria-label": say("Model {letter}", { letter }) });
  const field = el("input", { type: "text", placeholder: say("owner/name"), hidden: true, spellcheck: "false" });
  field.setAttribute("aria-label", say("Hub id of model {letter}", { letter }));
  const note = el("div", { class: "model-note" });
  const badge = el("span", { class: "letter", "data-part": "letter", text: letter, "aria-hidden": "true" });
  const root = el("div", { class: "model-choice" }, el("div", { class: "model-row" }, badge, list, field), note);
  let label = "";
  const type = (/** @type {boolean} */ on) => {
    field.hidden = !on;
    list.hidden = on;
    if (on) field.focus();
  };
  list.addEventListener("change", () => {
    if (list.value === TYPED) type(true);
    else onpick(list.value);
  });
  const leave = () => {
    list.value = label;
    type(false);
  };
  field.addEventListener("change", () => {
    const typed = field.value.trim();
    leave();
    if (typed) onpick(typed);
  });
  field.addEventListener("blur", () => !field.value.trim() && leave());
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    field.value = "";
    leave();
    list.focus();
  });
  return {
    root,
    note,
    /** @param {OfferedModel[]} offered @param {string} chosen @param {boolean} hub */
    update(offered, chosen, hub) {
      label = chosen;
      refill(list, [offered, chosen, hub], () => choices(offered, chosen, hub));
    },
  };
}

/** @param {Forecast | undefined} plan */
function noteOn(plan) {
  if (!plan) return "";
  const format = plan.bytes_a_value === 4 ? "float32" : "bfloat16";
  const memory = say("{bytes} in {format}", { bytes: bytes(plan.weights), format });
  return plan.loaded ? say("{memory}, loaded", { memory }) : say("{memory}, not loaded", { memory });
}

/** @typedef {{ value?: Record<string, ChosenModel> | null, offered?: OfferedModel[], hub?: boolean }} ModelsProps */

/** @param {HTMLElement} element @param {Gradio<ModelsProps>} gradio */
export function mount(element, { props, watch, signal }) {
  const letters = Object.keys(props.value || {});
  /** @type {Record<string, ChosenModel>} */
  let chosen = props.value || {};
  const send = (/** @type {Record<string, ChosenModel>} */ next) => {
    chosen = next;
    draw();
    props.value = next;
  };
  const pick = (/** @type {string} */ letter) => (/** @type {string} */ label) =>
    send({ ...chosen, [letter]: { ...chosen[letter], label } });
  const rows = Object.fromEntries(letters.map((letter) => [letter, createRow(letter, pick(letter))]));
  const format = el(
    "select",
    { "aria-label": say("Number format of the weights") },
    ...Object.entries(FORMATS).map(([value, text]) => el("option", { value, text: say(text) })),
  );
  const setFormat = (/** @type {string} */ dtype) =>
    send(Object.fromEntries(letters.map((letter) => [letter, { ...chosen[letter], dtype }])));
  format.addEventListener("change", () => setFormat(format.value));
  function draw() {
    letters.forEach((letter) => rows[letter].update(props.offered || [], chosen[letter].label, Boolean(props.hub)));
    format.value = chosen[letters[0]]?.dtype ?? "auto";
  }
  element.replaceChildren(
    el(
      "div",
      { class: "models" },
      el("div", { class: "title-line", "data-part": "title-line" }, el("h3", { text: say("Models") })),
      ...letters.map((letter) => rows[letter].root),
      el("label", { class: "format-line" }, el("span", { text: say("Weights in") }), format),
    ),
  );
  hear(
    "inspector-draft",
    (/** @type {{ forecast: Forecasts | null }} */ { forecast }) =>
      letters.forEach((letter) => {
        const text = noteOn(forecast?.[letter]);
        if (rows[letter].note.textContent !== text) rows[letter].note.textContent = text;
      }),
    signal,
  );
  window.addEventListener("inspector-offer", ({ detail }) => detail.dtype && setFormat(detail.dtype), { signal });
  watch("value", () => {
    if (!props.value || JSON.stringify(props.value) === JSON.stringify(chosen)) return;
    chosen = props.value;
    draw();
  });
  draw();
}
