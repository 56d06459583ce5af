// Where each token sits: ids along the prompt by the paper's rule and by others, the frequencies that read them, and
// what media cost in ids.

import { el, refill, segmented, setText, toggle } from "../../core/dom.js";
import { placeOf } from "../../core/geometry.js";
import { hasAdapter } from "../../core/families.js";
import { say } from "../../core/i18n.js";
import { count } from "../../core/numbers.js";
import { createFrequencies, plainWords } from "./frequencies.js";
import { honestPanel } from "../../drawing/honest.js";
import { createIds, tokenAt } from "./ids.js";
import { Lanes, idsWords, tallest } from "./lanes.js";
import { createPlot3d } from "./plot3d.js";
import { costRows } from "./position_costs.js";
import { reportedCard } from "./published_claims.js";
import { LETTERS, choices, other } from "../../core/selection.js";
import { cellInTime, firstFrameOf } from "../../core/time.js";

export const NAME = "Positions";
export const SITE = "language";
export const CHOICES = { rule: "paper", shown: "picture", of: "B", axis: "one" };

const RULES = [
  ["paper", "the paper", "A media is followed by its largest id plus one: what both models use here"],
  [
    "transformers-5",
    "transformers 5",
    "A media is followed by its start plus its longer side, however long a clip lasts",
  ],
  ["1-D", "1-D, what if", "Every token takes the next id, of media too"],
];

const present = (state) => LETTERS.filter((letter) => state.runs[letter]);

// The ids of each model under the rule that is looked at: the run's own for the paper's, else from the server.
function idsByRule(ctx, state, selection) {
  const { rule } = choices(selection, "positions");
  return Object.fromEntries(
    present(state).map((letter) => {
      const run = state.runs[letter];
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

// --- gestures ---

// A chosen token of the prompt has no word of its own in the other model, so that one's choice is let go.
function choose(ctx, { letter, token }) {
  const { selection, runs } = ctx.store.state;
  const said = token >= runs[letter].answer_start;
  const query = said ? { ...selection.query, [letter]: token } : { [letter]: token, [other(letter)]: null };
  return { model: letter, query, own: { ...selection.own, [letter]: true } };
}

const hoverToken = (ctx, at) => ctx.store.preview(at && at.token >= 0 ? choose(ctx, at) : null);

function pickToken(ctx, at) {
  if (at.token < 0) return;
  const { selection } = ctx.store.state;
  const again = !at.walking && selection.query[at.letter] === at.token && selection.model === at.letter;
  ctx.store.select(again ? { query: { ...selection.query, [at.letter]: null } } : choose(ctx, at));
}

// The token of a Qwen-VL run whose query is coded at the place of the other model's visual token; null where none is.
function codedAtTheSamePlace(state, selection, letter) {
  const [run, far] = [state.runs[letter], state.runs[other(letter)]];
  const token = selection.query[other(letter)];
  if (!run || !far || !hasAdapter(run) || hasAdapter(far) || token === null) return null;
  const [cell, index] = [far.tokens.cell[token], far.tokens.media[token]];
  const [media, farMedia] = [run.media[index], far.media[index]];
  if (!cell || !media || farMedia.token_grid[0] !== media.token_grid[0]) return null;
  const [x, y] = placeOf(cell[1], cell[2], farMedia.token_grid);
  const at = tokenAt(run, media, [cell[0], Math.floor(y * media.token_grid[1]), Math.floor(x * media.token_grid[2])]);
  return at < 0 ? null : at;
}

const cursorsOf = (state, selection) =>
  Object.fromEntries(
    present(state).map((letter) => [
      letter,
      { query: selection.query[letter], key: codedAtTheSamePlace(state, selection, letter) },
    ]),
  );

// --- what the rule does ---

function ruleWords({ run, positions, overtaken, rule }, letter) {
  const prompt = run.answer_start;
  const start = Math.max(...positions.map((lane) => lane[prompt] ?? tallest([lane.slice(0, prompt)]) + 1));
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
  return `${decoding} ${overlapWords(positions, overtaken)}`;
}

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

// --- cards ---

function titled(title, right) {
  return el("div", { class: "title-line" }, el("h3", { text: title }), right);
}

// Ids on the picture, or every token in space.
function placesCard(ctx) {
  const letter = () => choices(ctx.store.state.selection, "positions").of;
  const pick = (token) => token >= 0 && pickToken(ctx, { letter: shown, token });
  const hover = (token) => hoverToken(ctx, token === null ? null : { letter: shown, token });
  let shown = letter();
  const [ids, plot] = [
    createIds({ onhover: hover, onpick: pick }),
    createPlot3d(ctx, { onhover: hover, onpick: pick }),
  ];
  const change = (patch) => ctx.actions.choose("positions", patch);
  const how = segmented(
    say("Ids"),
    [
      ["picture", say("on the picture")],
      ["space", say("in space")],
    ],
    (value) => change({ shown: value }),
  );
  const whose = segmented(
    say("Model"),
    LETTERS.map((each) => [each, each]),
    (value) => change({ of: value }),
  );
  const note = el("p", { class: "faint" });
  const root = el(
    "section",
    { class: "card ids-card" },
    titled(say("Ids"), el("span", { class: "two-choices" }, how, whose)),
    ids.root,
    plot.root,
    note,
  );
  return {
    root,
    update(state, selection, byRule) {
      const wanted = choices(selection, "positions");
      shown = byRule[wanted.of] ? wanted.of : Object.keys(byRule)[0];
      const run = state.runs[shown];
      const media = run.media[selection.media];
      const space = wanted.shown === "space" || !media;
      const token = selection.query[shown];
      const cell = token !== null && run.tokens.media[token] === selection.media ? run.tokens.cell[token] : null;
      const frame = cell ? cell[0] : cellInTime(state, selection, shown);
      how.choose(space ? "space" : "picture");
      whose.choose(shown);
      [ids.root.hidden, plot.root.hidden] = [space, !space];
      setText(
        note,
        space && byRule[shown].rule !== "paper" ? say("In space the ids are those that the model used.") : "",
      );
      if (space) plot.update(run, state.selection.query[shown]);
      else
        ids.update({
          shown: byRule[shown],
          media,
          token,
          frame,
          image: ctx.picture("picture", run.id, selection.media, firstFrameOf(media, frame)),
          width: Math.max(120, root.clientWidth - 30),
        });
    },
  };
}

function frequenciesCard() {
  const words = el("p", {});
  let [plain, told] = ["", null];
  const tell = (sentence) => {
    told = sentence;
    setText(words, told ?? plain);
  };
  const charts = Object.fromEntries(LETTERS.map((letter) => [letter, createFrequencies(tell)]));
  const root = el(
    "section",
    { class: "card frequencies-card" },
    titled(say("Which frequencies read which id"), null),
    charts.B.root,
    charts.A.root,
    words,
  );
  return {
    root,
    update(state, facts) {
      const most = Math.max(...Object.values(facts).map(({ frequencies }) => Math.max(...frequencies.wavelengths)));
      LETTERS.forEach((letter) => {
        charts[letter].root.hidden = !facts[letter];
        if (!facts[letter]) return;
        const largest = state.runs[letter].account.largest_position;
        charts[letter].update(letter, facts[letter].frequencies, {
          width: Math.max(120, root.clientWidth - 30),
          most,
          largest,
        });
      });
      const each = Object.keys(facts).map((letter) => `${letter}: ${plainWords(facts[letter].frequencies)}`);
      plain = [say("Height: wavelength in ids, logarithmic."), ...each.reverse()].join(" ");
      if (told === null) tell(null);
    },
  };
}

function budgetCard() {
  const [bars, words] = [el("div", { class: "budget-rows" }), el("p", {})];
  const swatch = (name) => el("i", { class: `swatch ${name}` });
  const legend = el("span", {}, swatch("tokens"), say("tokens"), " ", swatch("ids"), say("ids spent"));
  const root = el("section", { class: "card budget-card" }, titled(say("Position budget"), legend), bars, words);
  return {
    root,
    update(state, facts) {
      const letters = Object.keys(facts);
      const stamp = letters.map((letter) => state.runs[letter].id);
      refill(bars, stamp, () => costRows(facts, state.runs, letters));
      setText(words, budgetWords(state, facts, letters));
    },
  };
}

function budgetWords(state, facts, letters) {
  const letter = letters.find((each) => !hasAdapter(state.runs[each]));
  const limits = say("Other media at the published pixel limits.");
  if (!letter) return `${say("An id a token: a picture costs as many of either.")} ${limits}`;
  const { tokens, ids } = facts[letter].others["4K page"];
  const values = { letter, tokens: count(tokens), ids: count(ids), context: count(state.runs[letter].account.context) };
  return `${say("4K page in {letter}: {tokens} tokens in {ids} ids, of {context}.", values)} ${limits}`;
}

// The facts that do not depend on the rule, of every run that has them by now.
function factsOf(ctx, state) {
  const asked = present(state).map((letter) => {
    const { id } = state.runs[letter];
    return [
      letter,
      ctx.client.resource(`position facts ${letter}`, "position_facts", { run: id }, { group: id }).value,
    ];
  });
  return Object.fromEntries(asked.filter(([, value]) => value));
}

// --- the view ---

function toolRow(ctx, choice) {
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

export function createView(ctx) {
  const lanes = new Lanes({ onhover: (at) => hoverToken(ctx, at), onpick: (at) => pickToken(ctx, at) });
  const rules = el("div", { class: "lane-rules" });
  const lanesCard = el("section", { class: "card lanes-card" }, lanes.root, rules);
  const [places, waves, costs] = [placesCard(ctx), frequenciesCard(), budgetCard()];
  const choice = ctx.mediaChoice();
  const [panel, tools] = [honestPanel(), toolRow(ctx, choice)];
  const cards = el("div", { class: "triple position-cards" }, places.root, waves.root, costs.root);
  const reported = reportedCard();
  costs.root.append(reported.opener);
  const root = el("div", { class: "view view-positions" }, tools.root, lanesCard, cards, reported.root, panel.root);
  return {
    root,
    stages: {},
    update(state, selection) {
      choice.update(state, selection);
      const byRule = idsByRule(ctx, state, selection);
      const letters = Object.keys(byRule);
      toggle(root, "none", !letters.length);
      if (!letters.length) return;
      const { rule, axis } = choices(selection, "positions");
      const own = axis === "own";
      tools.rule.choose(rule);
      tools.axes.choose(axis);
      panel.update(honest(rule, own));
      lanes.update(byRule, cursorsOf(state, selection), { lead: selection.model, own });
      refill(
        rules,
        letters.map((letter) => [state.runs[letter].id, byRule[letter].rule]),
        () => letters.map((letter) => el("p", { "data-letter": letter, text: ruleWords(byRule[letter], letter) })),
      );
      places.update(state, selection, byRule);
      const facts = factsOf(ctx, state);
      if (!Object.keys(facts).length) return;
      waves.update(state, facts);
      costs.update(state, facts);
      reported.update(Object.values(facts)[0].reported);
    },
  };
}

// What the status line says of this view.
export function status(ctx, state, selection) {
  const byRule = idsByRule(ctx, state, selection);
  const letters = Object.keys(byRule);
  const chosen = letters.filter((letter) => selection.query[letter] !== null);
  const parts = chosen.map((letter) => {
    const { run, positions } = byRule[letter];
    const token = selection.query[letter];
    const cell = run.tokens.cell[token];
    const values = {
      token: count(token),
      ids: idsWords(
        run,
        positions.map((lane) => lane[token]),
      ),
    };
    if (!cell || hasAdapter(run)) return ["", letter, ` ${say("token {token} is {ids}", values)}`];
    return [
      "",
      letter,
      ` ${say("token {token}, picture cell ({row}, {column}), is {ids}", { ...values, row: cell[1], column: cell[2] })}`,
    ];
  });
  const coded = letters
    .map((letter) => [letter, codedAtTheSamePlace(state, selection, letter)])
    .filter(([, token]) => token !== null);
  const keys = coded.map(([letter, token]) => [
    "",
    letter,
    ` ${say("coded at the same place: token {token}, {ids}", {
      token: count(token),
      ids: idsWords(
        byRule[letter].run,
        byRule[letter].positions.map((lane) => lane[token]),
      ),
    })}`,
  ]);
  if (parts.length) return [[say("a token and its ids")], ...parts, ...keys];
  const largest = letters.map((letter) => {
    const { run, positions } = byRule[letter];
    const values = {
      tokens: count(run.answer_start),
      largest: count(tallest(positions.map((lane) => lane.slice(0, run.answer_start)))),
    };
    return ["", letter, ` ${say("{tokens} prompt tokens, largest id {largest}", values)}`];
  });
  return [[say("the ids of the prompt")], ...largest];
}
