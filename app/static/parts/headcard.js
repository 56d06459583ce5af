// The card of one model: its answer as words, the likeliest tokens at the chosen word, and the chain of counts.

import { el, letterBadge, refill, setText, toggle } from "../dom.js";
import { count, parameters, percent, plural, seconds } from "../numbers.js";
import { leadingSpace, unprintable, wordLabel, wordOfToken } from "../words.js";

function wordButton(word, index) {
  const share = el("span", { class: "word-share" }, el("i", { style: { width: `${Math.min(100, word.share * 100)}%` } }));
  const name = `${wordLabel(word)}, word ${index}, ${percent(word.share)} of its row on the image`;
  return el(
    "button",
    { type: "button", class: `word${unprintable(word) ? " special" : ""}${leadingSpace(word) ? " spaced" : ""}`, "data-word": index, tabindex: "-1", "aria-label": name },
    el("span", { class: "word-text", text: wordLabel(word) }),
    share,
  );
}

const GROUP_LETTERS = 24;
const clings = (word) => /^[\p{P}\p{S}\p{Script=Latin}\p{N}]/u.test(word.text);

// Groups the buttons, so that a word's pieces and the punctuation on it do not part at the end of a line.
function wordRun(words) {
  const nodes = [];
  let group = null;
  let letters = 0;
  words.forEach((word, index) => {
    const follows = group && !leadingSpace(word) && !unprintable(word) && clings(word) && letters + word.text.length <= GROUP_LETTERS;
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

function markWords(root, run, { locked, hovered, model, letter }) {
  const text = locked >= 0 ? wordLabel(run.words[locked]) : null;
  root.querySelectorAll(".word").forEach((button) => {
    const index = Number(button.dataset.word);
    toggle(button, "locked", index === locked && model === letter);
    toggle(button, "added", index === locked && model !== letter);
    toggle(button, "hovered", index === hovered && hovered !== locked);
    toggle(button, "same", index !== locked && text !== null && wordLabel(run.words[index]) === text);
    button.setAttribute("aria-pressed", String(index === locked));
    button.tabIndex = index === Math.max(0, locked) ? 0 : -1;
  });
}

// Bring the locked word into the card's two lines, without scrolling the page.
function reveal(words, locked) {
  const button = words.querySelector(`[data-word="${locked}"]`);
  if (!button) return;
  const [box, at] = [words.getBoundingClientRect(), button.getBoundingClientRect()];
  const line = parseFloat(getComputedStyle(words).lineHeight);
  const row = Math.floor((at.top - box.top + words.scrollTop) / line);
  const shown = Math.max(1, Math.floor(box.height / line));
  const first = Math.round(words.scrollTop / line);
  if (row < first || row >= first + shown) words.scrollTop = row * line;
  else words.scrollTop = first * line;
}

function alternatives(word) {
  if (!word) return [el("span", { class: "faint", text: "Choose a word to see what else could have stood there." })];
  const items = word.alternatives.map((item) => {
    const shown = { text: item.text, label: item.label, special: item.special };
    const taken = item.text === word.text || (word.special && item.special && item.id === word.id);
    return el(
      "span",
      { class: `alternative${taken ? " taken" : ""}` },
      el("span", { class: item.text.trim() && !item.special ? "" : "mono", text: item.label || wordLabel(shown) }),
      el("b", { text: percent(item.probability) }),
    );
  });
  return [el("span", { class: "faint", text: "likeliest here" }), ...items];
}

function chain(run) {
  const { account } = run;
  const part = (value, noun) => [el("b", { text: count(value) }), ` ${noun}`];
  const arrow = () => el("span", { class: "arrow", text: "→" });
  return [
    el("span", {}, ...part(account.patches, "patches"), arrow(), ...part(account.visual_tokens, "tokens"), arrow(), ...part(account.prompt_tokens, "in the prompt")),
    el("span", {}, "largest position ", el("b", { text: count(account.largest_position) })),
  ];
}

const spent = (run) => Object.values(run.seconds).reduce((sum, value) => sum + value, 0);

const summary = (run) => `${plural(run.account.answer_tokens, "token")} · ${seconds(spent(run))}`;

function loading(live) {
  const said = live.pieces.join("");
  return [
    said ? el("span", { class: "said", text: said }) : el("span", { class: "wells" }, ...[72, 96, 40, 124].map((width) => el("i", { style: { width: `${width}px` } }))),
  ];
}

function errorCard(error, act) {
  const way = error.way_out ? el("button", { type: "button", class: "link", text: error.way_out.label || error.way_out, onclick: () => act(error.way_out) }) : null;
  return [el("b", { class: "bad", text: error.title }), el("p", { text: error.sentence }), way];
}

const STEPS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

export function createHeadCard(letter, { onhover, onpick, onstep, act }) {
  const part = (name, tag = "div") => el(tag, { class: name });
  const [name, note, step, words, likeliest, footer, bar, error] = ["name", "card-note", "step", "words", "likeliest", "chain", "progress", "error-card"].map((item) => part(item));
  bar.append(el("i"));
  bar.setAttribute("role", "progressbar");
  const root = el("section", { class: "card head-card", "data-letter": letter, "aria-label": `Answer ${letter}` }, el("header", {}, letterBadge(letter), name, step, note), error, words, likeliest, bar, footer);
  const index = (event) => {
    const button = event.target.closest(".word");
    return button ? Number(button.dataset.word) : -1;
  };
  words.addEventListener("pointerover", (event) => event.pointerType === "mouse" && index(event) >= 0 && onhover(letter, index(event)));
  words.addEventListener("pointerleave", () => onhover(letter, -1));
  words.addEventListener("click", (event) => index(event) >= 0 && onpick(letter, index(event), event.shiftKey));
  words.addEventListener("keydown", (event) => {
    if (!STEPS[event.key] || index(event) < 0) return;
    event.preventDefault();
    event.stopPropagation();
    onstep(letter, STEPS[event.key]);
  });

  function names(model, run) {
    refill(name, [model?.title, run?.id], () =>
      model ? [el("b", { text: model.title }), el("span", { text: `${model.size_label} · ${parameters(model.parameters)}` })] : [],
    );
  }

  function settled(state, run, selection) {
    refill(words, ["run", run.id], () => wordRun(run.words));
    const locked = wordOfToken(run, state.selection.query[letter]);
    const hovered = state.preview ? wordOfToken(run, selection.query[letter]) : -1;
    markWords(words, run, { locked, hovered, model: state.selection.model, letter });
    const stamp = [run.id, locked, selection.view].join();
    if (words.dataset.revealed !== stamp) {
      words.dataset.revealed = stamp;
      reveal(words, locked);
    }
    const shown = run.words[wordOfToken(run, selection.query[letter])];
    refill(likeliest, [run.id, selection.query[letter]], () => alternatives(shown));
    refill(footer, run.id, () => chain(run));
    refill(note, ["done", run.id], () => [
      run.stopped ? el("span", { class: "tag", text: `stopped after ${plural(run.account.answer_tokens, "token")}` }) : null,
      summary(run),
    ]);
  }

  function underway(live) {
    refill(words, ["live", live.pieces], () => loading(live));
    refill(note, ["live", live.pieces.length], () => (live.pieces.length ? `${plural(live.pieces.length, "token")} so far` : ""));
    bar.firstChild.style.width = `${Math.round(live.progress * 100)}%`;
    bar.setAttribute("aria-valuenow", Math.round(live.progress * 100));
  }

  return {
    root,
    update(state, selection) {
      const [run, live, failed] = [state.runs[letter], state.live[letter], state.failed[letter]];
      toggle(root, "underway", live);
      toggle(root, "failed", failed);
      toggle(root, "vacant", !run && !live);
      names(run?.model || state.models[letter], run);
      setText(step, live ? live.step : "");
      error.hidden = !failed;
      if (failed) refill(error, failed, () => errorCard(failed, act));
      if (live) underway(live);
      else if (run) settled(state, run, selection);
      else [words, likeliest, footer, note].forEach((node) => refill(node, null, () => []));
    },
  };
}
