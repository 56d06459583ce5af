// What a run keeps: the forecast of memory and time before it is made, with the choice of what to keep, and the measured
// figures after. And the keys of the page.

import { el, refill } from "../core/dom.js";
import { said, say } from "../language/i18n.js";
import { KEYS } from "../state/keys.js";
import { hear } from "../state/news.js";
import { bytes, seconds } from "../language/numbers.js";
import { offered, offerSetting } from "./budget.js";

/** @import { Channel, Gradio, Run } from "../core/types.d.ts" */
/** @import { Draft, Forecast, Forecasts, Offer } from "./types.d.ts" */

/** @type {Record<string, string>} */
const KEEP = {
  all: "all that fits",
  language: "language layers alone",
  fewer: "every fourth layer",
  nothing: "nothing, replay",
};

/** @type {Record<string, string>} */
const PARTS = { read: "read {time}", answer: "answer {time}", replay: "replay {time}" };

/** @param {string} name @param {string} value @param {string} [title] */
const line = (name, value, title) =>
  el("div", { class: "keep-line", title }, el("span", { text: name }), el("span", { text: value }));

/** @param {Run} run */
const settingsWords = (run) =>
  run.settings.temperature ? say("sampled, seed {seed}", { seed: run.settings.seed }) : say("greedy, saved");

// A forecast has no decimals to be believed in.
/** @param {number} value */
const rough = (value) => bytes(value).replace(/(\d{2,})\.\d/, "$1");

/**
 * @template T
 * @param {[letter: string, item: T][]} items
 * @param {(item: T) => string} words
 */
const each = (items, words) => items.map(([letter, item]) => `${letter} ${words(item)}`).join(", ");

/** @param {Run[]} runs @param {number} row */
function measured(runs, row) {
  /** @type {[letter: string, run: Run][]} */
  const named = runs.map((run) => [run.letter, run]);
  const taken = (/** @type {Run} */ run) => seconds(Object.values(run.seconds).reduce((sum, part) => sum + part, 0));
  const parts = (/** @type {Run} */ run) =>
    Object.keys(PARTS)
      .filter((part) => run.seconds[part] !== undefined)
      .map((part) => say(PARTS[part], { time: seconds(run.seconds[part]) }))
      .join(", ");
  return [
    line(
      say("Queries, keys"),
      each(named, (run) => bytes(run.kept.bytes)),
      runs.map((run) => `${run.letter}: ${run.kept.note}`).join("\n"),
    ),
    line(say("Took"), each(named, taken), runs.map((run) => `${run.letter}: ${parts(run)}`).join("\n")),
    line(say("Attention"), say("fused, exact rows")),
    line(say("Row on demand"), row ? seconds(row / 1000) : "–"),
    line(say("Seed, ids"), settingsWords(runs[0])),
  ];
}

// The costs of each letter: those of weights once where both columns hold the same model.
/** @param {Forecasts | null} forecast */
function expected(forecast) {
  const plans = Object.entries(forecast || {}).filter(([, plan]) => plan.weights);
  if (!plans.length) return [line(say("Queries, keys"), "–"), line(say("Attention"), say("fused, exact rows"))];
  const about = (/** @type {(plan: Forecast) => string} */ words) => `≈ ${each(plans, words)}`;
  const guessed = plans.some(([, plan]) => !plan.seconds.measured);
  const source = guessed ? say("Guessed from this machine's pace") : say("From the last answer's pace");
  return [
    line(
      say("Queries, keys"),
      about((plan) => rough(plan.keeps)),
      each(plans, (plan) => keptWords(plan)),
    ),
    line(
      say("Cache, work"),
      about((plan) => rough(plan.cache + plan.work)),
    ),
    line(
      say("First word after"),
      about((plan) => seconds(plan.seconds.read)),
      source,
    ),
    line(
      say("Each token"),
      about((plan) => seconds(plan.seconds.token)),
      source,
    ),
  ];
}

/** @param {Forecast} plan */
const keptWords = (plan) =>
  Object.entries(plan.kept)
    .map(([site, [kept, all]]) => say("{site} {kept} of {all} layers", { site, kept, all }))
    .join(", ");

/** @param {Forecasts | null} forecast @param {(offer: Offer) => void} choose */
function refusals(forecast, choose) {
  return Object.entries(forecast || {})
    .flatMap(([letter, { refusal }]) => (refusal ? [{ letter, refusal }] : []))
    .map(({ letter, refusal }) =>
      el(
        "p",
        { class: "keep-refusal", "data-part": "keep-refusal", role: "alert" },
        `${letter}: ${said(refusal.sentence)} `,
        offered(refusal.offer, choose),
      ),
    );
}

function keyList() {
  const items = KEYS.map(([caps, words]) =>
    el(
      "span",
      { class: "key-item" },
      ...caps.map((cap) => (cap === "–" ? cap : el("kbd", { text: cap }))),
      ` ${say(words)}`,
    ),
  );
  return el("div", { class: "keys", "data-part": "keys" }, ...items);
}

/** @param {(keep: string) => void} onpick */
function keepChoice(onpick) {
  const list = el(
    "select",
    { "aria-label": say("What the next run keeps") },
    ...Object.entries(KEEP).map(([value, text]) => el("option", { value, text: say(text) })),
  );
  list.addEventListener("change", () => onpick(list.value));
  const root = el("label", { class: "keep-choice" }, el("span", { text: say("Keep") }), list);
  return { root, choose: (/** @type {string} */ value) => (list.value = value) };
}

/** @param {HTMLElement} element @param {Gradio<{ value?: { keep: string } | null }>} gradio */
export function mount(element, { props, watch, signal }) {
  const [title, box, refused, keys] = [el("h3", {}), el("div", {}), el("div", {}), keyList()];
  const pick = (/** @type {string} */ keep) => {
    choice.choose(keep);
    props.value = { keep };
  };
  const choice = keepChoice(pick);
  const take = (/** @type {Offer} */ offer) => {
    if (offer.keep) pick(offer.keep);
    else offerSetting(offer);
  };
  element.replaceChildren(el("div", { class: "keeps", "data-part": "keeps" }, title, box, choice.root, refused), keys);
  const showKeys = () => {
    document.body.classList.add("rail-open");
    keys.scrollIntoView({ block: "nearest" });
    keys.classList.add("called");
    setTimeout(() => keys.classList.remove("called"), 2000);
  };
  window.addEventListener("inspector-keys", showKeys, { signal });
  /** @type {Forecasts | null} */
  let forecast = null;
  /** @type {Run[]} */
  let runs = [];
  /** @type {number[]} */
  let lately = [];
  let [row, after] = [0, false];
  const draw = () => {
    const shown = after && runs.length > 0;
    title.textContent = shown ? say("What this run keeps") : say("What a run would keep");
    refill(box, [shown, forecast, runs.map((run) => run.id), Math.round(row)], () =>
      shown ? measured(runs, row) : expected(forecast),
    );
    refill(
      refused,
      Object.values(forecast || {}).map((plan) => plan.refusal),
      () => refusals(forecast, take),
    );
  };
  hear(
    "inspector-draft",
    (/** @type {Draft} */ detail) => {
      forecast = detail.forecast;
      after = !detail.stale && !detail.kept_otherwise;
      draw();
    },
    signal,
  );
  hear(
    "inspector-runs",
    (/** @type {{ runs: Run[] }} */ detail) => {
      runs = detail.runs;
      after = runs.length > 0;
      draw();
    },
    signal,
  );
  const timed = (/** @type {Channel} */ { milliseconds = 0 }) => {
    lately = [...lately.slice(-8), milliseconds];
    row = [...lately].sort((a, b) => a - b)[Math.floor(lately.length / 2)];
    draw();
  };
  hear("inspector-row", timed, signal);
  const follow = () => choice.choose(props.value?.keep ?? "all");
  watch("value", follow);
  follow();
  draw();
}
