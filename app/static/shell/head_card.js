// The card of one model: its answer as words, the likeliest tokens at the chosen word, and the chain of counts.

import { around, el, findAll, find, letterBadge, refill, setText, toggle } from "../core/dom.js";
import { hasAdapter } from "../core/families.js";
import { say, said } from "../language/i18n.js";
import { count, parameters, percent, seconds } from "../language/numbers.js";
import { isClip } from "../state/time.js";
import { leadingSpace, unprintable, wordLabel, wordOfToken } from "../state/words.js";

/**
 * @import {
 *   Failure, Letter, Live, ModelCard, Run, Selection, State, WayOut, Word
 * } from "../core/types.d.ts"
 */

/** @param {Word} word @param {number} index */
function wordButton(word, index) {
  const share = el(
    "span",
    { class: "word-share" },
    el("i", { style: { width: `${Math.min(100, word.share * 100)}%` } }),
  );
  const name = say("{word}, word {index}, {share} of its row on the image", {
    word: wordLabel(word),
    index,
    share: percent(word.share),
  });
  return el(
    "button",
    {
      type: "button",
      "data-part": "word",
      class: `word${unprintable(word) ? " special" : ""}${leadingSpace(word) ? " spaced" : ""}`,
      "data-word": index,
      tabindex: "-1",
      "aria-label": name,
    },
    el("span", { class: "word-text", text: wordLabel(word) }),
    share,
  );
}

const GROUP_LETTERS = 24;
/** @param {Word} word */
const clings = (word) => /^[\p{P}\p{S}\p{Script=Latin}\p{N}]/u.test(word.text);

// Groups the buttons, so that a word's pieces and the punctuation on it do not part at the end of a line.
/** @param {Word[]} words */
function wordRun(words) {
  /** @type {Node[]} */
  const nodes = [];
  let group = el("span");
  let letters = 0;
  words.forEach((word, index) => {
    const follows =
      index > 0 &&
      !leadingSpace(word) &&
      !unprintable(word) &&
      clings(word) &&
      letters + word.text.length <= GROUP_LETTERS;
    if (!follows) {
      group = el("span", { class: "word-group" });
      letters = 0;
      if (index) nodes.push(leadingSpace(word) || unprintable(word) ? document.createTextNode(" ") : el("wbr"));
      nodes.push(group);
    }
    letters += word.text.length;
    group.append(wordButton(word, index));
  });
  return nodes;
}

/**
 * @param {HTMLElement} root
 * @param {Run} run
 * @param {{ locked: number, hovered: number, model: Letter, letter: Letter, also: number[] }} marked
 */
function markWords(root, run, { locked, hovered, model, letter, also }) {
  const text = locked >= 0 ? wordLabel(run.words[locked]) : null;
  findAll(".word", root).forEach((button) => {
    const index = Number(button.dataset.word);
    toggle(button, "locked", index === locked && model === letter);
    const added = also.includes(index);
    toggle(button, "added", added || (index === locked && model !== letter));
    toggle(button, "hovered", index === hovered && hovered !== locked);
    toggle(button, "same", index !== locked && text !== null && wordLabel(run.words[index]) === text);
    button.setAttribute("aria-pressed", String(index === locked || added));
    button.tabIndex = index === Math.max(0, locked) ? 0 : -1;
  });
}

// Bring the locked word into the card's two lines, without scrolling the page.
/** @param {HTMLElement} words @param {number} locked */
function reveal(words, locked) {
  const button = find(`[data-word="${locked}"]`, words);
  if (!button) return;
  const [box, at] = [words.getBoundingClientRect(), button.getBoundingClientRect()];
  const line = parseFloat(getComputedStyle(words).lineHeight);
  const row = Math.floor((at.top - box.top + words.scrollTop) / line);
  const shown = Math.max(1, Math.floor(box.height / line));
  const first = Math.round(words.scrollTop / line);
  if (row < first || row >= first + shown) words.scrollTop = row * line;
  else words.scrollTop = first * line;
}

/** @param {Word | null | undefined} word */
function alternatives(word) {
  if (!word)
    return [el("span", { class: "faint", text: say("Choose a word to see what else could have stood there.") })];
  const items = word.alternatives.map((item) => {
    const taken = item.text === word.text;
    return el(
      "span",
      { "data-part": "alternative", class: `alternative${taken ? " taken" : ""}` },
      el("span", { class: item.text.trim() ? "" : "mono", text: wordLabel(item) }),
      el("b", { text: percent(item.probability) }),
    );
  });
  return [el("span", { class: "faint", text: say("likeliest here") }), ...items];
}

/** @param {Run} run */
function chain(run) {
  const { account } = run;
  const part = (/** @type {number} */ value, /** @type {string} */ noun) => [
    el("b", { text: count(value) }),
    ` ${noun}`,
  ];
  const arrow = () => el("span", { class: "arrow", text: "→" });
  return [
    el(
      "span",
      {},
      ...part(account.patches, say("patches")),
      arrow(),
      ...part(account.visual_tokens, say("tokens")),
      arrow(),
      ...part(account.prompt_tokens, say("in the prompt")),
    ),
    el("span", {}, `${say("largest position")} `, el("b", { text: count(account.largest_position) })),
  ];
}

/** @param {Run} run */
const spent = (run) => Object.values(run.seconds).reduce((sum, value) => sum + value, 0);

/** @param {number} number */
const tokens = (number) => (number === 1 ? say("1 token") : say("{n} tokens", { n: count(number) }));

/** @param {Run} run */
const summary = (run) => `${tokens(run.account.answer_tokens)} · ${seconds(spent(run))}`;

/** @param {Run} run */
function stoppedTag(run) {
  if (!run.stopped) return null;
  return el("span", {
    class: "tag",
    text: say("stopped after {tokens}", { tokens: tokens(run.account.answer_tokens) }),
  });
}

// What was to be said of the checkpoint's files, of edits the model answered under, and of hooks left on it.
/** @param {Run} run */
function filesNote(run) {
  const { notes } = run;
  if (!notes.length) return null;
  const words =
    notes.length === 1 ? say("1 note on this answer") : say("{n} notes on this answer", { n: notes.length });
  return el(
    "details",
    { class: "files-note", "data-part": "files-note" },
    el("summary", { class: "tag", text: words }),
    el("div", { class: "card" }, ...notes.map((note) => el("p", { text: said(note) }))),
  );
}

// What a model without video was shown of a clip.
/** @param {Run} run */
function clipTag(run) {
  const frames = run.media.filter((media) => isClip(media) && hasAdapter(run)).map((media) => media.patch_grid[0]);
  if (!frames.length) return null;
  const text =
    run.media.length === 1
      ? say("no video: {n} frames as pictures 1 to {n}", { n: frames[0] })
      : say("no video: frames as pictures");
  return el("span", { class: "tag", text });
}

/** @param {Live} live */
function loading(live) {
  if (live.pieces.length) return el("span", { class: "said", text: live.pieces.join("") });
  const wells = [72, 96, 40, 124].map((width) => el("i", { style: { width: `${width}px` } }));
  return el("span", { class: "wells" }, ...wells);
}

/** @param {Failure} error @param {(way: WayOut) => void} act */
function errorCard(error, act) {
  const way = error.way_out;
  return [
    el("b", { class: "bad", text: said(error.title) }),
    el("p", { text: said(error.sentence) }),
    way ? el("button", { type: "button", class: "link", text: said(way.label), onclick: () => act(way) }) : null,
  ];
}

/** @type {Record<string, number>} */
const STEPS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

/** @param {string} name */
const part = (name) => el("div", { class: name, "data-part": name });

/** @param {Event} event */
function wordIndex(event) {
  const button = around(event, ".word");
  return button ? Number(button.dataset.word) : -1;
}

/**
 * @typedef {object} CardGestures
 * @property {(letter: Letter, index: number) => void} onhover
 * @property {(letter: Letter, index: number, adding: boolean) => void} onpick
 * @property {(letter: Letter, by: number) => void} onstep
 * @property {(way: WayOut) => void} act
 */

export class HeadCard {
  /** @param {Letter} letter @param {CardGestures} gestures */
  constructor(letter, gestures) {
    this.letter = letter;
    this.act = gestures.act;
    this.name = part("name");
    this.note = part("card-note");
    this.step = part("step");
    this.words = part("words");
    this.likeliest = part("likeliest");
    this.chain = part("chain");
    this.error = part("error-card");
    this.filled = el("i");
    this.bar = el("div", { class: "progress-line progress", role: "progressbar" }, this.filled);
    this.root = el(
      "section",
      {
        class: "card head-card",
        "data-part": "head-card",
        "data-letter": letter,
        "aria-label": say("Answer {letter}", { letter }),
      },
      el("header", {}, letterBadge(letter), this.name, this.step, this.note),
      this.error,
      this.words,
      this.likeliest,
      this.bar,
      this.chain,
    );
    this.listen(gestures);
  }

  /** @param {CardGestures} gestures */
  listen({ onhover, onpick, onstep }) {
    const { letter, words } = this;
    const over = (/** @type {PointerEvent} */ event) => event.pointerType === "mouse" && wordIndex(event) >= 0;
    words.addEventListener("pointerover", (event) => over(event) && onhover(letter, wordIndex(event)));
    words.addEventListener("pointerleave", () => onhover(letter, -1));
    words.addEventListener("click", (event) => {
      if (wordIndex(event) >= 0) onpick(letter, wordIndex(event), event.shiftKey);
    });
    words.addEventListener("keydown", (event) => {
      if (!STEPS[event.key] || wordIndex(event) < 0) return;
      event.preventDefault();
      event.stopPropagation();
      onstep(letter, STEPS[event.key]);
    });
  }

  /** @param {State} state @param {Selection} selection */
  update(state, selection) {
    const { letter, root } = this;
    const [run, live, failed] = [state.runs[letter], state.live[letter], state.failed[letter]];
    toggle(root, "underway", live);
    toggle(root, "failed", failed);
    toggle(root, "vacant", !run && !live);
    this.updateName(run?.model || state.models[letter], run);
    setText(this.step, live ? said(live.step) : "");
    this.error.hidden = !failed;
    if (failed) refill(this.error, failed, () => errorCard(failed, this.act));
    if (live) this.updateUnderway(live);
    else if (run) this.updateSettled(state, run, selection);
    else [this.words, this.likeliest, this.chain, this.note].forEach((node) => refill(node, null, () => []));
  }

  /** @param {ModelCard | null | undefined} model @param {Run | null} run */
  updateName(model, run) {
    const [name, exact] = model ? [model.size_label, parameters(model.parameters)] : [];
    const size = name === exact ? name : `${name} · ${exact}`;
    refill(this.name, [model?.title, run?.id], () =>
      model ? [el("b", { text: model.title }), el("span", { text: size })] : [],
    );
  }

  /** @param {Live} live */
  updateUnderway(live) {
    const done = `${Math.round(live.progress * 100)}`;
    const spoken = live.pieces.length;
    refill(this.words, ["live", live.pieces], () => loading(live));
    refill(this.note, ["live", spoken], () => (spoken ? say("{tokens} so far", { tokens: tokens(spoken) }) : ""));
    this.filled.style.width = `${done}%`;
    this.bar.setAttribute("aria-valuenow", done);
  }

  /** @param {State} state @param {Run} run @param {Selection} selection */
  updateSettled(state, run, selection) {
    const { letter, words } = this;
    const locked = wordOfToken(run, state.selection.query[letter]);
    const shown = wordOfToken(run, selection.query[letter]);
    refill(words, ["run", run.id], () => wordRun(run.words));
    const hovered = state.preview ? shown : -1;
    const also = state.selection.also[letter].map((token) => wordOfToken(run, token));
    markWords(words, run, { locked, hovered, model: state.selection.model, letter, also });
    const stamp = [run.id, locked, selection.view].join();
    if (words.dataset.revealed !== stamp) reveal(words, locked);
    words.dataset.revealed = stamp;
    refill(this.likeliest, [run.id, selection.query[letter]], () => alternatives(run.words[shown]));
    refill(this.chain, run.id, () => chain(run));
    refill(this.note, ["done", run.id], () => [filesNote(run), stoppedTag(run), clipTag(run), summary(run)]);
  }
}
