// The Planner's part of the rail: which published models, and what is assumed of the words.

import { el, refill, setText } from "../dom.js";
import { say } from "../i18n.js";
import { parameters } from "../numbers.js";
import { changed, chosenModels, onChange, openPlanner, planner, setting } from "./state.js";
import { fullName } from "./words.js";

function modelRow(name, size) {
  const box = el("input", { type: "checkbox", id: `plan-model-${name}` });
  box.checked = !planner.off.has(name);
  box.addEventListener("change", () => {
    if (box.checked) planner.off.delete(name);
    else planner.off.add(name);
    changed();
  });
  return el("label", { class: "plan-model" }, box, el("span", { text: fullName(name) }), el("span", { class: "faint", text: parameters(size) }));
}

function numberRow(id, label, name) {
  const box = el("input", { type: "text", inputmode: "numeric", id });
  box.addEventListener("change", () => {
    const value = Number(box.value.replace(/[^0-9]/g, ""));
    setting({ [name]: Math.min(100_000, value) });
    box.value = String(planner.settings[name]);
  });
  const root = el("div", { class: "plan-assumed" }, el("label", { for: id, text: label }), box, el("span", { text: say("tokens") }));
  return { root, update: () => document.activeElement !== box && (box.value = String(planner.settings[name])) };
}

export function mount(element, { props, watch, signal }) {
  const tally = el("span");
  const list = el("div", { class: "plan-list" });
  const [text, answer] = [numberRow("plan-text", say("Question"), "text"), numberRow("plan-answer", say("Answer"), "answer")];
  const fixed = (label, value) => el("div", { class: "plan-assumed" }, el("span", { text: label }), el("span", { text: value }));
  const back = el("button", { type: "button", class: "plan-back", text: say("Back to the answers"), onclick: () => openPlanner(false) });
  const assumed = el("div", { class: "plan-list" }, text.root, answer.root, fixed(say("Weights"), "bf16"), fixed(say("Batch"), "1"));
  element.replaceChildren(
    el("div", { class: "plan-rail" }, el("div", { class: "title-line" }, el("h3", { text: say("Published models") }), tally), list, el("div", { class: "title-line" }, el("h3", { text: say("Assumed") })), assumed, back),
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
