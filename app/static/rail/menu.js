// A button that opens a short list of things to choose from; arrows move, Esc and a click elsewhere close it.

import { el, refill, setText } from "../core/dom.js";

/**
 * What a menu offers: its words, what they do, a picture, and whether it is the chosen one.
 * @typedef {[words: string, act: () => void, thumbnail?: string | null, chosen?: boolean]} Entry
 */

/** @type {Record<string, number>} */
const MOVES = { ArrowDown: 1, ArrowUp: -1 };

/** @param {Entry} entry @param {() => void} close */
function entry([words, act, thumbnail, chosen], close) {
  const pick = () => {
    close();
    act();
  };
  const picture = thumbnail ? el("img", { src: thumbnail, alt: "" }) : null;
  const attributes = { type: "button", role: "menuitem", "aria-current": chosen ? "true" : null, onclick: pick };
  return el("button", attributes, picture, el("span", { text: words }));
}

/** @param {{ name: string, title: string, plain?: boolean }} shape */
export function createMenu({ name, title, plain = false }) {
  const words = el("span", { text: name });
  const list = el("div", { class: "menu-list", role: "menu", hidden: true });
  const button = el(
    "button",
    {
      type: "button",
      class: plain ? "icon" : "chip menu-chip",
      title,
      "aria-haspopup": "menu",
      "aria-expanded": "false",
    },
    words,
    plain ? null : el("i", { "aria-hidden": "true", text: "▾" }),
  );
  if (plain) button.setAttribute("aria-label", title);
  const root = el("div", { class: "menu" }, button, list);
  const open = (/** @type {boolean} */ on) => {
    list.hidden = !on;
    button.setAttribute("aria-expanded", String(on));
  };
  button.addEventListener("click", () => {
    open(list.hidden);
    const first = list.firstElementChild;
    if (!list.hidden && first instanceof HTMLElement) first.focus();
  });
  root.addEventListener("focusout", (event) => {
    if (!(event.relatedTarget instanceof Node && root.contains(event.relatedTarget))) open(false);
  });
  root.addEventListener("keydown", (event) => {
    if (list.hidden || !(MOVES[event.key] || event.key === "Escape")) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") {
      open(false);
      button.focus();
      return;
    }
    const entries = [...list.querySelectorAll("button")];
    const at = entries.findIndex((one) => one === document.activeElement);
    entries[(at + MOVES[event.key] + entries.length) % entries.length]?.focus();
  });
  return {
    root,
    button,
    name: (/** @type {string} */ text) => setText(words, text),
    update: (/** @type {Entry[]} */ items) =>
      refill(
        list,
        items.map(([text, , , chosen]) => [text, chosen]),
        () => items.map((item) => entry(item, () => open(false))),
      ),
  };
}
