// The tour: a card over the page that asks before it shows. Six stops on the run on screen.

import { el, find, refill } from "../core/dom.js";
import { say, said } from "../language/i18n.js";
import { pixels } from "../language/numbers.js";
import { LETTERS } from "../state/selection.js";
import { STOPS, canTour, verdict } from "./stops.js";

/** @import { Context } from "../core/types.d.ts" */

const VERDICTS = { right: "That is right.", near: "Close.", off: "Not quite." };

const shown = (stop, value) => (stop.options ? say(stop.options[value]) : `${pixels(value)}${stop.unit ?? ""}`);

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

function outcome(stop, { guess, answer, error }) {
  if (error) return [el("p", { class: "tour-warn", "data-part": "tour-warn", role: "alert", text: said(error) })];
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
    el("p", { text: stop.told(answer) }),
  ];
}

// Nothing to ask about: the answers are on their way, or they are not what the questions are about.
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
  let [at, results, open] = [0, {}, false];
  const [title, body, foot] = [
    el("b", {}),
    el("div", { class: "tour-body", "data-part": "tour-body" }),
    el("div", { class: "tour-foot", "data-part": "tour-foot" }),
  ];
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

  async function guessed(guess) {
    const [stop, here] = [STOPS[at], at];
    try {
      const answer = await stop.answer(ctx);
      results[here] = { guess, answer };
      stop.show(ctx);
    } catch (error) {
      results[here] = { error: error instanceof Error ? error.message : String(error) };
    }
    draw();
  }

  function go(to) {
    at = to;
    draw();
    root.focus({ preventScroll: true });
  }

  const step = (words, to, end) =>
    el("button", {
      type: "button",
      class: "link",
      text: say(words),
      disabled: to < 0,
      onclick: () => (end ? show(false) : go(to)),
    });

  function drawBody(ready) {
    const stop = STOPS[at];
    const done = results[at];
    if (!ready) return vacant(ctx.store.state);
    return [
      el("p", { class: "tour-question", text: stop.ask(ctx) }),
      ...(done ? outcome(stop, done) : [guessForm(stop, guessed)]),
    ];
  }

  function draw() {
    if (!open) return;
    const ready = canTour(ctx.store.state);
    const runs = Object.values(ctx.store.state.selection.run);
    const last = at === STOPS.length - 1;
    title.textContent = say("Tour, {at} of {all}: {name}", {
      at: at + 1,
      all: STOPS.length,
      name: say(STOPS[at].name),
    });
    refill(body, [at, ready, runs, ctx.store.state.busy, results[at] ?? null], () => drawBody(ready));
    refill(foot, [at, Boolean(results[at])], () => [
      step("Back", at - 1),
      el("span", { class: "spring" }),
      step(last ? "End the tour" : results[at] ? "Next" : "Skip", at + 1, last),
    ]);
  }

  function show(on) {
    open = on;
    root.hidden = !on;
    if (!on) return;
    [at, results] = [0, {}];
    draw();
    root.focus({ preventScroll: true });
  }

  root.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") show(false);
  });
  return { root, draw, show };
}
