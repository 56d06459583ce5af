// What gestures do to the selection. Hovering previews, clicking locks, Esc lets go.

import { cellAt, placeOf } from "./geometry.js";
import { LETTERS, choices, effective, hasView, other, siteOf } from "./store.js";
import { linkedWord, tokenOfWord, wordOfToken } from "./words.js";

const PLAY_MS = 700;
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

// Token indices for both models when word `index` of one is chosen.
export function linkedQuery(state, letter, index) {
  const run = state.runs[letter];
  const query = { ...state.selection.query, [letter]: tokenOfWord(run, index) };
  const far = state.runs[other(letter)];
  if (far) query[other(letter)] = tokenOfWord(far, linkedWord(run, index, far).index);
  return query;
}

function wordActions(store) {
  const wordAt = (letter) => wordOfToken(store.state.runs[letter], store.state.selection.query[letter]);

  function lockWord(letter, index) {
    const { state } = store;
    if (!state.runs[letter]?.words[index]) return;
    const query = linkedQuery(state, letter, index);
    store.select({ model: letter, site: "language", query, own: { A: false, B: false } });
  }

  function addWord(letter, index) {
    const { selection, runs } = store.state;
    store.select({
      query: { ...selection.query, [letter]: tokenOfWord(runs[letter], index) },
      own: { ...selection.own, [letter]: true },
    });
  }

  function pickWord(letter, index, adding) {
    const { selection } = store.state;
    if (adding) addWord(letter, index);
    else if (selection.model === letter && wordAt(letter) === index) letGoOfWord();
    else lockWord(letter, index);
  }

  const letGoOfWord = () => store.select({ query: { A: null, B: null }, own: { A: false, B: false } });

  function hoverWord(letter, index) {
    if (index < 0) return store.preview(null);
    return store.preview({
      model: letter,
      query: linkedQuery(store.state, letter, index),
      own: { A: false, B: false },
    });
  }

  function stepWord(by, letter = store.state.selection.model) {
    const run = store.state.runs[letter];
    if (!run) return false;
    const at = wordAt(letter);
    const next = at < 0 ? 0 : clamp(at + by, 0, run.words.length - 1);
    lockWord(letter, next);
    return next !== at;
  }

  return { lockWord, pickWord, hoverWord, stepWord, letGoOfWord };
}

function playing(store, stepWord) {
  let timer = null;
  function stop() {
    clearInterval(timer);
    timer = null;
    if (store.state.playing) store.set({ playing: false });
  }
  function play() {
    if (timer) return stop();
    store.set({ playing: true });
    timer = setInterval(() => stepWord(1) || stop(), PLAY_MS);
    return undefined;
  }
  return { play, stopPlaying: stop };
}

function placeActions(store) {
  const grid = (letter) => {
    const { runs, selection } = store.state;
    const media = runs[letter]?.media[selection.media];
    return media ? (letter === "A" ? media.patch_grid : media.token_grid) : null;
  };

  function sameCell(place, keys) {
    if (!keys) return false;
    return LETTERS.every(
      (letter) => !grid(letter) || cellAt(place, grid(letter)).index === cellAt(keys, grid(letter)).index,
    );
  }

  function stepPlace(letter, rows, columns) {
    const cells = grid(letter);
    if (!cells) return;
    const from = store.state.selection.keys ?? [0.5, 0.5];
    const { row, column } = cellAt(from, cells);
    store.select({
      keys: placeOf(clamp(row + rows, 0, cells[1] - 1), clamp(column + columns, 0, cells[2] - 1), cells),
    });
  }

  return {
    hoverPlace: (place) => store.preview(place ? { keys: place } : null),
    pickPlace: (place) => store.select({ keys: sameCell(place, store.state.selection.keys) ? null : place }),
    stepPlace,
  };
}

function headActions(store) {
  const change = (letter, layer, head) => {
    const { selection } = store.state;
    return { layer: { ...selection.layer, [letter]: layer }, head: { ...selection.head, [letter]: head } };
  };
  return {
    pickHead: (letter, layer, head) => store.select(change(letter, layer, head)),
    hoverHead: (letter, layer, head) =>
      store.preview(layer === null || layer === undefined ? null : change(letter, layer, head)),
  };
}

function adapterActions(store) {
  const last = () => (store.state.runs.A?.sites.adapter?.queries ?? 1) - 1;
  const change = (patch) => ({ adapter: { ...store.state.selection.adapter, ...patch } });
  return {
    pickQuery: (query) => store.select(change({ query: clamp(Math.round(query), 0, last()) })),
    hoverQuery: (query) => store.preview(query === null ? null : change({ query })),
    pickAdapterHead: (head) => store.select(change({ head })),
  };
}

export function createActions(store) {
  const words = wordActions(store);

  function letGo() {
    const { selection, preview } = store.state;
    if (preview) store.preview(null);
    else if (selection.keys) store.select({ keys: null });
    else if (LETTERS.some((letter) => selection.query[letter] !== null)) words.letGoOfWord();
  }

  return {
    ...words,
    ...playing(store, words.stepWord),
    ...placeActions(store),
    ...headActions(store),
    ...adapterActions(store),
    letGo,
    pickView: (view) => hasView(view) && store.select({ view, site: siteOf(view), keys: null }),
    choose: (view, patch) => store.select({ [`of_${view}`]: { ...choices(store.state.selection, view), ...patch } }),
    tryChoice: (view, patch) =>
      store.preview(patch && { [`of_${view}`]: { ...choices(store.state.selection, view), ...patch } }),
    pickMedia: (media) => store.select({ media, keys: null, frame: 0 }),
    show: (letter) => store.set({ shown: letter }),
    effective: () => effective(store.state),
  };
}
