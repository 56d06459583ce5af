// The cards of the Positions view: ids on the picture, frequencies, the position budget.

import { el, refill, segmented, setText } from "../../core/dom.js";
import { hasAdapter } from "../../core/families.js";
import { say } from "../../language/i18n.js";
import { count } from "../../language/numbers.js";
import { LETTERS, choices } from "../../state/selection.js";
import { cellInTime, firstFrameOf } from "../../state/time.js";
import { hoverToken, pickToken } from "./choosing.js";
import { createFrequencies, plainWords } from "./frequencies.js";
import { createIds } from "./ids.js";
import { createPlot3d } from "./plot3d.js";
import { costRows } from "./position_costs.js";

/** @import { ByRule, Known } from "./choosing.js" */
/** @import { Context, Selection, State, ViewChoices } from "../../core/types.d.ts" */

/** @param {string} title @param {HTMLElement | null} right */
function titled(title, right) {
  return el("div", { class: "title-line", "data-part": "title-line" }, el("h3", { text: title }), right);
}

// Ids on the picture, or every token in space.
/** @param {Context} ctx */
export function placesCard(ctx) {
  const letter = () => choices(ctx.store.state.selection, "positions").of;
  const pick = (/** @type {number} */ token) => token >= 0 && pickToken(ctx, { letter: shown, token });
  const hover = (/** @type {number | null} */ token) =>
    hoverToken(ctx, token === null ? null : { letter: shown, token });
  let shown = letter();
  const [ids, plot] = [
    createIds({ onhover: hover, onpick: pick }),
    createPlot3d(ctx, { onhover: hover, onpick: pick }),
  ];
  const change = (/** @type {Partial<ViewChoices["positions"]>} */ patch) => ctx.actions.choose("positions", patch);
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
    update(/** @type {State} */ state, /** @type {Selection} */ selection, /** @type {ByRule} */ byRule) {
      const wanted = choices(selection, "positions");
      shown = [wanted.of, ...LETTERS].find((each) => byRule[each]) ?? wanted.of;
      const ruled = byRule[shown];
      if (!ruled) return;
      const { run } = ruled;
      const media = run.media[selection.media];
      const space = wanted.shown === "space" || !media;
      const token = selection.query[shown];
      const cell = token !== null && run.tokens.media[token] === selection.media ? run.tokens.cell[token] : null;
      const frame = cell ? cell[0] : cellInTime(state, selection, shown);
      how.choose(space ? "space" : "picture");
      whose.choose(shown);
      [ids.root.hidden, plot.root.hidden] = [space, !space];
      setText(note, space && ruled.rule !== "paper" ? say("In space the ids are those that the model used.") : "");
      if (space) plot.update(run, state.selection.query[shown]);
      else
        ids.update({
          shown: ruled,
          media,
          token,
          frame,
          image: ctx.picture("picture", run.id, selection.media, firstFrameOf(media, frame)),
          width: Math.max(120, root.clientWidth - 30),
        });
    },
  };
}

export function frequenciesCard() {
  const words = el("p", {});
  let plain = "";
  /** @type {string | null} */
  let told = null;
  const tell = (/** @type {string | null} */ sentence) => {
    told = sentence;
    setText(words, told ?? plain);
  };
  const charts = { A: createFrequencies(tell), B: createFrequencies(tell) };
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
    update(/** @type {Known[]} */ known) {
      const most = Math.max(...known.map(({ facts }) => Math.max(...facts.frequencies.wavelengths)));
      LETTERS.forEach((letter) => (charts[letter].root.hidden = !known.some((one) => one.letter === letter)));
      known.forEach(({ letter, run, facts }) =>
        charts[letter].update(letter, facts.frequencies, {
          width: Math.max(120, root.clientWidth - 30),
          most,
          largest: run.account.largest_position,
        }),
      );
      const each = known.map(({ letter, facts }) => `${letter}: ${plainWords(facts.frequencies)}`);
      plain = [say("Height: wavelength in ids, logarithmic."), ...each.reverse()].join(" ");
      if (told === null) tell(null);
    },
  };
}

export function budgetCard() {
  const [bars, words] = [el("div", { class: "budget-rows" }), el("p", {})];
  const swatch = (/** @type {string} */ name) => el("i", { class: `swatch ${name}` });
  const legend = el("span", {}, swatch("tokens"), say("tokens"), " ", swatch("ids"), say("ids spent"));
  const root = el("section", { class: "card budget-card" }, titled(say("Position budget"), legend), bars, words);
  return {
    root,
    update(/** @type {Known[]} */ known) {
      refill(
        bars,
        known.map(({ run }) => run.id),
        () => costRows(known),
      );
      setText(words, budgetWords(known));
    },
  };
}

/** @param {Known[]} known */
function budgetWords(known) {
  const flexible = known.find(({ run }) => !hasAdapter(run));
  const limits = say("Other media at the published pixel limits.");
  if (!flexible) return `${say("An id a token: a picture costs as many of either.")} ${limits}`;
  const { letter, run, facts } = flexible;
  const { tokens, ids } = facts.others["4K page"];
  const values = { letter, tokens: count(tokens), ids: count(ids), context: count(run.account.context) };
  return `${say("4K page in {letter}: {tokens} tokens in {ids} ids, of {context}.", values)} ${limits}`;
}
