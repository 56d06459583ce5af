// The selection as one readable line for the address bar, and back. Indices only, never texts.

import { LETTERS, MOST_ADDED, choices, emptySelection } from "./selection.js";
import { hasView, initialChoices, siteOf } from "./view_registry.js";

/** @import { Choice, Chosen, Letter, Selection, ViewName } from "../core/types.d.ts" */

/** @type {(text: string | undefined) => number | null} */
const indexFrom = (text) => (/^\d+$/.test(text ?? "") ? Number(text) : null);

/** @type {(text: string | undefined) => Choice | null} */
const choiceOf = (text) => (text === "mean" ? "mean" : indexFrom(text));

/**
 * @param {Selection} selection
 * @returns {string}
 */
export function toLine(selection) {
  /** @param {Letter} letter */
  const model = (letter) => {
    const query = selection.query[letter] ?? "";
    return `${letter}=${query},${selection.layer[letter]},${selection.head[letter]}${selection.own[letter] ? ",own" : ""}`;
  };
  const parts = [`view=${selection.view}`, `model=${selection.model}`, model("A"), model("B")];
  parts.push(`media=${selection.media}`, `adapter=${selection.adapter.query},${selection.adapter.head}`);
  /** @param {number[]} values */
  const numbers = (values) => values.map((value) => value.toFixed(4)).join(",");
  if (selection.keys) parts.push(`keys=${numbers(selection.keys)}`);
  if (selection.places.length) parts.push(`places=${numbers(selection.places.flat())}`);
  if (selection.region) parts.push(`region=${numbers(selection.region)}`);
  if (selection.swap) parts.push("swap=1");
  LETTERS.forEach((letter) => selection.also[letter].length && parts.push(`also${letter}=${selection.also[letter]}`));
  if (selection.frame) parts.push(`frame=${selection.frame}`);
  Object.entries(initialChoices()).forEach(([view, initial]) => {
    if (!hasView(view)) return;
    const changed = Object.entries(choices(selection, view)).filter(([name, value]) => value !== initial[name]);
    if (changed.length) parts.push(`${view}=${changed.map(([name, value]) => `${name}:${value}`).join(",")}`);
  });
  return parts.join(";");
}

// A choice of the same kind as its initial value; anything else in an address is left as it was.
/**
 * @param {string} text
 * @param {Chosen} initial
 * @returns {Chosen}
 */
function choiceFrom(text, initial) {
  if (text === "null") return null;
  if (typeof initial === "boolean") return text === "true";
  if (typeof initial === "string" && !Number.isInteger(Number(text))) return text;
  return choiceOf(text) ?? initial;
}

/** @param {Selection} selection @param {ViewName} view @param {string} text */
function choicesFromLine(selection, view, text) {
  const initial = initialChoices()[view];
  const found = text.split(",").map((pair) => pair.split(":"));
  const known = found.filter(([name, value]) => Object.hasOwn(initial, name) && value !== undefined);
  const read = Object.fromEntries(known.map(([name, value]) => [name, choiceFrom(value, initial[name])]));
  Object.assign(selection, { [`of_${view}`]: { ...initial, ...read } });
}

/**
 * @param {Selection} selection
 * @param {Letter} letter
 * @param {string} text
 */
function modelFromLine(selection, letter, text) {
  const [query, layer, head, own] = text.split(",");
  selection.query = { ...selection.query, [letter]: indexFrom(query) };
  selection.layer = { ...selection.layer, [letter]: choiceOf(layer) ?? 0 };
  selection.head = { ...selection.head, [letter]: choiceOf(head) ?? "mean" };
  selection.own = { ...selection.own, [letter]: own === "own" };
}

/** @param {number[]} values */
const within = (values) => values.every((value) => value >= 0 && value <= 1);

/** @param {string} text */
const tokensFrom = (text) =>
  text
    .split(",")
    .map(Number)
    .filter((token) => Number.isInteger(token) && token >= 0)
    .slice(0, MOST_ADDED);

// What each part of the line does to a selection; a part that cannot be read leaves it as it was.
/** @type {Record<string, (selection: Selection, text: string) => void>} */
const READERS = {
  view(selection, text) {
    if (hasView(text)) Object.assign(selection, { view: text, site: siteOf(text) });
  },
  model: (selection, text) => (selection.model = text === "B" ? "B" : "A"),
  A: (selection, text) => modelFromLine(selection, "A", text),
  B: (selection, text) => modelFromLine(selection, "B", text),
  media: (selection, text) => (selection.media = indexFrom(text) ?? 0),
  frame: (selection, text) => (selection.frame = indexFrom(text) ?? 0),
  adapter(selection, text) {
    const [query, head] = text.split(",");
    selection.adapter = { query: Math.max(0, Number.parseInt(query, 10) || 0), head: choiceOf(head) ?? "mean" };
  },
  keys(selection, text) {
    const place = text.split(",").map(Number);
    if (place.length === 2 && within(place)) selection.keys = place;
  },
  places(selection, text) {
    const values = text
      .split(",")
      .map(Number)
      .slice(0, 2 * MOST_ADDED);
    if (values.length % 2 || !within(values)) return;
    selection.places = values.flatMap((value, index) => (index % 2 ? [] : [[value, values[index + 1]]]));
  },
  region(selection, text) {
    const box = text.split(",").map(Number);
    if (box.length === 4 && within(box) && box[0] < box[2] && box[1] < box[3]) selection.region = box;
  },
  swap: (selection, text) => (selection.swap = text === "1"),
  alsoA: (selection, text) => (selection.also = { ...selection.also, A: tokensFrom(text) }),
  alsoB: (selection, text) => (selection.also = { ...selection.also, B: tokensFrom(text) }),
};

/**
 * @param {string | null} line
 * @returns {Selection}
 */
export function fromLine(line) {
  const selection = emptySelection();
  for (const part of (line || "").split(";")) {
    const at = part.indexOf("=");
    const name = part.slice(0, at);
    const text = part.slice(at + 1);
    // A view's choices are pairs; the adapter's query and head, of the same name, are none.
    if (hasView(name) && Object.hasOwn(initialChoices(), name) && text.includes(":"))
      choicesFromLine(selection, name, text);
    else if (Object.hasOwn(READERS, name)) READERS[name](selection, text);
  }
  return selection;
}

const NAMES = ["a", "b", "sel"];

// In the fragment, which no browser sends: a run's id is the permission to see it, and queries stand in servers' logs.
const fragment = () => new URLSearchParams(window.location.hash.slice(1));

/**
 * The page's address with this selection in it.
 *
 * @param {Selection} selection
 * @returns {string}
 */
export function addressOf(selection) {
  const url = new URL(window.location.href);
  const kept = fragment();
  NAMES.forEach((name) => url.searchParams.delete(name));
  LETTERS.forEach((letter) => {
    const name = letter.toLowerCase();
    const run = selection.run[letter];
    if (run) kept.set(name, run);
    else kept.delete(name);
  });
  if (selection.run.A || selection.run.B) kept.set("sel", toLine(selection));
  url.hash = kept.toString();
  return url.toString().replace(/%3D/g, "=").replace(/%3B/g, ";").replace(/%2C/g, ",").replace(/%3A/g, ":");
}

/** @param {Selection} selection */
export function writeAddress(selection) {
  const address = addressOf(selection);
  if (address !== window.location.href) window.history.replaceState(null, "", address);
}

// Links of earlier versions have all three in the query.
export function readAddress() {
  const found = NAMES.some((name) => fragment().has(name)) ? fragment() : new URLSearchParams(window.location.search);
  return { A: found.get("a"), B: found.get("b"), line: found.get("sel") };
}

/** A link that differs in its fragment alone loads no page by itself: follow it. Our own writing is no such event. */
export function reloadAtLinks() {
  window.addEventListener("hashchange", () => {
    if (NAMES.some((name) => fragment().has(name))) window.location.reload();
  });
}
