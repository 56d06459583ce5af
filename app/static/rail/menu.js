// A button that opens a short list of things to choose from; arrows move, Esc and a click elsewhere close it.

import { el, refill, setText } from "../core/dom.js";

const MOVES = { ArrowDown: 1, ArrowUp: -1 };

function entry([words, act, thumbnail, chosen], close) {
  const pick = () => {
    close();
    act();
  };
  const picture = thumbnail ? el("img", { src: thumbnail, alt: "" }) : null;
  const attributes = { type: "button", role: "menuitem", "aria-current": chosen ? "true" : null, onclick: pick };
  return el("button", attributes, picture, el("span", { text: words }));
}

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
  const open = (on) => {
    list.hidden = !on;
    button.setAttribute("aria-expanded", String(on));
  };
  button.addEventListener("click", () => {
    open(list.hidden);
    if (!list.hidden) list.firstElementChild?.focus();
  });
  root.addEventListener("focusout", (event) => root.contains(event.relatedTarget) || open(false));
  root.addEventListener("keydown", (event) => {
    if (list.hidden || !(MOVES[event.key] || event.key === "Escape")) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") {
      open(false);
      button.focus();
      return;
    }
    const entries = [...list.children];
    entries[(entries.indexOf(document.activeElement) + MOVES[event.key] + entries.length) % entries.length]?.focus();
  });
  return {
    root,
    button,
    name: (text) => setText(words, text),
    update: (items) =>
      refill(
        list,
        items.map(([text, , , chosen]) => [text, chosen]),
        () => items.map((item) => entry(item, () => open(false))),
      ),
  };
}
