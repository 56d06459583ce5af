// The Planner's part of the rail: which published models, and what is assumed of the words.

import { el, refill, setText } from "../core/dom.js";
import { say } from "../language/i18n.js";
import { count, parameters } from "../language/numbers.js";
import { chosenMedia } from "../rail/folders.js";
import { giveFiles } from "../rail/media.js";
import { changed, chosenModels, onChange, openPlanner, planner, setting } from "./state.js";
import { fullName } from "./words.js";

/** @import { Gradio } from "../core/types.d.ts" */

/** @param {string} name @param {number} size */
function modelRow(name, size) {
  const box = el("input", { type: "checkbox", id: `plan-model-${name}` });
  box.checked = !planner.off.has(name);
  box.addEventListener("change", () => {
    if (box.checked) planner.off.delete(name);
    else planner.off.add(name);
    changed();
  });
  return el(
    "label",
    { class: "plan-model" },
    box,
    el("span", { text: fullName(name) }),
    el("span", { class: "faint", text: parameters(size) }),
  );
}

/** @param {string} id @param {string} label @param {"text" | "answer"} name */
function numberRow(id, label, name) {
  const box = el("input", { type: "text", inputmode: "numeric", id });
  box.addEventListener("change", () => {
    const value = Number(box.value.replace(/[^0-9]/g, ""));
    setting({ [name]: Math.min(100_000, value) });
    box.value = String(planner.settings[name]);
  });
  const root = el(
    "div",
    { class: "plan-assumed" },
    el("label", { for: id, text: label }),
    box,
    el("span", { text: say("tokens") }),
  );
  return { root, update: () => document.activeElement !== box && (box.value = String(planner.settings[name])) };
}

// A folder of this machine: its pictures and clips take the place of what stands above, by the same way as files.
function folderRow() {
  const box = el("input", { type: "file", multiple: true, hidden: true, webkitdirectory: "", id: "plan-folder" });
  const told = el("p", { class: "faint", role: "status" });
  const open = el("button", { type: "button", class: "link", text: say("Plan a folder"), onclick: () => box.click() });
  box.addEventListener("change", () => {
    const { taken, left } = chosenMedia(box.files ?? []);
    const words = { n: count(taken.length), left: count(left) };
    if (!taken.length) setText(told, say("This folder holds no pictures or clips."));
    else
      setText(
        told,
        left
          ? say("{n} pictures and clips; {left} other files are left out.", words)
          : say("{n} pictures and clips.", words),
      );
    giveFiles("#replace-media", taken);
    box.value = "";
  });
  return el("div", { class: "plan-folder", "data-part": "plan-folder" }, open, box, told);
}

/** @param {HTMLElement} element @param {Gradio<{ value?: { models: Record<string, number> } | null }>} gradio */
export function mount(element, { props, watch, signal }) {
  const tally = el("span");
  const list = el("div", { class: "plan-list" });
  const [text, answer] = [
    numberRow("plan-text", say("Question"), "text"),
    numberRow("plan-answer", say("Answer"), "answer"),
  ];
  const fixed = (/** @type {string} */ label, /** @type {string} */ value) =>
    el("div", { class: "plan-assumed" }, el("span", { text: label }), el("span", { text: value }));
  const back = el("button", {
    type: "button",
    class: "plan-back",
    text: say("Back to the answers"),
    onclick: () => openPlanner(false),
  });
  const assumed = el(
    "div",
    { class: "plan-list" },
    text.root,
    answer.root,
    fixed(say("Weights"), "bf16"),
    fixed(say("Batch"), "1"),
  );
  element.replaceChildren(
    el(
      "div",
      { class: "plan-rail" },
      folderRow(),
      el("div", { class: "title-line", "data-part": "title-line" }, el("h3", { text: say("Published models") }), tally),
      list,
      el("div", { class: "title-line", "data-part": "title-line" }, el("h3", { text: say("Assumed") })),
      assumed,
      back,
    ),
  );
  const update = () => {
    const sizes = props.value?.models ?? {};
    planner.models = Object.keys(sizes);
    setText(tally, say("{n} of {all}", { n: chosenModels().length, all: planner.models.length }));
    refill(list, sizes, () => Object.entries(sizes).map(([name, size]) => modelRow(name, size)));
    text.update();
    answer.update();
  };
  watch("value", changed);
  onChange(update, signal);
  update();
  changed();
}
