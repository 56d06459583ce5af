// What gestures do to the selection. Hovering previews, clicking locks, Esc lets go.

import { cellAt, cellBox, placeOf } from "../core/geometry.js";
import { ownGrid } from "../core/families.js";
import { rectangle } from "../core/rectangle.js";
import { LETTERS, MOST_ADDED, NO_PLACE, other, withChoices } from "./selection.js";
import { effective } from "./store.js";
import { hasView, letGoOf, shows, siteOf } from "./view_registry.js";
import { linkedWord, sameWord, tokenOfWord, wordOfToken } from "./words.js";

/**
 * @import {
 *   Choice, Letter, OfViews, Place, Region, Selection, State, Store, ViewName
 * } from "../core/types.d.ts"
 */

const PLAY_MS = 700;
/** @param {number} value @param {number} low @param {number} high */
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

// Token indices for both models when word `index` of one is chosen.
/** @param {State} state @param {Letter} letter @param {number} index */
export function linkedQuery(state, letter, index) {
  const run = state.runs[letter];
  const query = { ...state.selection.query, [letter]: tokenOfWord(run, index) };
  const far = state.runs[other(letter)];
  if (run && far) query[other(letter)] = tokenOfWord(far, linkedWord(run, index, far).index);
  return query;
}

// The words of the other model that are the same as those added to one's; what it never said is not averaged in.
/**
 * @param {State} state
 * @param {Letter} letter
 * @param {number[]} tokens
 * @returns {number[]}
 */
function linkedAlso(state, letter, tokens) {
  const [run, far] = [state.runs[letter], state.runs[other(letter)]];
  if (!run || !far) return [];
  const words = tokens.map((token) => wordOfToken(run, token)).filter((word) => word >= 0);
  const same = words.map((word) => sameWord(run, word, far)).filter((word) => word >= 0);
  return [...new Set(same.flatMap((word) => tokenOfWord(far, word) ?? []))];
}

/** @typedef {Pick<Selection, "query" | "also">} Words */

/** @param {Store} store */
function wordActions(store) {
  /** @param {Letter} letter */
  const wordAt = (letter) => wordOfToken(store.state.runs[letter], store.state.selection.query[letter]);
  const alone = () => ({ own: { A: false, B: false }, also: { A: [], B: [] } });

  /** @param {Letter} letter @param {number} index */
  function lockWord(letter, index) {
    const { state } = store;
    if (!state.runs[letter]?.words[index]) return;
    store.select({ model: letter, site: "language", query: linkedQuery(state, letter, index), ...alone() });
  }

  // Shift-click: in the column that leads, one more row to average, or one less; in the other, its word by hand.
  /** @param {Letter} letter @param {number} token */
  function addToken(letter, token) {
    const { selection } = store.state;
    const first = selection.query[letter];
    if (first === null || (selection.model !== letter && !selection.own[letter])) {
      const leads = selection.query[selection.model] === null;
      const own = leads ? selection.own : { ...selection.own, [letter]: true };
      const model = leads ? letter : selection.model;
      return store.select({ model, own, ...setOf(selection, letter, [token]) });
    }
    const chosen = [first, ...selection.also[letter]];
    const next = chosen.includes(token)
      ? chosen.filter((one) => one !== token)
      : [...chosen, token].slice(0, MOST_ADDED);
    return next.length ? store.select(following(setOf(selection, letter, next), letter)) : letGoOfWord();
  }

  /** @type {(selection: Selection, letter: Letter, tokens: number[]) => Words} */
  const setOf = (selection, letter, [first, ...rest]) => ({
    query: { ...selection.query, [letter]: first },
    also: { ...selection.also, [letter]: rest },
  });

  // The other column follows the one that leads, unless its word was chosen by hand.
  /**
   * @param {Words} change
   * @param {Letter} letter
   * @returns {Words}
   */
  function following(change, letter) {
    const { state } = store;
    const far = other(letter);
    if (letter !== state.selection.model || state.selection.own[far] || !state.runs[far]) return change;
    const word = wordOfToken(state.runs[letter], change.query[letter]);
    if (word < 0) return change;
    const query = linkedQuery(state, letter, word);
    const also = linkedAlso(state, letter, change.also[letter]).filter((token) => token !== query[far]);
    return { query: { ...query, [letter]: change.query[letter] }, also: { ...change.also, [far]: also } };
  }

  /** @param {Letter} letter @param {number} index @param {boolean} adding */
  function pickWord(letter, index, adding) {
    const { selection, runs } = store.state;
    const token = tokenOfWord(runs[letter], index);
    if (adding && token !== null) addToken(letter, token);
    else if (selection.model === letter && wordAt(letter) === index && !selection.also[letter].length) letGoOfWord();
    else lockWord(letter, index);
  }

  const letGoOfWord = () => store.select({ query: { A: null, B: null }, ...alone(), swap: false });

  /** @param {Letter} letter @param {number} index */
  function hoverWord(letter, index) {
    if (index < 0) return store.preview(null);
    return store.preview({ model: letter, query: linkedQuery(store.state, letter, index), ...alone() });
  }

  // Any token of prompt or answer, pointed at on the ribbon: the other column stays where it is.
  /** @param {Letter} letter @param {number} token */
  function tokenChange(letter, token) {
    const { selection, runs } = store.state;
    const word = wordOfToken(runs[letter], token);
    if (word >= 0) return { model: letter, query: linkedQuery(store.state, letter, word), ...alone() };
    const own = { A: true, B: true };
    return { model: letter, query: { ...selection.query, [letter]: token }, own, also: { A: [], B: [] } };
  }

  /** @param {Letter} letter @param {number | null} token */
  const hoverToken = (letter, token) => store.preview(token === null ? null : tokenChange(letter, token));

  /** @param {Letter} letter @param {number} token @param {boolean} adding */
  function pickToken(letter, token, adding) {
    if (adding) return addToken(letter, token);
    const { selection } = store.state;
    if (selection.model === letter && selection.query[letter] === token) return letGoOfWord();
    return store.select(tokenChange(letter, token));
  }

  /** @param {number} by @param {Letter} letter */
  function stepWord(by, letter = store.state.selection.model) {
    const run = store.state.runs[letter];
    if (!run) return false;
    const at = wordAt(letter);
    const next = at < 0 ? 0 : clamp(at + by, 0, run.words.length - 1);
    lockWord(letter, next);
    return next !== at;
  }

  // One token further along the ribbon, from wherever it is.
  /** @param {Letter} letter @param {number} by */
  function stepToken(letter, by) {
    const run = store.state.runs[letter];
    const at = store.state.selection.query[letter];
    if (run) store.select(tokenChange(letter, clamp((at ?? run.answer_start) + by, 0, run.tokens.id.length - 1)));
  }

  return { lockWord, pickWord, hoverWord, stepWord, letGoOfWord, hoverToken, pickToken, stepToken };
}

/** @param {Store} store @param {(by: number) => boolean} stepWord */
function playing(store, stepWord) {
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;
  function stop() {
    clearInterval(timer);
    timer = undefined;
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

/** @param {Store} store */
function placeActions(store) {
  /** @param {Letter} letter */
  const grid = (letter) => {
    const { runs, selection } = store.state;
    const run = runs[letter];
    const media = run?.media[selection.media];
    return media ? ownGrid(run, media) : null;
  };

  /** @param {Place} place @param {Place | null} keys */
  function sameCell(place, keys) {
    if (!keys) return false;
    return LETTERS.map(grid).every((cells) => !cells || cellAt(place, cells).index === cellAt(keys, cells).index);
  }

  // Shift-click: one more cell to sum, or one less.
  /** @param {Place} place */
  function addPlace(place) {
    const { keys, places } = store.state.selection;
    const all = keys ? [keys, ...places] : places;
    const rest = all.filter((one) => !sameCell(place, one));
    const next = rest.length < all.length ? rest : [...all, place].slice(0, MOST_ADDED);
    store.select({ keys: next[0] ?? null, places: next.slice(1), region: null });
  }

  /** @param {Place} place @param {boolean} [adding] */
  function pickPlace(place, adding) {
    const { keys, places } = store.state.selection;
    if (adding) return addPlace(place);
    const again = !places.length && sameCell(place, keys);
    return store.select({ ...NO_PLACE, keys: again ? null : place });
  }

  /** @param {Letter} letter @param {number} rows @param {number} columns */
  function stepPlace(letter, rows, columns) {
    const cells = grid(letter);
    if (!cells) return;
    const from = store.state.selection.keys ?? [0.5, 0.5];
    const { row, column } = cellAt(from, cells);
    const [down, right] = [clamp(row + rows, 0, cells[1] - 1), clamp(column + columns, 0, cells[2] - 1)];
    store.select({ ...NO_PLACE, keys: placeOf(down, right, cells) });
  }

  // The rectangle from the chosen cell on, one cell larger or smaller to the right or below: a region without a pointer.
  /** @param {Letter} letter @param {number} rows @param {number} columns */
  function stretchRegion(letter, rows, columns) {
    const cells = grid(letter);
    if (!cells) return;
    const { keys, region } = store.state.selection;
    const { row, column } = cellAt(keys ?? [0.5, 0.5], cells);
    const [left, top, right, bottom] = region ?? cellBox(row, column, [1, 1], cells);
    const [wide, tall] = [1 / cells[2], 1 / cells[1]];
    const edges = [clamp(right + columns * wide, left + wide, 1), clamp(bottom + rows * tall, top + tall, 1)];
    store.select({ places: [], region: [left, top, ...edges] });
  }

  return {
    stretchRegion,
    hoverPlace: (/** @type {Place | null} */ place) => store.preview(place ? { keys: place, places: [] } : null),
    pickPlace,
    stepPlace,
    // A rectangle while it is drawn, and once it is done.
    drawRegion: (/** @type {Region | null} */ region) => store.preview({ ...NO_PLACE, region }),
    pickRegion: (/** @type {Region | null} */ region) => store.select({ ...NO_PLACE, region }),
  };
}

/** @param {Store} store */
function headActions(store) {
  /** @param {Letter} letter @param {Choice} layer @param {Choice} head */
  const change = (letter, layer, head) => {
    const { selection } = store.state;
    return { layer: { ...selection.layer, [letter]: layer }, head: { ...selection.head, [letter]: head } };
  };
  return {
    /** @param {Letter} letter @param {Choice} layer @param {Choice} head */
    pickHead: (letter, layer, head) => store.select(change(letter, layer, head)),
    /** @param {Letter} letter @param {Choice | null} [layer] null for none @param {Choice} [head] */
    hoverHead: (letter, layer = null, head = "mean") =>
      store.preview(layer === null ? null : change(letter, layer, head)),
  };
}

/** @param {Store} store */
function adapterActions(store) {
  const withAdapter = () => LETTERS.map((letter) => store.state.runs[letter]).find((run) => run?.sites.adapter);
  const last = () => (withAdapter()?.sites.adapter?.queries ?? 1) - 1;
  const change = (/** @type {number} */ query) => ({ adapter: { ...store.state.selection.adapter, query } });
  return {
    pickQuery: (/** @type {number} */ query) => store.select(change(clamp(Math.round(query), 0, last()))),
    hoverQuery: (/** @type {number | null} */ query) => store.preview(query === null ? null : change(query)),
  };
}

/** @param {Store} store */
export function createActions(store) {
  const words = wordActions(store);

  function letGo() {
    const { selection, preview } = store.state;
    const { view } = selection;
    const rest = letGoOf(view, selection);
    if (preview) store.preview(null);
    else if (rest) store.select(withChoices(selection, view, rest));
    else if (selection.swap && shows(view, "swap")) store.select({ swap: false });
    else if ((selection.keys && shows(view, "place")) || (selection.region && shows(view, "region")))
      store.select(NO_PLACE);
    else if (LETTERS.some((letter) => selection.query[letter] !== null)) words.letGoOfWord();
  }

  // A view without a row has nothing to swap, and says so: nothing changes out of sight.
  function swap() {
    const { selection } = store.state;
    if (shows(selection.view, "swap")) store.select({ swap: !selection.swap });
    else store.set({ remark: "swap" });
  }

  // A rectangle goes along to the view that asks what depends on it.
  /** @param {ViewName} view @returns {Partial<Selection>} */
  function carried(view) {
    const { selection } = store.state;
    if (view !== "causes" || !selection.region) return {};
    const [left, top, right, bottom] = selection.region;
    const drawn = { shape: "box", ...rectangle([left, top], [right, bottom]) };
    return { region: null, ...withChoices(selection, "causes", drawn) };
  }

  return {
    ...words,
    ...playing(store, words.stepWord),
    ...placeActions(store),
    ...headActions(store),
    ...adapterActions(store),
    letGo,
    swap,
    pickView: (/** @type {string} */ view) =>
      hasView(view) && store.select({ view, site: siteOf(view), ...carried(view) }),
    /** @type {<View extends ViewName>(view: View, patch: Partial<OfViews[`of_${View}`]>) => void} */
    choose: (view, patch) => store.select(withChoices(store.state.selection, view, patch)),
    /** @type {<View extends ViewName>(view: View, patch: Partial<OfViews[`of_${View}`]> | null) => void} */
    tryChoice: (view, patch) => store.preview(patch && withChoices(store.state.selection, view, patch)),
    pickMedia: (/** @type {number} */ media) => store.select({ media, ...NO_PLACE, frame: 0 }),
    show: (/** @type {Letter} */ letter) => store.set({ shown: letter }),
    effective: () => effective(store.state),
  };
}
