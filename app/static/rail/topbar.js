// The bar at the top: title, examples, the weights badge, the theme. On narrow screens also the way into the rail.

import { el, find, refill, setText, svg, toggle } from "../core/dom.js";
import { LANGUAGES, language, said, say, setLanguage } from "../language/i18n.js";
import { hear } from "../state/news.js";
import { keepLabels } from "./labels.js";
import { createMenu } from "./menu.js";
import { createMeasured } from "./measured.js";

/** @import { Gradio } from "../core/types.d.ts" */
/** @import { Bar, Draft, Example } from "./types.d.ts" */
/** @import { Entry } from "./menu.js" */

/** @typedef {(name: string) => void} PickExample */

const THEME_KEY = "inside-qwen-vl-theme";

/** @param {string} theme */
function remember(theme) {
  try {
    localStorage.setItem(THEME_KEY, theme);
  } catch {
    // Private windows may refuse storage; the theme then lasts for this page.
  }
}

// Gradio follows the system when it starts; what the visitor chose before comes after it.
function restoreTheme() {
  let theme = null;
  try {
    theme = localStorage.getItem(THEME_KEY);
  } catch {
    return;
  }
  if (theme && !new URLSearchParams(window.location.search).has("__theme"))
    document.body.classList.toggle("dark", theme === "dark");
}

/** @param {HTMLButtonElement} button */
function switchTheme(button) {
  const dark = document.body.classList.toggle("dark");
  remember(dark ? "dark" : "light");
  describeTheme(button);
}

/** @param {HTMLButtonElement} button */
function describeTheme(button) {
  const dark = document.body.classList.contains("dark");
  setText(button, dark ? "☾" : "☀");
  const words = dark ? say("Dark theme; switch to light") : say("Light theme; switch to dark");
  button.setAttribute("aria-label", words);
  button.title = words;
}

function mark() {
  const box = el("span", { class: "mark", "aria-hidden": "true" });
  box.append(...Array.from({ length: 4 }, () => el("i")));
  return box;
}

/** @param {boolean} open */
function openRail(open) {
  document.body.classList.toggle("rail-open", open);
  if (open) find("#rail textarea")?.focus({ preventScroll: true });
}

// Gradio's own page about the endpoints opens from its footer, which stands behind this bar.
const openApi = () => find("footer .show-api")?.click();

export const pressAsk = () => find("#ask")?.click();

/** @param {Example} example @param {string | null} selected @param {PickExample} onpick */
function chip(example, selected, onpick) {
  return el(
    "button",
    {
      type: "button",
      class: "chip",
      "data-part": "chip",
      "aria-pressed": String(example.name === selected),
      onclick: () => onpick(example.name),
      title: example.question,
    },
    example.thumbnail ? el("img", { src: example.thumbnail, alt: "" }) : null,
    el("span", { text: said(example.label) }),
  );
}

// Drawn examples stand in the bar; photos, on which the demo weights' answers mean nothing, wait in a menu.
/** @param {PickExample} onpick */
function createChips(onpick) {
  const drawn = el("nav", { class: "chips", "aria-label": say("Examples") });
  const photos = createMenu({
    name: say("Photos"),
    title: say("Example photos: geometry exact, answers outside the demo world"),
  });
  return {
    nodes: [drawn, photos.root],
    /** @param {Example[]} examples @param {string | null} selected */
    update(examples, selected) {
      const names = examples.map((example) => example.name);
      refill(drawn, [names, selected], () => examples.filter(isDrawn).map((one) => chip(one, selected, onpick)));
      const others = examples.filter((example) => !isDrawn(example));
      photos.update(others.map((one) => entryOf(one, selected, onpick)));
      photos.name(others.find((one) => one.name === selected)?.label ?? say("Photos"));
      toggle(
        photos.button,
        "chosen",
        others.some((one) => one.name === selected),
      );
      photos.root.hidden = !others.length;
    },
  };
}

/** @param {Example} one @param {string | null} selected @param {PickExample} onpick @returns {Entry} */
const entryOf = (one, selected, onpick) => [
  said(one.label),
  () => onpick(one.name),
  one.thumbnail,
  one.name === selected,
];

const isDrawn = (/** @type {Example} */ example) => example.kind !== "photo";

/** @param {HTMLButtonElement} button */
async function copyLink(button) {
  const words = await navigator.clipboard.writeText(window.location.href).then(
    () => say("Link copied"),
    () => say("Copy the address from the browser's bar"),
  );
  const status = find("[role=status]", button);
  if (!status) return;
  setText(status, words);
  setTimeout(() => setText(status, ""), 2000);
}

// Two links of a chain, drawn, since fonts lack the sign.
function linkMark() {
  const path = "M6.5 9.5l3-3M7 4.5l1.3-1.3a2.9 2.9 0 0 1 4.1 4.1L11 8.7M9 11.5l-1.3 1.3a2.9 2.9 0 0 1-4.1-4.1L5 7.3";
  const look = { fill: "none", stroke: "currentColor", "stroke-width": 1.4, "stroke-linecap": "round" };
  return svg(
    "svg",
    { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" },
    svg("path", { d: path, ...look }),
  );
}

function linkButton() {
  const button = el(
    "button",
    {
      type: "button",
      class: "icon link-icon",
      "aria-label": say("Copy a link to this view"),
      title: say("Copy a link to this view"),
      onclick: ({ currentTarget }) => copyLink(currentTarget),
    },
    linkMark(),
    el("span", { role: "status" }),
  );
  return button;
}

function languageChoice() {
  const choice = el(
    "select",
    {
      class: "language",
      "data-part": "language",
      "aria-label": say("Language"),
      onchange: ({ currentTarget }) => setLanguage(currentTarget.value),
    },
    ...Object.entries(LANGUAGES).map(([value, text]) => el("option", { value, text, lang: value })),
  );
  choice.value = language();
  return choice;
}

// What the bar offers beside the examples: in words where there is room, in a menu where there is not.
/** @type {[words: string, title: string, act: () => void][]} */
const OFFERS = [
  ["Planner", "What these pictures cost every published model", () => call("inspector-planner-wanted")],
  ["Tour", "Six questions about this page, with checked answers", () => call("inspector-tour-wanted")],
  ["API", "The named endpoints, and how to call them", openApi],
];

/** @param {string} name */
const call = (name) => window.dispatchEvent(new CustomEvent(name));

const offers = () =>
  OFFERS.map(([words, title, act]) =>
    el("button", { type: "button", class: "quiet", text: say(words), title: say(title), onclick: act }),
  );

/** @param {AbortSignal | undefined} signal */
function createAskBar(signal) {
  const thumb = el("img", { alt: "" });
  const words = el("span", { class: "askbar-words" });
  const opener = el(
    "button",
    {
      type: "button",
      class: "askbar-open",
      "data-part": "askbar-open",
      "aria-label": say("Picture, question and settings"),
      onclick: () => openRail(true),
    },
    thumb,
    words,
  );
  const ask = el("button", { type: "button", class: "askbar-ask", text: say("Ask both"), onclick: pressAsk });
  const root = el("div", { class: "askbar" }, opener, ask);
  const follow = (/** @type {Draft} */ detail) => {
    setText(words, detail.question || say("Ask about a picture"));
    thumb.hidden = !detail.thumbnail;
    if (detail.thumbnail) thumb.src = detail.thumbnail;
  };
  hear("inspector-draft", follow, signal);
  return root;
}

// The way into the rail where it is a drawer.
function railOpener() {
  const act = () => openRail(!document.body.classList.contains("rail-open"));
  const words = say("Picture, question and settings");
  const face = el("span", { text: "☰" });
  return el("button", { type: "button", class: "rail-opener", "aria-label": words, onclick: act }, face);
}

/** @param {AbortSignal | undefined} signal */
function themeButton(signal) {
  const theme = el("button", {
    type: "button",
    class: "icon theme-icon",
    onclick: ({ currentTarget }) => switchTheme(currentTarget),
  });
  describeTheme(theme);
  const observer = new MutationObserver(() => describeTheme(theme));
  observer.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  signal?.addEventListener("abort", () => observer.disconnect());
  return theme;
}

// On a phone the examples and all that the bar offers stand in one menu.
/** @param {PickExample} onpick */
function narrowMenu(onpick) {
  const menu = createMenu({ name: "⋯", title: say("Examples, tour and more"), plain: true });
  menu.root.classList.add("narrow-menu");
  const languages = Object.entries(LANGUAGES).filter(([value]) => value !== language());
  /** @type {(words: string, act: () => void) => Entry} */
  const plain = (words, act) => [words, act];
  const rest = [
    ...OFFERS.map(([words, , act]) => plain(say(words), act)),
    ...languages.map(([value, words]) => plain(words, () => setLanguage(value))),
  ];
  /** @param {Example[]} examples @param {string | null} selected */
  const update = (examples, selected) =>
    menu.update([...examples.map((one) => entryOf(one, selected, onpick)), ...rest]);
  return { root: menu.root, update };
}

/** @param {HTMLElement} element @param {Gradio<{ value?: Bar | null }>} gradio */
export function mount(element, { props, trigger, watch, signal }) {
  restoreTheme();
  const pick = (/** @type {string} */ name) => trigger?.("example", { name });
  const [chips, narrow] = [createChips(pick), narrowMenu(pick)];
  const measured = createMeasured();
  const badge = el("button", { type: "button", class: "badge amber", "data-part": "badge", onclick: measured.open });
  const shade = el("div", { class: "rail-shade", onclick: () => openRail(false) });
  document.addEventListener("keydown", (event) => event.key === "Escape" && openRail(false), { signal });
  window.addEventListener("inspector-asked", () => openRail(false), { signal });
  // The tour is about the first example's runs.
  const toTour = () => {
    const { examples = [], selected = null } = props.value || {};
    if (examples.length && selected !== examples[0].name) pick(examples[0].name);
    call("inspector-tour");
  };
  window.addEventListener("inspector-tour-wanted", toTour, { signal });
  window.addEventListener("inspector-example", ({ detail }) => pick(detail.name), { signal });
  const title = el("h1", { text: "Inside Qwen-VL" });
  const spring = el("span", { class: "spring" });
  const ends = [...offers(), badge, languageChoice(), themeButton(signal), linkButton(), narrow.root];
  element.replaceChildren(
    el(
      "header",
      { class: "topbar", "data-part": "topbar" },
      railOpener(),
      mark(),
      title,
      ...chips.nodes,
      spring,
      ...ends,
    ),
    createAskBar(signal),
    shade,
    measured.root,
  );
  const draw = () => {
    const {
      examples = [],
      selected = null,
      badge: words = "",
      demo = true,
      measured: figures = null,
    } = props.value || {};
    chips.update(examples, selected);
    narrow.update(examples, selected);
    const planning = document.body.classList.contains("planner-open");
    const shown = planning ? say("No weights used") : said(words);
    refill(badge, [shown, planning], () =>
      planning ? [shown] : shown ? [el("i", { class: "info", text: "i" }), shown] : [],
    );
    toggle(badge, "plain", !shown);
    toggle(badge, "calm", planning || !demo); // amber is for weights that are no ground to judge an answer by
    badge.disabled = planning || !figures;
    badge.title = figures ? say("How often these weights are right") : "";
    measured.update(figures);
  };
  watch("value", draw);
  window.addEventListener("planner-opened", draw, { signal });
  draw();
  keepLabels(find("#rail"), signal);
}
