// The inspector: two head cards, the view tabs, one view, and the status line. Mounted once into a gr.HTML component.

import { createActions } from "../state/actions.js";
import { Client } from "../state/client.js";
import { createContext } from "./context.js";
import { el, find, refill, segmented, setText, toggle } from "../core/dom.js";
import { onLanguage, said, say } from "../language/i18n.js";
import { createExport } from "./export.js";
import { HeadCard } from "./head_card.js";
import { createScrubber } from "../drawing/scrubber.js";
import { listenToKeys } from "../state/keys.js";
import { publish } from "../state/news.js";
import { Runs } from "./runs.js";
import { pressAsk } from "../rail/topbar.js";
import { statusHint, statusParts } from "./status.js";
import { addressOf, writeAddress } from "../state/address.js";
import { LETTERS } from "../state/selection.js";
import { createStore, effective } from "../state/store.js";
import { hasView, registerViews } from "../state/view_registry.js";
import { createTour } from "../tour/tour.js";
import { VIEWS } from "../views/index.js";

/** @import { Message } from "./runs.js" */
/**
 * @import {
 *   Actions, Context, Gradio, Letter, Selection, Sentence, State, StatusParts, Store, ViewDrawing,
 *   ViewName, WayOut
 * } from "../core/types.d.ts"
 */

const SPEAK_MS = 400;

registerViews(VIEWS);

/** @type {Record<string, number>} */
const ARROWS = { ArrowLeft: -1, ArrowRight: 1 };

/** @param {Actions} actions */
function createTabs(actions) {
  const buttons = Object.entries(VIEWS).map(([id, view]) =>
    el("button", {
      type: "button",
      role: "tab",
      id: `tab-${id}`,
      "aria-controls": "view",
      "data-view": id,
      text: say(view.NAME),
      onclick: () => actions.pickView(id),
    }),
  );
  const remark = el("span", { class: "remark amber", "data-part": "remark" });
  const figure = el("span", { class: "tabs-figure", "data-part": "tabs-figure" });
  const list = el("div", { role: "tablist", "aria-label": say("Views") }, ...buttons);
  const root = el("div", { class: "tabs", "data-part": "tabs" }, list, figure, remark);
  /** @type {string | null} */
  let revealed = null;
  root.addEventListener("keydown", (event) => {
    const at = buttons.findIndex((button) => button === event.target);
    const by = ARROWS[event.key];
    if (at < 0 || !by) return;
    event.stopPropagation();
    const next = buttons[(at + by + buttons.length) % buttons.length];
    next.focus();
    actions.pickView(next.dataset.view ?? "");
  });
  return {
    root,
    figure,
    update(/** @type {ViewName} */ view, /** @type {string} */ words) {
      buttons.forEach((button) => {
        const chosen = button.dataset.view === view;
        button.setAttribute("aria-selected", String(chosen));
        button.tabIndex = chosen ? 0 : -1;
      });
      remark.hidden = !words;
      setText(remark, words);
      remark.title = words === say(OUTSIDE) ? say(OUTSIDE_AT_LENGTH) : "";
      const current = buttons.find((button) => button.dataset.view === view);
      if (revealed === view || !list.clientWidth || !current) return;
      revealed = view;
      const [box, at] = [list.getBoundingClientRect(), current.getBoundingClientRect()];
      list.scrollLeft += at.left + at.width / 2 - (box.left + box.width / 2); // on a phone the tabs scroll sideways
    },
  };
}

function createStatus() {
  const [sentence, hint, spoken] = ["status-sentence", "status-hint", "spoken"].map((name) =>
    el("span", { class: name, "data-part": name }),
  );
  spoken.setAttribute("aria-live", "polite");
  const root = el("footer", { class: "status" }, el("i", { class: "pen pen-query" }), sentence, hint, spoken);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  return {
    root,
    /** @param {StatusParts} parts @param {string} words @param {Letter} shown */
    update(parts, words, shown) {
      refill(sentence, [parts, shown], () =>
        parts.map(([text, strong, rest]) =>
          el(
            "span",
            { class: "status-part", "data-letter": strong === "A" || strong === "B" ? strong : null },
            text,
            strong ? el("b", { text: strong }) : "",
            rest ?? "",
          ),
        ),
      );
      setText(hint, words);
      sentence.title = parts.flat().join(""); // a sentence longer than its line is cut there
      clearTimeout(timer);
      timer = setTimeout(() => setText(spoken, parts.flat().join("")), SPEAK_MS);
    },
  };
}

function createNotices() {
  const root = el("div", { class: "notices", role: "status" });
  const line = (/** @type {Sentence} */ sentence) =>
    el(
      "div",
      { class: "notice amber", "data-part": "notice" },
      el("span", { text: said(sentence) }),
      el("button", { type: "button", class: "link", text: say("Ask both"), onclick: pressAsk }),
    );
  return {
    root,
    update: (/** @type {State} */ { notice, stale, busy }) =>
      refill(root, [notice, stale, busy], () =>
        busy ? [] : [notice, stale].flatMap((sentence) => (sentence ? [line(sentence)] : [])),
      ),
  };
}

const OUTSIDE = "Outside the demo world: only geometry holds";
const OUTSIDE_AT_LENGTH =
  "The demo weights learnt from drawn shapes alone. Here sizes, tokens, positions and attention are exact; the answer means nothing.";

// One line where the weights shown are no ground to judge an answer by.
/** @param {State} state */
function remarkOn(state) {
  const runs = LETTERS.map((letter) => state.runs[letter]).filter((run) => run !== null);
  if (runs.some((run) => !run.model.trained)) return say("Untrained weights. Geometry exact, answers not.");
  const tiny = runs.some((run) => run.model.size_label === "tiny" && run.media.length);
  return tiny && state.outside ? say(OUTSIDE) : "";
}

/** @param {Actions} actions */
function letterSwitch(actions) {
  const root = segmented(
    say("Model"),
    LETTERS.map((letter) => /** @type {const} */ ([letter, letter])),
    actions.show,
  );
  root.classList.add("letter-switch");
  root.dataset.part = "letter-switch";
  return {
    root,
    update(/** @type {State} */ state) {
      root.choose(state.shown);
      LETTERS.forEach((letter) => {
        const [button, name] = [find(`[data-value="${letter}"]`, root), state.runs[letter]?.model.title];
        if (button) setText(button, name ? `${letter}  ${name}` : letter);
      });
    },
  };
}

/** @param {Actions} actions */
function createShell(actions) {
  const heads = LETTERS.map(
    (letter) =>
      new HeadCard(letter, {
        onhover: actions.hoverWord,
        onpick: actions.pickWord,
        onstep: (which, by) => stepAndFocus(actions, which, by),
        act: takeWayOut,
      }),
  );
  const [tabs, status, notices, choice] = [createTabs(actions), createStatus(), createNotices(), letterSwitch(actions)];
  const moment = el("div", { class: "moment" }); // of a clip, in the views that have no timeline of their own
  const stage = el("div", { class: "view-box", id: "view", role: "tabpanel" });
  const root = el(
    "div",
    { class: "inspector", "data-part": "inspector" },
    notices.root,
    choice.root,
    el("div", { class: "pair heads" }, ...heads.map((head) => head.root)),
    tabs.root,
    moment,
    stage,
    status.root,
  );
  return { root, heads, tabs, status, notices, choice, moment, stage };
}

// An error's one way out does what it says.
/** @type {Record<string, () => void>} */
const WAYS = {
  ask: pressAsk,
  focus_question: () => find("#question textarea")?.focus(),
  focus_budget: () => find("#max_pixels")?.focus(),
  focus_frames: () => find("#clip-frames")?.focus(),
  focus_models: () => find("#models select")?.focus(),
  remove_media: () => find("#rail .media .remove")?.click(),
};

/** @param {WayOut} way */
const takeWayOut = (way) => WAYS[way.action]?.();

/** @param {Actions} actions @param {Letter} letter @param {number} by */
function stepAndFocus(actions, letter, by) {
  actions.stepWord(by, letter);
  requestAnimationFrame(() =>
    requestAnimationFrame(() => find(`.head-card[data-letter="${letter}"] .word.locked`)?.focus()),
  );
}

// The one figure of a view that stands at the right of the tabs, where the view has one.
/** @param {Context} ctx @param {HTMLElement} root @param {State} state @param {Selection} selection */
function drawFigure(ctx, root, state, selection) {
  const { figure } = VIEWS[selection.view];
  root.hidden = !figure;
  if (figure) figure(ctx, state, selection, root);
}

// Draws the state; made anew for each language, since what is drawn holds its words.
/** @param {Context} ctx @param {ReturnType<typeof createShell>} shell */
function createRenderer(ctx, shell) {
  /** @type {Partial<Record<ViewName, ViewDrawing>>} */
  const made = {};
  const view = (/** @type {ViewName} */ id) => (made[id] ??= VIEWS[id].createView(ctx));
  const scrubber = createScrubber(ctx);
  shell.moment.replaceChildren(scrubber.root);
  return function render(/** @type {State} */ state) {
    const selection = effective(state);
    shell.root.dataset.shown = state.shown;
    shell.root.dataset.view = selection.view;
    toggle(shell.root, "empty", !LETTERS.some((letter) => state.runs[letter] || state.live[letter]));
    shell.notices.update(state);
    shell.choice.update(state);
    shell.heads.forEach((head) => head.update(state, selection));
    shell.tabs.update(selection.view, remarkOn(state));
    scrubber.update(state, selection);
    shell.moment.hidden = scrubber.root.hidden || selection.view === "answer"; // its timeline has one of its own
    const current = view(selection.view);
    if (shell.stage.firstChild !== current.root) shell.stage.replaceChildren(current.root);
    current.update(state, selection);
    drawFigure(ctx, shell.tabs.figure, state, selection);
    shell.status.update(
      statusParts(ctx, state, selection, VIEWS[selection.view].status),
      statusHint(state, state.selection),
      state.shown,
    );
    ctx.current = current;
  };
}

/** @param {Store} store */
function keepAddress(store) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  store.subscribe((state) => {
    clearTimeout(timer);
    timer = setTimeout(() => (state.runs.A || state.runs.B) && writeAddress(state.selection), 150);
  });
}

export const redrawsItself = true;

/** @typedef {{ value?: Message | null, stale?: Sentence | null, frozen?: boolean }} InspectorProps */

/** @param {HTMLElement} element @param {Gradio<InspectorProps>} gradio */
export function mount(element, { props, server, watch }) {
  const store = createStore();
  const client = new Client(server, (channel) => {
    store.redraw();
    if (channel.name.startsWith("map")) publish("inspector-row", channel);
  });
  const actions = createActions(store);
  const ctx = createContext(store, client, actions, Boolean(props.frozen));
  const sized = new ResizeObserver(store.redraw);
  function build() {
    const shell = createShell(actions);
    const tour = createTour(ctx);
    if (!props.frozen) shell.tabs.root.append(createExport(ctx).root);
    element.replaceChildren(shell.root, tour.root);
    sized.disconnect();
    sized.observe(shell.root);
    store.redraw();
    return { render: createRenderer(ctx, shell), tour };
  }
  let drawn = build();
  onLanguage(() => (drawn = build()));
  store.subscribe((state) => {
    drawn.render(state);
    drawn.tour.draw();
  });
  window.addEventListener("inspector-tour", () => drawn.tour.show(true));
  if (!props.frozen) keepAddress(store);
  listenToKeys(actions, Object.keys(VIEWS).filter(hasView));
  const runs = new Runs(store, client, actions);
  const hear = () => runs.hear(props.value);
  const note = () => store.set({ stale: props.stale || null });
  watch("value", hear);
  watch("stale", note);
  hear();
  note();
  new MutationObserver(store.redraw).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  window.__inspector = forTests(store, ctx, actions);
  drawn.render(store.state);
}

// The page's one global: what is on screen, for tests and for the curious.
/** @param {Store} store @param {Context} ctx @param {Actions} actions */
function forTests(store, ctx, actions) {
  const fresh = (/** @type {Letter} */ letter) => {
    if (!store.state.runs[letter]) return true;
    const { media, image, fresh: arrived } = ctx.mapResources(letter);
    return arrived && (!media || image !== null);
  };
  const settled = () => LETTERS.every(fresh) && store.drawnState() === store.state;
  return {
    actions,
    select: (/** @type {Partial<Selection>} */ patch) => store.select(patch),
    client: ctx.client,
    map: (/** @type {Letter} */ letter) => ctx.mapResources(letter).map,
    settled,
    quiet: () => settled() && ctx.client.idle(),
    addressed: () => addressOf(store.state.selection) === window.location.href,
    get state() {
      return store.state;
    },
    get drawn() {
      return ctx.current?.stages ?? {};
    },
  };
}
