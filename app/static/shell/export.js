// Export: the current view as files, made by the server from the run itself when they are asked for.

import { el, find, findAll, setText, toggle } from "../core/dom.js";
import { said, say } from "../language/i18n.js";
import { toLine } from "../state/address.js";
import { resolved } from "../state/resolved.js";
import { LETTERS } from "../state/selection.js";
import { isClip } from "../state/time.js";
import { links } from "../state/words.js";
import { VIEWS } from "../views/index.js";

/** @import { Client, Context, Letter, State, Store } from "../core/types.d.ts" */

const NO_ANSWER = "The server did not answer: is it still running? Reload the page to try again.";
const SEEN_LETTERS = 400_000; // what a request may hold of them
const REVOKE_MS = 60_000;

const KINDS = [
  ["svg", "SVG figure", "with its caption, text as text"],
  ["pdf", "PDF figure", "the same, its fonts embedded"],
  ["page", "Interactive page", "one HTML file, hovering and all, without a server"],
  ["numbers", "Numbers", "arrays (.npz) and what they belong to (JSON)"],
  ["lines", "Python lines", "make the figure anew from the run files"],
];

// Of a clip: the map of the chosen word through time.
const PLAYED = [
  ["gif", "Animated GIF", "the map of the clip through time"],
  ["mp4", "MP4 clip", "the same, smaller"],
];

/** @type {Record<string, number>} */
const ARROWS = { ArrowDown: 1, ArrowUp: -1 };

/** @param {State} state */
const looksAtClip = ({ runs, selection }) => LETTERS.some((letter) => isClip(runs[letter]?.media[selection.media]));

/** @typedef {{ run?: string, [name: string]: { run?: string } | string | null | undefined }} Asked a question of the page */

// What the page has asked about these runs, the latest first: a saved page brings the answers along.
/** @param {Client} client @param {Partial<Record<Letter, string>>} runs @returns {[name: string, query: Asked][]} */
function seen(client, runs) {
  const ids = Object.values(runs);
  /** @type {[name: string, query: Asked][]} */
  const questions = [...client.kept.keys()].map((key) => {
    const at = key.indexOf("{");
    return [key.slice(0, at), JSON.parse(key.slice(at))];
  });
  /** @param {Asked} query @returns {string[]} */
  const runsOf = (query) =>
    query.run ? [query.run] : Object.values(query).flatMap((inner) => (typeof inner === "object" && inner?.run) || []);
  const about = questions.filter(
    ([, query]) => runsOf(query).length && runsOf(query).every((run) => ids.includes(run)),
  );
  about.reverse();
  let letters = 0;
  return about.filter((question) => (letters += JSON.stringify(question).length) < SEEN_LETTERS);
}

// Which views were looked at since these runs came.
/** @param {Store} store */
function followViews(store) {
  /** @type {Set<string>} */
  const visited = new Set();
  /** @type {string | null} */
  let stamp = null;
  store.subscribe(({ runs, selection }) => {
    const now = LETTERS.map((letter) => runs[letter]?.id).join(" ");
    if (now !== stamp) visited.clear();
    stamp = now;
    visited.add(selection.view);
  });
  return visited;
}

// What the server needs to know of the page: anything hovered is left out.
/** @param {Context} ctx @param {string} kind @param {Letter} [letter] */
function asked(ctx, kind, letter) {
  const { state } = ctx.store;
  const { selection, outside } = state;
  const present = LETTERS.flatMap((each) => {
    const run = state.runs[each];
    return run ? [{ each, run }] : [];
  });
  const runs = Object.fromEntries(present.map(({ each, run }) => [each, run.id]));
  const columns = Object.fromEntries(
    present.map(({ each, run }) => [
      each,
      { ...resolved(state, each, run), ...VIEWS[selection.view].shown?.(state, each, ctx) },
    ]),
  );
  const question = { kind, letter, runs, view: selection.view, selection: columns };
  if (kind !== "page") return question;
  return {
    ...question,
    line: toLine(selection),
    seen: seen(ctx.client, runs),
    links: state.runs.A && state.runs.B ? links(state.runs.A, state.runs.B) : [],
    visited: [...(ctx.visited ?? [])],
    outside: Boolean(outside),
  };
}

/** @typedef {{ blob: Blob, name: string }} File a file as it came */

/** @param {object} question @returns {Promise<File | { error: string }>} */
async function fetchFile(question) {
  const response = await fetch(new URL("export", document.baseURI), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(question),
  });
  if ((response.headers.get("Content-Type") ?? "").startsWith("application/json")) {
    const { error } = await response.json();
    return { error: said(error) };
  }
  const name = /filename\*=UTF-8''([^;]+)/.exec(response.headers.get("Content-Disposition") ?? "");
  return { blob: await response.blob(), name: name ? decodeURIComponent(name[1]) : "export" };
}

/** @param {File} file */
function download({ blob, name }) {
  const url = URL.createObjectURL(blob);
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), REVOKE_MS);
}

// Beneath the button, inside the window.
/** @param {HTMLElement} panel @param {HTMLElement} button */
function place(panel, button) {
  const box = button.getBoundingClientRect();
  const { width, height } = panel.getBoundingClientRect();
  panel.style.left = `${Math.max(8, Math.min(box.right, window.innerWidth - 8) - width)}px`;
  panel.style.top = `${Math.max(8, Math.min(box.bottom + 4, window.innerHeight - 8 - height))}px`;
}

function linesBox() {
  const code = el("pre", {
    class: "export-code",
    "data-part": "export-code",
    tabindex: "0",
    "aria-label": say("Python lines"),
  });
  const copy = el("button", { type: "button", class: "link", text: say("Copy") });
  const keep = el("button", { type: "button", class: "link", text: say("Save as a file") });
  const root = el("div", { class: "export-lines", hidden: true }, el("div", {}, copy, keep), code);
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent ?? "");
      setText(copy, say("Copied"));
    } catch {
      window.getSelection()?.selectAllChildren(code);
      setText(copy, say("Selected: copy by keyboard"));
    }
  });
  /** @type {File | null} */
  let kept = null;
  keep.addEventListener("click", () => kept && download(kept));
  return {
    root,
    async show(/** @type {File} */ file) {
      kept = file;
      setText(copy, say("Copy"));
      setText(code, await file.blob.text());
      root.hidden = false;
    },
  };
}

/** @param {Context} ctx */
function createPanel(ctx) {
  ctx.visited ??= followViews(ctx.store); // once: a panel is made anew for each language
  const title = el("h3", {});
  const items = el("div", { class: "export-items", "data-part": "export-items", role: "group" });
  const lines = linesBox();
  const note = el("p", { class: "export-note", "data-part": "export-note", role: "status" });
  const captions = el("p", { class: "faint", text: say("Captions, manifests and code are in English.") });
  const root = el(
    "div",
    {
      class: "export-panel",
      "data-part": "export-panel",
      popover: "auto",
      role: "dialog",
      "aria-label": say("Export"),
    },
    title,
    items,
    lines.root,
    note,
    captions,
  );
  const panel = { root, fill, onresize: () => {} };
  let busy = false;

  /** @param {string} kind @param {Letter} [letter] */
  async function make(kind, letter) {
    if (busy) return;
    busy = true;
    setText(note, say("Making the file."));
    toggle(items, "busy", true);
    const file = await fetchFile(asked(ctx, kind, letter)).catch(() => ({ error: say(NO_ANSWER) }));
    busy = false;
    toggle(items, "busy", false);
    setText(note, "error" in file ? file.error : say("{name} is ready.", { name: file.name }));
    if ("error" in file) return;
    if (kind === "lines") {
      await lines.show(file);
      panel.onresize();
    } else download(file);
  }

  /** @type {(kind: string, name: string, words: string, letter?: Letter) => HTMLElement} */
  const item = (kind, name, words, letter) =>
    el(
      "button",
      { type: "button", "data-kind": kind, "data-letter": letter, onclick: () => make(kind, letter) },
      el("b", { text: name }),
      el("span", { text: words }),
    );

  /** @param {State} state */
  function fill(state) {
    setText(title, say("Export: {view}", { view: say(VIEWS[state.selection.view].NAME) }));
    lines.root.hidden = true;
    setText(note, "");
    const runs = LETTERS.flatMap((letter) => {
      const run = state.runs[letter];
      if (!run) return [];
      const words = say("{model}: opens with qwenvl.Run.load", { model: run.model.name });
      return [item("run", say("Run {letter}", { letter }), words, letter)];
    });
    const kinds = looksAtClip(state) ? [...KINDS, ...PLAYED] : KINDS;
    items.replaceChildren(...kinds.map(([kind, name, words]) => item(kind, say(name), say(words))), ...runs);
  }

  // Keys used here mean nothing to the page behind.
  root.addEventListener("keydown", (event) => {
    event.stopPropagation();
    const by = ARROWS[event.key];
    const buttons = [...findAll(":scope > *", items)];
    const at = buttons.findIndex((button) => button === document.activeElement);
    if (!by || at < 0) return;
    event.preventDefault();
    buttons[(at + by + buttons.length) % buttons.length].focus();
  });
  return panel;
}

/** @param {Context} ctx */
export function createExport(ctx) {
  const panel = createPanel(ctx);
  const button = el(
    "button",
    {
      type: "button",
      class: "export-button",
      "data-part": "export-button",
      "aria-haspopup": "dialog",
      "aria-expanded": "false",
    },
    el("i", { class: "export-mark", "aria-hidden": "true" }),
    say("Export"),
  );
  panel.onresize = () => place(panel.root, button);
  button.popoverTargetElement = panel.root;
  panel.root.addEventListener("beforetoggle", (event) => event.newState === "open" && panel.fill(ctx.store.state));
  panel.root.addEventListener("toggle", (event) => {
    const open = event.newState === "open";
    button.setAttribute("aria-expanded", String(open));
    if (!open) return;
    panel.onresize();
    find(".export-items button", panel.root)?.focus();
  });
  return { root: el("div", { class: "export" }, button, panel.root) };
}
