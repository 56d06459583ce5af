// The controls of Causes: how a place is chosen, what is done with it, and where it is hidden from.

import { el, refill, segmented, setText } from "../../core/dom.js";
import { hasAdapter } from "../../core/families.js";
import { say } from "../../language/i18n.js";
import { EDGES, NO_RECTANGLE } from "../../core/rectangle.js";
import { edgeFields } from "../../drawing/region.js";
import { LETTERS, choices } from "../../state/selection.js";
import { chosenLabel } from "../../state/words.js";

/**
 * @import {
 *   CausesChoices, Context, Letter, Run, Selection, State,
 * } from "../../core/types.d.ts"
 */
/** @import { Work } from "./work.js" */

// First and last layer to hide in, within the run's own.
/** @param {Run} run @param {CausesChoices} chosen @param {Letter} letter @returns {number[]} */
export function layersOf(run, chosen, letter) {
  const last = run.sites.language.layers - 1;
  /** @param {unknown} value @param {number} otherwise */
  const within = (value, otherwise) =>
    typeof value === "number" && Number.isInteger(value) ? Math.min(last, Math.max(0, value)) : otherwise;
  const [from, to] = [within(chosen[`from_${letter}`], 0), within(chosen[`to_${letter}`], last)];
  return [Math.min(from, to), Math.max(from, to)];
}

/** @param {Letter} letter @param {Work} work */
function layerChoice(letter, work) {
  /** @param {"from" | "to"} end */
  const pick = (end) => {
    const node = el("select", {
      class: "text-field",
      "aria-label":
        end === "from" ? say("first layer of {letter}", { letter }) : say("last layer of {letter}", { letter }),
      onchange: ({ currentTarget }) => work.choose({ [`${end}_${letter}`]: Number(currentTarget.value) }),
    });
    return node;
  };
  const [from, to] = [pick("from"), pick("to")];
  const root = el(
    "span",
    { class: "layer-choice", "data-part": "layer-choice", "data-letter": letter },
    say("{letter} layers", { letter }),
    from,
    say("to"),
    to,
  );
  return {
    root,
    /** @param {Run | null} run @param {CausesChoices} chosen */
    update(run, chosen) {
      root.hidden = !run || (hasAdapter(run) && chosen.through === "adapter");
      if (!run || root.hidden) return;
      const ends = layersOf(run, chosen, letter);
      const options = () =>
        [...Array(run.sites.language.layers).keys()].map((layer) => el("option", { value: layer, text: layer }));
      [from, to].forEach((node, at) => {
        refill(node, [run.sites.language.layers], options);
        node.value = String(ends[at]);
      });
    },
  };
}

/**
 * @param {string} label
 * @param {[value: string, text: string, title?: string][]} options
 * @param {keyof CausesChoices} name
 * @param {Work} work
 */
const choice = (label, options, name, work) => segmented(label, options, (value) => work.choose({ [name]: value }));

/** @param {Context} ctx @param {Work} work */
function parts(ctx, work) {
  const fields = edgeFields(say("Thousandths"), [say("left"), say("top"), say("right"), say("bottom")], (patch) =>
    work.choose({ shape: "box", ...patch }),
  );
  return {
    word: el("b", { class: "pen-word" }),
    tool: choice(
      say("Tool"),
      [
        ["paint", say("Paint over")],
        ["block", say("Hide from attention")],
      ],
      "tool",
      work,
    ),
    shape: choice(
      say("Place"),
      [
        ["box", say("Rectangle")],
        ["brush", say("Brush"), say("Drag, or move the cell with the arrows and press Enter to paint or to wipe it")],
        ["half", say("Half of the map"), say("The fewest cells that hold half of the map chosen in Answer")],
      ],
      "shape",
      work,
    ),
    clear: el("button", {
      type: "button",
      class: "text-button",
      "data-part": "text-button",
      text: say("Clear"),
      onclick: () =>
        ctx.actions.choose("causes", {
          ...NO_RECTANGLE,
          strokes: "none",
          shape:
            choices(ctx.store.state.selection, "causes").shape === "half"
              ? "box"
              : choices(ctx.store.state.selection, "causes").shape,
        }),
    }),
    fields,
    fill: choice(
      say("Fill"),
      [
        ["mean", say("Mean colour")],
        ["black", say("Black")],
        ["blurred", say("Blurred")],
      ],
      "fill",
      work,
    ),
    rows: choice(
      say("Rows"),
      [
        ["answer", say("From the answer's rows")],
        ["text", say("From all later text")],
      ],
      "rows",
      work,
    ),
    through: choice(
      say("Qwen-VL"),
      [
        [
          "adapter",
          say("Qwen-VL: patches, from its adapter"),
          say("An adapter query is no place, so the patches are hidden from all of them"),
        ],
        [
          "queries",
          say("queries that read them"),
          say("The fewest adapter queries that hold half of all reading of these patches, hidden from the rows"),
        ],
      ],
      "through",
      work,
    ),
    beneath: segmented(
      say("Beneath"),
      [
        ["true", say("Map beneath")],
        ["false", say("Picture alone")],
      ],
      (value) => ctx.actions.choose("causes", { beneath: value === "true" }),
    ),
    media: ctx.mediaChoice(),
    layers: LETTERS.map((letter) => layerChoice(letter, work)),
  };
}

/** @param {Context} ctx @param {Work} work */
export function createControls(ctx, work) {
  const all = parts(ctx, work);
  const pen = el(
    "span",
    { class: "causes-word" },
    el("i", { class: "pen pen-query" }),
    say("word in question"),
    " ",
    all.word,
  );
  const first = el(
    "div",
    { class: "tools" },
    all.tool,
    all.shape,
    all.fields.root,
    all.clear,
    el("span", { class: "spring" }),
    all.media.root,
    all.beneath,
  );
  const second = el(
    "div",
    { class: "tools causes-options" },
    pen,
    el("span", { class: "spring" }),
    all.fill,
    all.through,
    all.rows,
    ...all.layers.map((one) => one.root),
  );
  return {
    rows: [first, second],
    /** @param {State} state @param {Selection} selection */
    update(state, selection) {
      const chosen = choices(selection, "causes");
      const run = state.runs[state.selection.model];
      setText(all.word, chosenLabel(run, state.selection.query[state.selection.model]) || say("none"));
      const { tool, shape, fill, rows, through } = all;
      tool.choose(chosen.tool);
      shape.choose(chosen.shape);
      fill.choose(chosen.fill);
      rows.choose(chosen.rows);
      through.choose(chosen.through);
      all.beneath.choose(String(chosen.beneath));
      all.media.update(state, selection);
      all.fields.update(chosen);
      all.fields.root.hidden = chosen.shape !== "box";
      all.clear.disabled =
        chosen.shape !== "half" && chosen.strokes === "none" && EDGES.every((name) => chosen[name] === null);
      const runs = LETTERS.map((letter) => state.runs[letter]).filter((one) => one !== null);
      const block = chosen.tool === "block";
      all.fill.hidden = block;
      all.through.hidden = !block || !runs.some(hasAdapter);
      all.rows.hidden = !block || (chosen.through === "adapter" && runs.every(hasAdapter));
      all.layers.forEach((one, at) => {
        one.update(state.runs[LETTERS[at]], chosen);
        one.root.hidden ||= !block;
      });
    },
  };
}
