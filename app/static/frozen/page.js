// The page as one file: the inspector over answers that came with it. No server, no address, no way to ask on.

import { el, find, setText } from "../core/dom.js";
import { LANGUAGES, language, onLanguage, say, setLanguage } from "../language/i18n.js";
import { mount } from "../shell/inspector.js";
import { standIn } from "./server.js";

/** @import { Message } from "../shell/runs.js" */

/**
 * What the file holds: the page's message, what it says of itself, and the answers that came with it.
 * @typedef {object} Frozen
 * @property {Message} message
 * @property {About} about
 * @property {string[]} names
 * @property {Record<string, number>} answers
 * @property {unknown[]} values
 */

/** @typedef {{ question: string, made: Record<string, number> }} About */

/** @type {() => Frozen} */
const read = () => JSON.parse(find("#frozen")?.textContent ?? "");

function followSystem() {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const follow = () => document.body.classList.toggle("dark", dark.matches);
  follow();
  dark.addEventListener("change", follow);
}

function themeButton() {
  const button = el("button", { type: "button", class: "frozen-tool" });
  const describe = () => {
    const dark = document.body.classList.contains("dark");
    setText(button, dark ? "☾" : "☀");
    button.setAttribute("aria-label", dark ? say("Dark theme; switch to light") : say("Light theme; switch to dark"));
  };
  button.addEventListener("click", () => {
    document.body.classList.toggle("dark");
    describe();
  });
  new MutationObserver(describe).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  describe();
  return button;
}

function languageButtons() {
  return Object.entries(LANGUAGES).map(([name, words]) =>
    el("button", {
      type: "button",
      class: "frozen-tool",
      "aria-pressed": String(name === language()),
      text: words,
      onclick: () => setLanguage(name),
    }),
  );
}

/** @param {HTMLElement} bar @param {About} about */
function drawBar(bar, { question, made }) {
  bar.replaceChildren(
    el("b", { text: "Inside Qwen-VL" }),
    el("span", { class: "frozen-question", text: question }),
    el("span", {
      class: "frozen-made",
      text: say("Saved page: {rows} maps and figures are in it, and no server is asked.", made),
    }),
    el("span", { class: "frozen-tools" }, ...languageButtons(), themeButton()),
  );
}

followSystem();
const { message, about, ...held } = read();
const bar = find(".frozen-bar");
const inspector = find("#inspector");
if (bar) drawBar(bar, about);
if (bar) onLanguage(() => drawBar(bar, about));
if (inspector)
  mount(inspector, {
    props: { value: message, stale: null, frozen: true },
    server: standIn(held),
    watch: () => {},
  });
