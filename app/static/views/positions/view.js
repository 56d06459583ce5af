// Where each token sits: ids along the prompt by the paper's rule and by others, the frequencies that read them, and
// what media cost in ids.

import { el, refill, segmented, toggle } from "../../core/dom.js";
import { hasAdapter } from "../../core/families.js";
import { say } from "../../language/i18n.js";
import { count } from "../../language/numbers.js";
import { LETTERS, choices } from "../../state/selection.js";
import { honestPanel } from "../../drawing/honest.js";
import { budgetCard, frequenciesCard, placesCard } from "./cards.js";
import { codedAtTheSamePlace, cursorsOf, hoverToken, pickToken, present } from "./choosing.js";
import { Lanes, idsWords, tallest } from "./lanes.js";
import { reportedCard } from "./published_claims.js";

/** @import { ByRule, Known, Ruled } from "./choosing.js" */
/**
 * @import {
 *   Context, HonestItems, Letter, Part, Selection, State, StatusParts, ViewDrawing
 * } from "../../core/types.d.ts"
 */

export const NAME = "Positions";

export const SITE = "language";

export const CHOICES = { rule: "paper", shown: "picture", of: "B", axis: "one" };

/** @type {[value: string, text: string, title: string][]} */
const RULES = [
  ["paper", "the paper", "A media is followed by its largest id plus one: what both models use here"],
  [
    "transformers-5",
    "transformers 5",
    "A media is followed by its start plus its longer side, however long a clip lasts",
  ],
  ["1-D", "1-D, what if", "Every token takes the next id, of media too"],
];

// The ids of each model under the rule that is looked at: the run's own for the paper's, else from the server.
/** @param {Context} ctx @param {State} state @param {Selection} selection @returns {ByRule} */
function idsByRule(ctx, state, selection) {
  const { rule } = choices(selection, "positions");
  return Object.fromEntries(
    present(state).map(({ letter, run }) => {
      const own = { run, positions: run.positions, overtaken: null, rule: "paper" };
      if (rule === "paper" || hasAdapter(run)) return [letter, own];
      const answer = ctx.client.resource(
        `ids ${letter}`,
        "positions_by",
        { run: run.id, rule },
        { group: run.id },
      ).value;
      return [
        letter,
        answer?.rule === rule ? { run, positions: answer.positions, overtaken: answer.overtaken, rule } : own,
      ];
    }),
  );
}

/** @param {Ruled} ruled @param {Letter} letter */
function ruleWords({ run, positions, overtaken, rule }, letter) {
  const prompt = run.answer_start;
  const after = (/** @type {number[]} */ lane) =>
    rule === "transformers-5" ? lane[prompt - 1] + 1 : tallest([lane.slice(0, prompt)]) + 1;
  const start = Math.max(...positions.map((lane) => lane[prompt] ?? after(lane)));
  const offset = start - prompt;
  const values = {
    letter,
    prompt: count(prompt),
    start: count(start),
    offset: `${offset < 0 ? "−" : "+"} ${count(Math.abs(offset))}`,
  };
  if (hasAdapter(run)) return say("{letter}: an id is the token's own index, in the answer too.", values);
  const decoding = say(
    "{letter}: the answer begins at id {start}: each of its ids is the token's index {offset} (decoding offset).",
    values,
  );
  if (rule === "1-D") return `${decoding} ${say("No model was trained so: what if.")}`;
  if (rule !== "transformers-5") return decoding;
  const numbered = say(
    "Its answer is drawn as generate() numbers it, from the last prompt token's id plus one; a loop of your own around its forward pass goes on from the largest id.",
  );
  return `${decoding} ${numbered} ${overlapWords(positions, overtaken ?? [])}`;
}

/** @param {number[][]} positions @param {number[][][]} overtaken */
function overlapWords(positions, overtaken) {
  const spans = overtaken.flatMap((found, at) => found.map(([from, to]) => [from, to, at]));
  if (!spans.length)
    return say(
      "The two rules agree here: no clip of this question has more pairs of frames than its longer side has tokens.",
    );
  const tokens = new Set(spans.flatMap(([from, to]) => Array.from({ length: to - from }, (_, step) => from + step)));
  const [[from, , at]] = spans;
  const earlier = positions[at].slice(0, from).reduce((a, b) => Math.max(a, b), 0);
  const values = {
    tokens: count(tokens.size),
    id: count(positions[at][from]),
    reached: count(earlier),
    axis: ["t", "h", "w"][at],
  };
  return say(
    "{tokens} tokens (red) stand before a part of the clip they follow: {axis} had reached {reached} when it went on from {id}.",
    values,
  );
}

// The facts that do not depend on the rule, of every run that has them by now.
/** @param {Context} ctx @param {State} state @returns {Known[]} */
function factsOf(ctx, state) {
  const asked = present(state).map(({ letter, run }) => {
    const { id } = run;
    const facts = ctx.client.resource(`position facts ${letter}`, "position_facts", { run: id }, { group: id }).value;
    return facts ? { letter, run, facts } : null;
  });
  return asked.filter((one) => one !== null);
}

/** @param {Context} ctx @param {Part} choice */
function toolRow(ctx, choice) {
  /** @param {string} name @param {string} words */
  const key = (name, words) => el("span", { class: "bar-key" }, el("i", { class: `part-${name}` }), words);
  const rule = segmented(
    say("Ids by"),
    RULES.map(([value, words, title]) => [value, say(words), say(title)]),
    (value) => ctx.actions.choose("positions", { rule: value }),
  );
  const axes = segmented(
    say("Token axis"),
    [
      ["one", say("one axis")],
      ["own", say("own axes")],
    ],
    (value) => ctx.actions.choose("positions", { axis: value }),
  );
  const keys = [key("template", say("text")), key("image", say("picture")), key("answer", say("answer"))];
  const root = el(
    "div",
    { class: "tools" },
    ...keys,
    choice.root,
    el("span", { class: "spring" }),
    axes,
    el("span", { class: "two-choices" }, say("Ids by"), rule),
  );
  return { root, rule, axes };
}

/**
 * @param {string} rule
 * @param {boolean} own
 * @returns {HonestItems}
 */
function honest(rule, own) {
  const plotted =
    rule === "paper"
      ? say("The ids that the models used in this run, read from the position tap, one column a token.")
      : say("The ids that this rule would give the same tokens. The run itself used the paper's.");
  const scale = own
    ? say("Neither widths nor heights compare. Budget and wavelengths are logarithmic.")
    : say("Widths compare; heights are each model's own. Budget and wavelengths are logarithmic.");
  return [
    [say("Plotted"), plotted],
    [say("Scale"), scale],
    [say("Not shown"), say("What a model makes of an id: rotary embedding sees only the differences between ids.")],
  ];
}

/**
 * @param {Context} ctx
 * @returns {ViewDrawing}
 */
export function createView(ctx) {
  const lanes = new Lanes({ onhover: (at) => hoverToken(ctx, at), onpick: (at) => pickToken(ctx, at) });
  const rules = el("div", { class: "lane-rules", "data-part": "lane-rules" });
  const lanesCard = el("section", { class: "card lanes-card" }, lanes.root, rules);
  const [places, waves, costs] = [placesCard(ctx), frequenciesCard(), budgetCard()];
  const choice = ctx.mediaChoice();
  const [panel, tools] = [honestPanel(), toolRow(ctx, choice)];
  const cards = el("div", { class: "triple position-cards" }, places.root, waves.root, costs.root);
  const reported = reportedCard();
  costs.root.append(reported.opener);
  const root = el(
    "div",
    { class: "view view-positions", "data-part": "view" },
    tools.root,
    lanesCard,
    cards,
    reported.root,
    panel.root,
  );
  return {
    root,
    stages: {},
    update(state, selection) {
      choice.update(state, selection);
      const byRule = idsByRule(ctx, state, selection);
      const ruled = ruledOf(byRule);
      toggle(root, "none", !ruled.length);
      if (!ruled.length) return;
      const { rule, axis } = choices(selection, "positions");
      const own = axis === "own";
      tools.rule.choose(rule);
      tools.axes.choose(axis);
      panel.update(honest(rule, own));
      lanes.update(byRule, cursorsOf(state, selection), { lead: selection.model, own });
      refill(
        rules,
        ruled.map(({ one }) => [one.run.id, one.rule]),
        () => ruled.map(({ letter, one }) => el("p", { "data-letter": letter, text: ruleWords(one, letter) })),
      );
      places.update(state, selection, byRule);
      const known = factsOf(ctx, state);
      if (!known.length) return;
      waves.update(known);
      costs.update(known);
      reported.update(known[0].facts.reported);
    },
  };
}

/** @param {ByRule} byRule */
const ruledOf = (byRule) =>
  LETTERS.flatMap((letter) => {
    const one = byRule[letter];
    return one ? [{ letter, one }] : [];
  });

// What the status line says of this view.
/** @param {Context} ctx @param {State} state @param {Selection} selection @returns {StatusParts} */
export function status(ctx, state, selection) {
  const ruled = ruledOf(idsByRule(ctx, state, selection));
  const parts = ruled.flatMap(({ letter, one: { run, positions } }) => {
    const token = selection.query[letter];
    if (token === null) return [];
    const cell = run.tokens.cell[token];
    const values = {
      token: count(token),
      ids: idsWords(
        run,
        positions.map((lane) => lane[token]),
      ),
    };
    const words =
      !cell || hasAdapter(run)
        ? say("token {token} is {ids}", values)
        : say("token {token}, picture cell ({row}, {column}), is {ids}", { ...values, row: cell[1], column: cell[2] });
    return [["", letter, ` ${words}`]];
  });
  const keys = ruled.flatMap(({ letter, one: { run, positions } }) => {
    const token = codedAtTheSamePlace(state, selection, letter);
    if (token === null) return [];
    const ids = idsWords(
      run,
      positions.map((lane) => lane[token]),
    );
    const words = say("coded at the same place: token {token}, {ids}", { token: count(token), ids });
    return [["", letter, ` ${words}`]];
  });
  if (parts.length) return [[say("a token and its ids")], ...parts, ...keys];
  const largest = ruled.map(({ letter, one: { run, positions } }) => {
    const values = {
      tokens: count(run.answer_start),
      largest: count(tallest(positions.map((lane) => lane.slice(0, run.answer_start)))),
    };
    return ["", letter, ` ${say("{tokens} prompt tokens, largest id {largest}", values)}`];
  });
  return [[say("the ids of the prompt")], ...largest];
}
