// The bar at the top: title, examples, the weights badge, the theme. On narrow screens also the way into the rail.

import { el, refill, setText, toggle } from "../dom.js";
import { createMeasured } from "./measured.js";

const THEME_KEY = "inside-qwen-vl-theme";

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

function switchTheme(button) {
  const dark = document.body.classList.toggle("dark");
  remember(dark ? "dark" : "light");
  describeTheme(button);
}

function describeTheme(button) {
  const dark = document.body.classList.contains("dark");
  setText(button, dark ? "☾" : "☀");
  button.setAttribute("aria-label", dark ? "Dark theme; switch to light" : "Light theme; switch to dark");
}

function mark() {
  const box = el("span", { class: "mark", "aria-hidden": "true" });
  box.append(...Array.from({ length: 4 }, () => el("i")));
  return box;
}

function openRail(open) {
  document.body.classList.toggle("rail-open", open);
  if (open) document.querySelector("#rail textarea")?.focus({ preventScroll: true });
}

// Gradio's own page about the endpoints opens from its footer, which stands behind this bar.
const openApi = () => document.querySelector("footer .show-api")?.click();

export const pressAsk = () => document.querySelector("#ask")?.click();

function chip(example, selected, onpick) {
  return el(
    "button",
    {
      type: "button",
      class: "chip",
      "aria-pressed": String(example.name === selected),
      onclick: () => onpick(example.name),
      title: example.question,
    },
    example.thumbnail ? el("img", { src: example.thumbnail, alt: "" }) : null,
    el("span", { text: example.label }),
  );
}

const KINDS = { scene: "drawn", photo: "photos" };

// The chips, with what they show written before the first of each kind.
function chipsOf(examples, selected, onpick) {
  return examples.flatMap((example, index) => {
    const begins = example.kind !== examples[index - 1]?.kind;
    const kind = begins && el("span", { class: "chip-kind", text: KINDS[example.kind] ?? example.kind });
    return [...(kind ? [kind] : []), chip(example, selected, onpick)];
  });
}

function createAskBar() {
  const thumb = el("img", { alt: "" });
  const words = el("span", { class: "askbar-words" });
  const opener = el(
    "button",
    {
      type: "button",
      class: "askbar-open",
      "aria-label": "Picture, question and settings",
      onclick: () => openRail(true),
    },
    thumb,
    words,
  );
  const ask = el("button", { type: "button", class: "askbar-ask", text: "Ask both", onclick: pressAsk });
  const root = el("div", { class: "askbar" }, opener, ask);
  window.addEventListener("inspector-draft", ({ detail }) => {
    setText(words, detail.question || "Ask about a picture");
    thumb.hidden = !detail.thumbnail;
    if (detail.thumbnail) thumb.src = detail.thumbnail;
  });
  return root;
}

export function mount(element, { props, trigger, watch }) {
  const theme = el("button", { type: "button", class: "icon", onclick: () => switchTheme(theme) });
  restoreTheme();
  describeTheme(theme);
  new MutationObserver(() => describeTheme(theme)).observe(document.body, {
    attributes: true,
    attributeFilter: ["class"],
  });
  const chips = el("nav", { class: "chips", "aria-label": "Examples" });
  const measured = createMeasured();
  const badge = el("button", { type: "button", class: "badge", onclick: measured.open });
  const api = el("button", {
    type: "button",
    class: "quiet",
    text: "API",
    title: "The named endpoints, and how to call them",
    onclick: openApi,
  });
  const opener = el(
    "button",
    {
      type: "button",
      class: "rail-opener",
      "aria-label": "Picture, question and settings",
      onclick: () => openRail(!document.body.classList.contains("rail-open")),
    },
    el("span", { text: "☰" }),
  );
  const shade = el("div", { class: "rail-shade", onclick: () => openRail(false) });
  document.addEventListener("keydown", (event) => event.key === "Escape" && openRail(false));
  window.addEventListener("inspector-asked", () => openRail(false));
  element.replaceChildren(
    el(
      "header",
      { class: "topbar" },
      opener,
      mark(),
      el("h1", { text: "Inside Qwen-VL" }),
      chips,
      el("span", { class: "spring" }),
      api,
      badge,
      theme,
    ),
    createAskBar(),
    shade,
    measured.root,
  );
  const draw = () => {
    const { examples = [], selected = null, badge: words = "", measured: figures = null } = props.value || {};
    refill(chips, [examples.map((example) => example.name), selected], () =>
      chipsOf(examples, selected, (name) => trigger("example", { name })),
    );
    refill(badge, words, () => (words ? [el("i", { class: "info", text: "i" }), words] : []));
    toggle(badge, "plain", !words);
    badge.disabled = !figures;
    badge.title = figures ? "How often these weights are right" : "";
    measured.update(figures);
  };
  watch("value", draw);
  draw();
}
