// What the server says through the component's value: runs to show, answers in the making, a run that is gone.

import { linkedQuery } from "./actions.js";
import { LETTERS, emptySelection, fromLine, other, readAddress } from "./store.js";
import { wordOfToken } from "./words.js";

const within = (which, size) => (which === "mean" || (which >= 0 && which < size) ? which : "mean");

// A selection from a link may be older than the run it meets: hold every index inside the run.
function fitted(selection, letter, run) {
  const { layers, heads } = run.sites.language;
  const known = wordOfToken(run, selection.query[letter]) >= 0;
  return {
    ...selection,
    layer: { ...selection.layer, [letter]: within(selection.layer[letter], layers) },
    head: { ...selection.head, [letter]: within(selection.head[letter], heads) },
    query: { ...selection.query, [letter]: known ? selection.query[letter] : null },
    media: Math.min(selection.media, Math.max(0, run.media.length - 1)),
  };
}

export function createRuns(store, client, actions) {
  let restored = readAddress();
  let turn = 0;
  let before = { A: null, B: null };

  function begin(letter, run) {
    const { selection, runs } = store.state;
    const start = { layer: { ...selection.layer, [letter]: run.start.layer }, head: { ...selection.head, [letter]: run.start.head } };
    const far = runs[other(letter)];
    const lead = letter === "A" || !far || selection.query[other(letter)] === null ? letter : other(letter);
    const word = lead === letter ? run.start.word : wordOfToken(far, selection.query[lead]);
    store.select({ ...start, model: lead, query: linkedQuery(store.state, lead, word), own: { A: false, B: false }, keys: null, media: 0, frame: 0 });
  }

  function adopt(letter, run, keepSelection) {
    const { state } = store;
    const selection = { ...state.selection, run: { ...state.selection.run, [letter]: run.id } };
    store.set({
      runs: { ...state.runs, [letter]: run },
      models: { ...state.models, [letter]: run.model },
      live: { ...state.live, [letter]: null },
      failed: { ...state.failed, [letter]: null },
      selection: keepSelection ? fitted(selection, letter, run) : selection,
    });
    if (!keepSelection) begin(letter, run);
    const runs = LETTERS.map((each) => store.state.runs[each]).filter(Boolean);
    window.dispatchEvent(new CustomEvent("inspector-runs", { detail: { runs } }));
  }

  async function load(letter, id, keepSelection, now) {
    const run = await client.fetchOnce("run", { run: id });
    if (now !== turn) return;
    if (run.error) store.set({ notice: run.error, live: { ...store.state.live, [letter]: null } });
    else adopt(letter, run, keepSelection);
  }

  function show({ runs, sentence }) {
    turn += 1;
    const line = restored.line && LETTERS.every((letter) => (runs[letter] || null) === (restored[letter] || null)) ? restored.line : null;
    restored = {};
    const view = line ? null : store.state.selection.view;
    const selection = line ? fromLine(line) : { ...emptySelection(), view };
    store.set({ busy: false, notice: sentence || null, failed: { A: null, B: null }, live: { A: null, B: null }, runs: { A: null, B: null }, selection });
    LETTERS.filter((letter) => runs[letter]).forEach((letter) => load(letter, runs[letter], Boolean(line), turn));
  }

  // No answer came of it: what stood here before the question comes back.
  function giveUp(letter, error) {
    const { state } = store;
    const earlier = before[letter];
    if (earlier && !state.runs[letter]) adopt(letter, earlier, false);
    store.set({ failed: { ...store.state.failed, [letter]: error }, live: { ...store.state.live, [letter]: null } });
  }

  function follow(letter, update) {
    if (!update) return;
    if (update.state === "error") {
      giveUp(letter, update.error);
    } else if (update.state === "stopped" && !update.run) {
      giveUp(letter, null);
    } else if (update.run) {
      if (store.state.selection.run[letter] !== update.run) load(letter, update.run, false, turn);
    } else {
      store.set({ live: { ...store.state.live, [letter]: update } });
    }
  }

  function ask(message) {
    if (message.turn !== store.state.turn) {
      turn += 1;
      actions.stopPlaying();
      before = store.state.runs;
      store.set({ turn: message.turn, notice: null, failed: { A: null, B: null }, runs: { A: null, B: null } });
      store.select({ run: { A: null, B: null }, query: { A: null, B: null }, keys: null, media: 0 });
      window.dispatchEvent(new CustomEvent("inspector-asked"));
    }
    LETTERS.forEach((letter) => follow(letter, message[letter]));
    store.set({ busy: !message.finished });
  }

  const HEARD = { runs: show, asking: ask };

  function hear(message) {
    if (message) store.set({ outside: Boolean(message.outside) });
    if (message && HEARD[message.kind]) HEARD[message.kind](message);
  }

  return { hear };
}
