// What the server says through the component's value: runs to show, answers in the making, a run that is gone.

import { linkedQuery } from "../state/actions.js";
import { publish } from "../state/news.js";
import { fromLine, readAddress, reloadAtLinks } from "../state/address.js";
import { LETTERS, NO_PLACE, emptySelection, nothingChosen, other } from "../state/selection.js";
import { wordOfToken } from "../state/words.js";

/**
 * @import {
 *   Actions, AskingMessage, Both, Choice, Failure, Letter, Live, Run, RunsMessage, Selection, Store
 * } from "../core/types.d.ts"
 */

/** @typedef {RunsMessage | AskingMessage} Message what the server says through the component's value */

const none = () => ({ A: null, B: null });

/**
 * @param {Choice} which
 * @param {number} size
 * @returns {Choice}
 */
const within = (which, size) => (which === "mean" || (which >= 0 && which < size) ? which : "mean");

/** @param {Selection["adapter"]} chosen @param {Run["sites"]} sites */
function fittedAdapter({ query, head }, { adapter }) {
  return adapter ? { query: Math.min(query, adapter.queries - 1), head: within(head, adapter.heads) } : { query, head };
}

/**
 * A selection from a link may be older than the run it meets: hold every index inside the run.
 * @param {Selection} selection
 * @param {Letter} letter
 * @param {Run} run
 * @returns {Selection}
 */
function fitted(selection, letter, run) {
  const { layers, heads } = run.sites.language;
  const token = selection.query[letter];
  return {
    ...selection,
    layer: { ...selection.layer, [letter]: within(selection.layer[letter], layers) },
    head: { ...selection.head, [letter]: within(selection.head[letter], heads) },
    query: { ...selection.query, [letter]: token !== null && token < run.tokens.id.length ? token : null },
    also: { ...selection.also, [letter]: selection.also[letter].filter((one) => one < run.tokens.id.length) },
    adapter: fittedAdapter(selection.adapter, run.sites),
    media: Math.min(selection.media, Math.max(0, run.media.length - 1)),
  };
}

export class Runs {
  /**
   * @param {Store} store
   * @param {import("../state/client.js").Client} client
   * @param {Actions} actions
   */
  constructor(store, client, actions) {
    this.store = store;
    this.client = client;
    this.actions = actions;
    this.turn = 0;
    /** @type {Both<Run | null>} */
    this.before = none();
    /** @type {{ A?: string | null, B?: string | null, line?: string | null }} */
    this.restored = readAddress();
    reloadAtLinks();
  }

  /** @param {Message | null | undefined} message */
  hear(message) {
    if (!message) return;
    this.store.set({ outside: Boolean(message.outside) });
    if (message.kind === "runs") this.show(message);
    if (message.kind === "asking") this.ask(message);
  }

  // The selection in the address belongs to the first runs that are shown, if they are the ones it names.
  /** @param {Record<string, string>} runs */
  restoredLine(runs) {
    const { restored } = this;
    this.restored = {};
    return LETTERS.every((letter) => (runs[letter] || null) === (restored[letter] || null)) ? restored.line : null;
  }

  // A message may bring the selection itself (`line`), as that of a page saved as one file does.
  /** @param {RunsMessage} message */
  show({ runs, sentence, line: brought }) {
    this.turn += 1;
    const line = brought ?? this.restoredLine(runs);
    const { view, site } = this.store.state.selection;
    const selection = line ? fromLine(line) : { ...emptySelection(), view, site };
    const cleared = { failed: none(), live: none(), runs: none(), busy: false };
    this.store.set({ ...cleared, notice: sentence || null, selection });
    LETTERS.forEach((letter) => {
      const id = runs[letter];
      if (id) this.load(letter, id, Boolean(line));
    });
  }

  /** @param {AskingMessage} message */
  ask(message) {
    if (message.turn !== this.store.state.turn) this.begin(message.turn);
    LETTERS.forEach((letter) => {
      const update = message[letter];
      if (update) this.follow(letter, update);
    });
    this.store.set({ busy: !message.finished });
  }

  /** @param {string} turn */
  begin(turn) {
    const { store } = this;
    this.turn += 1;
    this.before = store.state.runs;
    this.actions.stopPlaying();
    store.set({ turn, notice: null, failed: none(), runs: none() });
    store.select({ run: none(), ...nothingChosen(), media: 0 });
    window.dispatchEvent(new CustomEvent("inspector-asked"));
  }

  /** @param {Letter} letter @param {Live} update */
  follow(letter, update) {
    const { store } = this;
    if (update.state === "error") this.giveUp(letter, update.error);
    else if (update.state === "stopped" && !update.run) this.giveUp(letter, null);
    else if (!update.run) store.set({ live: { ...store.state.live, [letter]: update } });
    else if (store.state.selection.run[letter] !== update.run) this.load(letter, update.run, false);
  }

  // No answer came of it: what stood here before the question comes back.
  /** @param {Letter} letter @param {Failure | null} error */
  giveUp(letter, error) {
    const { store } = this;
    const earlier = this.before[letter];
    if (earlier && !store.state.runs[letter]) this.adopt(letter, earlier, false);
    const { failed, live } = store.state;
    store.set({ failed: { ...failed, [letter]: error }, live: { ...live, [letter]: null } });
  }

  /**
   * @param {Letter} letter
   * @param {string} id
   * @param {boolean} keepSelection
   */
  async load(letter, id, keepSelection) {
    const now = this.turn;
    const run = await this.client.fetchOnce("run", { run: id });
    if (now !== this.turn) return;
    if ("error" in run) this.store.set({ notice: run.error, live: { ...this.store.state.live, [letter]: null } });
    else this.adopt(letter, run, keepSelection);
  }

  /**
   * @param {Letter} letter
   * @param {Run} run
   * @param {boolean} keepSelection
   */
  adopt(letter, run, keepSelection) {
    const { store } = this;
    const { runs, models, live, failed } = store.state;
    const selection = { ...store.state.selection, run: { ...store.state.selection.run, [letter]: run.id } };
    store.set({
      runs: { ...runs, [letter]: run },
      models: { ...models, [letter]: run.model },
      live: { ...live, [letter]: null },
      failed: { ...failed, [letter]: null },
      selection: keepSelection ? fitted(selection, letter, run) : selection,
    });
    if (!keepSelection) this.start(letter, run);
    const shown = LETTERS.map((each) => store.state.runs[each]).filter((one) => one !== null);
    publish("inspector-runs", { runs: shown });
  }

  /**
   * Begin at the most telling word, layer and head; the column that was first leads.
   * @param {Letter} letter
   * @param {Run} run
   */
  start(letter, run) {
    const { selection, runs } = this.store.state;
    const far = other(letter);
    const led = letter === "B" && runs[far] !== null && selection.query[far] !== null;
    const lead = led ? far : letter;
    const word = led ? wordOfToken(runs[far], selection.query[far]) : run.start.word;
    this.store.select({
      layer: { ...selection.layer, [letter]: run.start.layer },
      head: { ...selection.head, [letter]: run.start.head },
      model: lead,
      query: linkedQuery(this.store.state, lead, word),
      own: { A: false, B: false },
      also: { A: [], B: [] },
      swap: false,
      ...NO_PLACE,
      media: 0,
      frame: 0,
    });
  }
}
