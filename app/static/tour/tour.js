// The tour: a card over the page that asks before it shows. Six stops on the run on screen.

import { el, find, refill } from "../core/dom.js";
import { say, said } from "../language/i18n.js";
import { pixels } from "../language/numbers.js";
import { LETTERS } from "../state/selection.js";
import { STOPS, hereOf, verdict } from "./stops.js";

/** @import { Here, Stop, TourAnswer } from "./stops.js" */
/** @import { Context, State } from "../core/types.d.ts" */

const VERDICTS = { right: "That is right.", near: "Close.", off: "Not quite." };

/** @param {Stop} stop @param {number} value */
const shown = (stop, value) => (stop.options ? say(stop.options[value]) : `${pixels(value)}${stop.unit ?? ""}`);

/** @param {Stop} stop @param {(guess: number) => void} onguess */
function guessForm(stop, onguess) {
  const warn = el("p", { class: "tour-warn", "data-part": "tour-warn", role: "alert" });
  const submit = el("button", { type: "submit", class: "tour-look", "data-part": "tour-look", text: say("Look") });
  const options = (stop.options ?? []).map((text, index) => ({
    text,
    input: el("input", { type: "radio", name: "tour-guess", value: index }),
  }));
  const number = el("input", {
    type: "text",
    inputmode: "decimal",
    class: "text-field tour-number",
    "data-part": "tour-number",
    "aria-label": say("Your guess"),
  });
  const field = stop.options
    ? el("fieldset", {}, ...options.map(({ text, input }) => el("label", {}, input, say(text))))
    : number;
  const checked = () => options.find(({ input }) => input.checked)?.input;
  const form = el(
    "form",
    { "data-part": "tour-form", class: `tour-form${stop.options ? " options" : ""}` },
    field,
    submit,
    warn,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = stop.options ? checked()?.value : number.value.replace(/[\s,%]/g, "");
    const guess = text === undefined || text === "" ? NaN : Number(text);
    if (Number.isFinite(guess)) onguess(guess);
    else
      warn.textContent = stop.options ? say("Choose one first, then look.") : say("Write a number first, then look.");
  });
  return form;
}

/** @typedef {{ guess: number, answer: TourAnswer } | { error: string }} Result */

/** @param {Stop} stop @param {Result} result */
function outcome(stop, result) {
  if ("error" in result)
    return [el("p", { class: "tour-warn", "data-part": "tour-warn", role: "alert", text: said(result.error) })];
  const { guess, answer } = result;
  const mark = verdict(stop, guess, answer.value);
  return [
    el(
      "p",
      { class: `tour-verdict ${mark}`, "data-part": "tour-verdict", role: "status" },
      el("b", { text: say(VERDICTS[mark]) }),
    ),
    el(
      "p",
      {},
      say("You said {guess}.", { guess: shown(stop, guess) }),
      " ",
      el("b", { text: say("It is {value}.", { value: shown(stop, answer.value) }) }),
    ),
    el("p", { text: answer.told }),
  ];
}

// Nothing to ask about: the answers are on their way, or they are not what the questions are about.
/** @param {State} state */
function vacant({ runs, busy }) {
  if (busy || LETTERS.some((letter) => !runs[letter]))
    return [el("p", { text: say("The tour needs the example's two answers: one moment.") })];
  return [
    el("p", {
      text: say(
        "The tour asks about one picture, of one model of each family: these answers are about something else.",
      ),
    }),
    el("button", {
      type: "button",
      class: "link",
      text: say("Show the first example"),
      onclick: () => find(".chips .chip")?.click(),
    }),
  ];
}

/** @param {Context} ctx */
export function createTour(ctx) {
  let [at, open] = [0, false];
  /** @type {Record<number, Result>} */
  let results = {};
  const [title, body, foot] = [
    el("b", {}),
    el("div", { class: "tour-body", "data-part": "tour-body" }),
    el("div", { class: "tour-foot", "data-part": "tour-foot" }),
  ];
  /** @type {HTMLElement} */
  const close = el("button", {
    type: "button",
    class: "icon",
    text: "×",
    "aria-label": say("Close the tour"),
    onclick: () => show(false),
  });
  const root = el(
    "aside",
    {
      class: "card tour",
      "data-part": "tour",
      role: "dialog",
      "aria-label": say("Tour"),
      hidden: true,
      tabindex: "-1",
    },
    el("header", {}, title, close),
    body,
    foot,
  );

  /** @param {Here} here @param {number} guess */
  async function guessed(here, guess) {
    const [stop, number] = [STOPS[at], at];
    try {
      const answer = await stop.answer(here);
      results[number] = { guess, answer };
      stop.show(here);
    } catch (error) {
      results[number] = { error: error instanceof Error ? error.message : String(error) };
    }
    draw();
  }

  /** @param {number} to */
  function go(to) {
    at = to;
    draw();
    root.focus({ preventScroll: true });
  }

  /** @type {(words: string, to: number, end?: boolean) => HTMLElement} */
  const step = (words, to, end) =>
    el("button", {
      type: "button",
      class: "link",
      text: say(words),
      disabled: to < 0,
      onclick: () => (end ? show(false) : go(to)),
    });

  /** @param {Here | null} here */
  function drawBody(here) {
    const stop = STOPS[at];
    const done = results[at];
    if (!here) return vacant(ctx.store.state);
    return [
      el("p", { class: "tour-question", text: stop.ask(here) }),
      ...(done ? outcome(stop, done) : [guessForm(stop, (guess) => guessed(here, guess))]),
    ];
  }

  function draw() {
    if (!open) return;
    const here = hereOf(ctx);
    const runs = Object.values(ctx.store.state.selection.run);
    const last = at === STOPS.length - 1;
    title.textContent = say("Tour, {at} of {all}: {name}", {
      at: at + 1,
      all: STOPS.length,
      name: say(STOPS[at].name),
    });
    refill(body, [at, Boolean(here), runs, ctx.store.state.busy, results[at] ?? null], () => drawBody(here));
    refill(foot, [at, Boolean(results[at])], () => [
      step("Back", at - 1),
      el("span", { class: "spring" }),
      step(last ? "End the tour" : results[at] ? "Next" : "Skip", at + 1, last),
    ]);
  }

  /** @param {boolean} on */
  function show(on) {
    open = on;
    root.hidden = !on;
    if (!on) return;
    at = 0;
    results = {};
    draw();
    root.focus({ preventScroll: true });
  }

  root.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") show(false);
  });
  return { root, draw, show };
}
