// What Causes asks the server: one effect a column, the latest wins; curves that go on step by step until stopped.

import { LETTERS } from "../../state/selection.js";

/** @import { CausesChoices, CausesCurves, CausesTold, Choice, Told } from "../../core/types.d.ts" */
/** @import { Context, Letter, Sentence, Server } from "../../core/types.d.ts" */
/** @import { ChosenPlace } from "./drawn_region.js" */
/** @import { decode } from "../../state/client.js" */

/**
 * What is asked about one model, whichever tool takes the place away.
 * @typedef {object} AskedOfAll
 * @property {string} run
 * @property {number} query
 * @property {number} media
 * @property {ChosenPlace} place
 * @property {Choice} [layer] of the map whose half is taken away
 * @property {Choice} [head]
 */

/** @typedef {AskedOfAll & { tool: "paint", fill: string, frame: number }} AskedPaint */

/** @typedef {AskedOfAll & { tool: "block", rows: string, through: string, layers: number[] }} AskedBlock */

/** @typedef {AskedPaint | AskedBlock} Asked */

/** @typedef {{ run: string, query: number, media: number, layer: Choice, head: Choice, fill: string }} CurvesAsked */

/** @typedef {"deletion" | "insertion"} CurveKind */

/**
 * What is known about one question, and the picture as it was painted once that is loaded.
 * @typedef {object} Held
 * @property {string | null} key
 * @property {Asked | null} asked
 * @property {CausesTold | null} value
 * @property {Sentence | null} error
 * @property {HTMLImageElement | null} image
 * @property {boolean} late
 * @property {number} [milliseconds]
 */

/** @typedef {{ key: string, asked: Asked }} WantedEffect */

/** @typedef {{ now: Held, wanted: WantedEffect | null, flying: boolean }} Effects */

/**
 * One column's walk through the curves: its question and what was told of it last.
 * @typedef {{ key: string | null, told: CausesCurves | null }} Walk
 */

/** @typedef {(patch: Partial<CausesChoices>) => void} Choose */

/**
 * What the view's parts share: who asks, and what their controls do.
 * @typedef {object} Work
 * @property {ReturnType<typeof createAsker>} asker
 * @property {ReturnType<typeof createWalker>} walker
 * @property {Choose} choose
 * @property {() => void} begin
 * @property {(letter: Letter) => void} walk
 */

const SLOW = 3000; // milliseconds: an effect that took longer waits for its button the next time
const POLL = 300;
const FAILED = "The server did not answer: is it still running? Reload the page to try again.";

/**
 * @template {"causes" | "causes_curves"} Asked
 * @param {Server} server
 * @param {typeof decode} read
 * @param {Asked} name
 * @param {object} query
 * @returns {Promise<Told<Asked>>}
 */
async function request(server, read, name, query) {
  try {
    return /** @type {Told<Asked>} */ (read(await server[name](query)));
  } catch {
    return { error: FAILED };
  }
}

/** @type {Held} */
const NOTHING = { key: null, value: null, error: null, image: null, late: false, asked: null };

// Effects by letter. They are asked by themselves once a visitor has chosen a place on this page (`live`), since what
// came with a link may be large; only the last of each column is kept, with its picture.
/** @param {Context} ctx @param {typeof decode} read */
export function createAsker(ctx, read) {
  /** @type {Record<string, Effects>} */
  const held = Object.fromEntries(LETTERS.map((letter) => [letter, { now: NOTHING, wanted: null, flying: false }]));
  const asker = { live: false, look };

  /** @param {string | undefined} source */
  function picture(source) {
    if (!source) return null;
    const image = new Image();
    image.onload = ctx.store.redraw;
    image.src = source;
    return image;
  }

  /** @param {Letter} letter */
  async function pump(letter) {
    const column = held[letter];
    const { wanted } = column;
    if (column.flying || !wanted) return;
    column.flying = true;
    const started = performance.now();
    const value = await request(ctx.client.server, read, "causes", wanted.asked);
    const milliseconds = performance.now() - started;
    column.flying = false;
    const about = { key: wanted.key, asked: wanted.asked, milliseconds };
    column.now =
      "error" in value
        ? { ...NOTHING, ...about, error: value.error }
        : { ...NOTHING, ...about, value, image: picture(value.picture) };
    if (column.wanted === wanted) column.wanted = null;
    if (milliseconds > SLOW) asker.live = false;
    ctx.store.redraw();
    pump(letter);
  }

  // What is known about a question; asks it where this page asks by itself.
  /** @param {Letter} letter @param {Asked | null} asked @returns {Held} */
  function look(letter, asked) {
    const column = held[letter];
    if (!asked) return NOTHING;
    const key = JSON.stringify(asked);
    if (column.now.key === key) return withImage(column.now);
    if (asker.live && column.wanted?.key !== key) {
      column.wanted = { key, asked };
      pump(letter);
    }
    const late = column.wanted?.key === key;
    return late ? { ...withImage(column.now), late, error: null } : NOTHING;
  }
  return asker;
}

/** @param {Held} now */
const withImage = (now) => ({ ...now, image: now.image?.complete && now.image.naturalWidth ? now.image : null });

// Curves by letter: a walk on the server that this page looks at until it ends.
/** @param {Context} ctx @param {typeof decode} read */
export function createWalker(ctx, read) {
  /** @type {Record<string, Walk>} */
  const walks = Object.fromEntries(LETTERS.map((letter) => [letter, { key: null, told: null }]));
  let visible = () => true;

  const ask = (/** @type {object} */ query) => request(ctx.client.server, read, "causes_curves", query);
  /** @param {Letter} letter @param {string} key @param {CausesCurves | { error: Sentence }} told */
  const settle = (letter, key, told) => {
    walks[letter] = { key, told: "error" in told ? { state: "failed", because: told.error } : told };
    ctx.store.redraw();
  };

  // One look after another; a walk that is not looked at stops by itself on the server.
  /** @param {Letter} letter @param {string} run @param {string} key */
  async function follow(letter, run, key) {
    while (walks[letter].key === key && walks[letter].told?.state === "running") {
      await new Promise((done) => setTimeout(done, POLL));
      if (!visible() || walks[letter].key !== key) return;
      settle(letter, key, await ask({ run, do: "look" }));
    }
  }

  /** @param {Letter} letter @param {CurvesAsked} question */
  async function start(letter, question) {
    const key = JSON.stringify(question);
    walks[letter] = { key, told: { state: "running" } };
    ctx.store.redraw();
    settle(letter, key, await ask({ ...question, do: "start" }));
    follow(letter, question.run, key);
  }

  /** @param {Letter} letter @param {CurvesAsked} question */
  async function stop(letter, question) {
    settle(letter, JSON.stringify(question), await ask({ run: question.run, do: "stop" }));
  }

  return {
    watch: (/** @type {() => boolean} */ test) => (visible = test),
    look: (/** @type {Letter} */ letter) => walks[letter],
    /** @param {Letter} letter @param {CurvesAsked | null} question */
    toggle(letter, question) {
      if (!question) return;
      const running = walks[letter].key === JSON.stringify(question) && walks[letter].told?.state === "running";
      if (running) stop(letter, question);
      else start(letter, question);
    },
  };
}
