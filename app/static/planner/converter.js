// Coordinates from one space to the others: pixels of the original, pixels the model sees, and thousandths.

import { el, refill, setText } from "../core/dom.js";
import { said, say } from "../language/i18n.js";
import { times } from "../language/numbers.js";
import { limitsAsked, planner, set, shownFile } from "./state.js";
import { isRefused } from "./table.js";
import { fullName } from "./words.js";

/** @import { Answer, Client } from "../core/types.d.ts" */
/** @import { ChosenRow } from "./table.js" */

/** @typedef {"original" | "resized" | "thousandths"} Space */

/** @type {Space[]} */
const SPACES = ["original", "resized", "thousandths"];

const names = () => ({
  original: say("pixels of the original"),
  resized: say("pixels of the resized picture"),
  thousandths: say("thousandths, 0 to 1,000"),
});

// Numbers however they are written: 10, 20, (30,40), [1 2 3 4]; null where they are no pairs.
/** @param {string} text */
function readNumbers(text) {
  const found = text.match(/-?\d+(\.\d+)?/g)?.map(Number) ?? [];
  return found.length && found.length % 2 === 0 && found.length <= 8 ? found : null;
}

/** @param {number} value */
const shortened = (value) => Number(value.toFixed(2)).toLocaleString("en-US", { useGrouping: false });

/** @type {Record<string, () => { min_pixels: number | null, max_pixels: number | null }>} */
const LIMITS = {
  files: () => ({ min_pixels: null, max_pixels: null }),
  class: () => ({ min_pixels: null, max_pixels: 1_003_520 }),
  one: () => ({ min_pixels: null, max_pixels: null }),
  own: () => limitsAsked(),
};

/** @param {Client} client */
export function createConverter(client) {
  const typed = { text: "", space: "thousandths" };
  const box = el("input", {
    type: "text",
    class: "text-field",
    id: "plan-numbers",
    spellcheck: "false",
    autocomplete: "off",
    placeholder: "(120,310),(480,905)",
  });
  const choice = el("select", { class: "text-field", id: "plan-space", "aria-label": say("What these numbers are") });
  choice.append(...SPACES.map((space) => el("option", { value: space, text: names()[space] })));
  [box.value, choice.value] = [typed.text, typed.space];
  const result = el("dl", { class: "plan-steps plan-places", "data-part": "plan-places", "aria-live": "polite" });
  const title = el("h3");
  const told = el("p", { class: "faint" });
  const fields = el(
    "div",
    { class: "plan-convert" },
    el("label", { for: "plan-numbers", text: say("Point or box") }),
    box,
    choice,
  );
  const root = el("section", { class: "card plan-converter" }, title, fields, result, told);
  const changed = () => {
    Object.assign(typed, { text: box.value, space: choice.value });
    set({ box: null });
  };
  box.addEventListener("input", changed);
  choice.addEventListener("change", changed);

  /** @param {Answer<"planner_convert">} answer @param {{ size: string, resized: string }} sizes */
  function show(answer, sizes) {
    refill(result, [answer, typed.space], () =>
      SPACES.map((space) =>
        el("div", {}, el("dt", { text: names()[space] }), el("dd", { text: answer[space].map(shortened).join(", ") })),
      ).concat(
        el(
          "div",
          {},
          el("dt", { text: say("as a model writes it") }),
          el("dd", { class: "mono", text: written(answer.written) }),
        ),
      ),
    );
    setText(
      told,
      say("The original is {size} and this model sees {resized}. A resize changes pixels, never thousandths.", sizes),
    );
  }

  return {
    root,
    update(/** @type {ChosenRow | null} */ chosen) {
      const file = planner.files[shownFile()];
      root.hidden = !file || !chosen || isRefused(chosen.row);
      if (!chosen || root.hidden) return;
      setText(title, say("Coordinates for {name}", { name: fullName(chosen.row.model) }));
      const numbers = readNumbers(typed.text);
      if (!numbers) {
        refill(result, "none", () => []);
        setText(told, say("Write two numbers for a point or four for a box."));
        return;
      }
      const { fps, nframes } = planner.settings;
      const asked = {
        file: file.id,
        model: chosen.row.model,
        numbers,
        space: typed.space,
        ...LIMITS[chosen.group.key](),
      };
      const { value, error } = client.resource("planner convert", "planner_convert", {
        ...asked,
        fps: nframes ? null : fps,
        nframes,
      });
      if (error) setText(told, said(error));
      if (!value) return;
      show(value, { size: times(...value.size), resized: times(...value.sees) });
      const fractions = value.thousandths.slice(0, 4).map((edge) => edge / 1000);
      if (JSON.stringify(fractions) !== JSON.stringify(planner.box)) set({ box: fractions });
    },
  };
}

/** @param {number[]} numbers */
const written = (numbers) => {
  const pairs = [];
  for (let at = 0; at < numbers.length; at += 2) pairs.push(`(${numbers[at]},${numbers[at + 1]})`);
  return pairs.join(",");
};
