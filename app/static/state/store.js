// The page's state: runs, what is under way, and the selection; drawn at most once per frame.

import { both, emptySelection } from "./selection.js";

/** @import { Selection, State, Store } from "../core/types.d.ts" */

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
  /** @type {Set<(state: State) => void>} */
  const listeners = new Set();
  let scheduled = false;
  /** @type {State | null} */
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
