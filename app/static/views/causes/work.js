// What Causes asks the server: one effect a column, the latest wins; curves that go on step by step until stopped.

import { LETTERS } from "../../state/selection.js";

/** @import { Context } from "../../core/types.d.ts" */

const SLOW = 3000; // milliseconds: an effect that took longer waits for its button the next time
const POLL = 300;
const FAILED = "The server did not answer: is it still running? Reload the page to try again.";

async function request(server, decode, name, query) {
  try {
    return decode(await server[name](query));
  } catch {
    return { error: FAILED };
  }
}

const NOTHING = { key: null, value: null, error: null, image: null, late: false, asked: null };

// Effects by letter. They are asked by themselves once a visitor has chosen a place on this page (`live`), since what
// came with a link may be large; only the last of each column is kept, with its picture.
/** @param {Context} ctx */
export function createAsker(ctx, decode) {
  const held = Object.fromEntries(LETTERS.map((letter) => [letter, { now: NOTHING, wanted: null, flying: false }]));
  const asker = { live: false };

  function picture(source) {
    if (!source) return null;
    const image = new Image();
    image.onload = ctx.store.redraw;
    image.src = source;
    return image;
  }

  async function pump(letter) {
    const column = held[letter];
    const { wanted } = column;
    if (column.flying || !wanted) return;
    column.flying = true;
    const started = performance.now();
    const value = await request(ctx.client.server, decode, "causes", wanted.asked);
    const milliseconds = performance.now() - started;
    column.flying = false;
    const about = { key: wanted.key, asked: wanted.asked, milliseconds };
    column.now = value.error
      ? { ...NOTHING, ...about, error: value.error }
      : { ...NOTHING, ...about, value, image: picture(value.picture) };
    if (column.wanted === wanted) column.wanted = null;
    if (milliseconds > SLOW) asker.live = false;
    ctx.store.redraw();
    pump(letter);
  }

  // What is known about a question; asks it where this page asks by itself.
  asker.look = (letter, asked) => {
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
  };
  return asker;
}

const withImage = (now) => ({ ...now, image: now.image?.complete && now.image.naturalWidth ? now.image : null });

// Curves by letter: a walk on the server that this page looks at until it ends.
/** @param {Context} ctx */
export function createWalker(ctx, decode) {
  const walks = Object.fromEntries(LETTERS.map((letter) => [letter, { key: null, told: null }]));
  let visible = () => true;

  const ask = (query) => request(ctx.client.server, decode, "causes_curves", query);
  const settle = (letter, key, told) => {
    walks[letter] = { key, told: told.error ? { state: "failed", because: told.error } : told };
    ctx.store.redraw();
  };

  // One look after another; a walk that is not looked at stops by itself on the server.
  async function follow(letter, run, key) {
    while (walks[letter].key === key && walks[letter].told.state === "running") {
      await new Promise((done) => setTimeout(done, POLL));
      if (!visible() || walks[letter].key !== key) return;
      settle(letter, key, await ask({ run, do: "look" }));
    }
  }

  async function start(letter, question) {
    const key = JSON.stringify(question);
    walks[letter] = { key, told: { state: "running" } };
    ctx.store.redraw();
    settle(letter, key, await ask({ ...question, do: "start" }));
    follow(letter, question.run, key);
  }

  async function stop(letter, question) {
    settle(letter, JSON.stringify(question), await ask({ run: question.run, do: "stop" }));
  }

  return {
    watch: (test) => (visible = test),
    look: (letter) => walks[letter],
    toggle(letter, question) {
      if (!question) return;
      const running = walks[letter].key === JSON.stringify(question) && walks[letter].told?.state === "running";
      if (running) stop(letter, question);
      else start(letter, question);
    },
  };
}
