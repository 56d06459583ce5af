// The page's state, and the one selection that every view is a function of.

/** @import { Both, Letter, Selection, State, Store, View } from "./types.d.ts" */

/** @type {Letter[]} */
export const LETTERS = ["A", "B"];

/** @type {(letter: Letter) => Letter} */
export const other = (letter) => (letter === "A" ? "B" : "A");

// The views, told once by the page: this file does not import them, since they import it.
/** @type {Record<string, View>} */
let views = {};

export const registerViews = (all) => (views = all);

export const hasView = (view) => Object.hasOwn(views, view);

export const siteOf = (view) => views[view].SITE;

// What of the selection a view shows besides the word: "place", "region", "swap"; "picture" where it
// needs one. Esc and Q act on nothing else there.
export const shows = (view, what) => (views[view].SHOWS ?? []).includes(what);

// What letting go of a view's own choice leaves of it, or null where nothing of its own is chosen.
export const letGoOf = (view, selection) => views[view].letGo?.(choices(selection, view)) ?? null;

// What each view lets one choose in it alone, as it begins.
const choicesOf = () =>
  Object.fromEntries(Object.entries(views).flatMap(([id, { CHOICES }]) => (CHOICES ? [[id, { ...CHOICES }]] : [])));

/** @type {<T>(value: T) => Both<T>} */
const both = (value) => ({ A: value, B: value });

/** @returns {Selection} */
export function emptySelection() {
  return {
    run: both(null), // run ids
    view: "answer",
    model: "A", // whose word was pointed at
    site: "language",
    layer: both(0), // a number or "mean"
    head: both("mean"),
    query: both(null), // token index of the word in question, by model
    own: both(false), // true: this model's word was chosen by hand, not by following the other model's
    also: { A: [], B: [] }, // more tokens, whose rows are averaged with that of the word in question
    media: 0,
    adapter: { query: 0, head: "mean" },
    keys: null, // a place on the original picture, [x, y] in 0..1
    places: [], // more places, whose cells are summed with that one's
    region: null, // a rectangle of the original picture, [left, top, right, bottom] in 0..1
    swap: false, // query and key have changed roles: a column, who reads this, in place of a row
    frame: 0,
    ...Object.fromEntries(Object.entries(choicesOf()).map(([view, initial]) => [`of_${view}`, initial])),
  };
}

// Words averaged, or places summed, at most.
export const MOST_ADDED = 64;

// What letting go of everything but the word leaves.
export const NO_PLACE = { keys: null, places: [], region: null };

// What letting go of everything leaves.
export const nothingChosen = () => ({
  ...NO_PLACE,
  query: both(null),
  own: both(false),
  also: { A: [], B: [] },
  swap: false,
});

// What is chosen in one view alone, its CHOICES.
export const choices = (selection, view) => selection[`of_${view}`];

/** @returns {Store} */
export function createStore() {
  /** @type {State} */
  let state = {
    runs: both(null), // run payloads
    models: both(null), // cards of the models, as the last runs named them
    live: both(null), // the last update of an answer in the making
    failed: both(null),
    selection: emptySelection(),
    preview: null, // what hovering adds to the selection, until the pointer leaves
    shared: false, // one scale for both maps
    shown: "A", // the column on a phone
    remark: null, // what a key could not do here, until something else is done
    notice: null, // { sentence, action }: a run that is gone
    stale: null, // a sentence: the question has changed since
    busy: false,
  };
  const listeners = new Set();
  let scheduled = false;
  let drawn = null;

  function changed() {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(() => {
      scheduled = false;
      drawn = state;
      listeners.forEach((listener) => listener(state));
    });
  }

  return {
    get state() {
      return state;
    },
    set(patch) {
      state = { ...state, ...patch };
      changed();
    },
    select(patch) {
      state = { ...state, selection: { ...state.selection, ...patch }, preview: null, remark: null };
      changed();
    },
    preview(patch) {
      if (patch === null && state.preview === null) return;
      state = { ...state, preview: patch, remark: null };
      changed();
    },
    redraw: changed,
    drawnState: () => (scheduled ? null : drawn),
    subscribe: (listener) => listeners.add(listener),
  };
}

/**
 * What is on screen: the locked selection with the hovered one laid over it.
 * @param {State} state
 * @returns {Selection}
 */
export const effective = (state) => (state.preview ? { ...state.selection, ...state.preview } : state.selection);

const asIndex = (text) => (text === "mean" ? "mean" : /^\d+$/.test(text ?? "") ? Number(text) : null);

// The selection as one readable line for the address bar, and back. Indices only, never texts.
export function toLine(selection) {
  const model = (letter) => {
    const query = selection.query[letter] ?? "";
    return `${letter}=${query},${selection.layer[letter]},${selection.head[letter]}${selection.own[letter] ? ",own" : ""}`;
  };
  const parts = [`view=${selection.view}`, `model=${selection.model}`, model("A"), model("B")];
  parts.push(`media=${selection.media}`, `adapter=${selection.adapter.query},${selection.adapter.head}`);
  const numbers = (values) => values.map((value) => value.toFixed(4)).join(",");
  if (selection.keys) parts.push(`keys=${numbers(selection.keys)}`);
  if (selection.places.length) parts.push(`places=${numbers(selection.places.flat())}`);
  if (selection.region) parts.push(`region=${numbers(selection.region)}`);
  if (selection.swap) parts.push("swap=1");
  LETTERS.forEach((letter) => selection.also[letter].length && parts.push(`also${letter}=${selection.also[letter]}`));
  if (selection.frame) parts.push(`frame=${selection.frame}`);
  Object.entries(choicesOf()).forEach(([view, initial]) => {
    const changed = Object.entries(choices(selection, view)).filter(([name, value]) => value !== initial[name]);
    if (changed.length) parts.push(`${view}=${changed.map(([name, value]) => `${name}:${value}`).join(",")}`);
  });
  return parts.join(";");
}

// A choice of the same kind as its initial value; anything else in an address is left as it was.
function choiceFrom(text, initial) {
  if (text === "null") return null;
  if (typeof initial === "boolean") return text === "true";
  if (typeof initial === "string" && !Number.isInteger(Number(text))) return text;
  return asIndex(text) ?? initial;
}

function choicesFromLine(selection, view, text) {
  const initial = choicesOf()[view];
  const found = text.split(",").map((pair) => pair.split(":"));
  const known = found.filter(([name, value]) => Object.hasOwn(initial, name) && value !== undefined);
  const read = Object.fromEntries(known.map(([name, value]) => [name, choiceFrom(value, initial[name])]));
  selection[`of_${view}`] = { ...initial, ...read };
}

function modelFromLine(selection, letter, text) {
  const [query, layer, head, own] = text.split(",");
  selection.query = { ...selection.query, [letter]: query === "" ? null : asIndex(query) };
  selection.layer = { ...selection.layer, [letter]: asIndex(layer) ?? 0 };
  selection.head = { ...selection.head, [letter]: asIndex(head) ?? "mean" };
  selection.own = { ...selection.own, [letter]: own === "own" };
}

const readers = {
  view(selection, text) {
    if (Object.hasOwn(views, text)) [selection.view, selection.site] = [text, siteOf(text)];
  },
  model: (selection, text) => (selection.model = text === "B" ? "B" : "A"),
  A: (selection, text) => modelFromLine(selection, "A", text),
  B: (selection, text) => modelFromLine(selection, "B", text),
  media: (selection, text) => (selection.media = asIndex(text) ?? 0),
  frame: (selection, text) => (selection.frame = asIndex(text) ?? 0),
  adapter(selection, text) {
    const [query, head] = text.split(",");
    selection.adapter = { query: Math.max(0, Number.parseInt(query, 10) || 0), head: asIndex(head) ?? "mean" };
  },
  keys(selection, text) {
    const place = text.split(",").map(Number);
    if (place.length === 2 && place.every((value) => value >= 0 && value <= 1)) selection.keys = place;
  },
};

const within = (values) => values.every((value) => value >= 0 && value <= 1);

Object.assign(readers, {
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
});

const tokensFrom = (text) =>
  text
    .split(",")
    .map(Number)
    .filter((token) => Number.isInteger(token) && token >= 0)
    .slice(0, MOST_ADDED);

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
    if (Object.hasOwn(choicesOf(), name) && text.includes(":")) choicesFromLine(selection, name, text);
    else if (at > 0 && readers[name]) readers[name](selection, text);
  }
  return selection;
}

export function writeAddress(selection) {
  const url = new URL(window.location.href);
  LETTERS.forEach((letter) => {
    const name = letter.toLowerCase();
    if (selection.run[letter]) url.searchParams.set(name, selection.run[letter]);
    else url.searchParams.delete(name);
  });
  if (selection.run.A || selection.run.B) url.searchParams.set("sel", toLine(selection));
  const address = url.toString().replace(/%3D/g, "=").replace(/%3B/g, ";").replace(/%2C/g, ",").replace(/%3A/g, ":");
  if (address !== window.location.href) window.history.replaceState(null, "", address);
}

export function readAddress() {
  const search = new URLSearchParams(window.location.search);
  return { A: search.get("a"), B: search.get("b"), line: search.get("sel") };
}
