// Six questions about the run on screen. Each answer is read from the run or counted by the server when it is looked at,
// never typed in here.

import { said, say } from "../language/i18n.js";
import { hasAdapter } from "../core/families.js";
import { cellAt, rowAndColumn } from "../core/geometry.js";
import { count, percent } from "../language/numbers.js";
import { LETTERS } from "../state/selection.js";
import { isClip } from "../state/time.js";
import { VIEWS } from "../views/index.js";
import { tokenOfWord, wordLabel } from "../state/words.js";

/** @import { Context, Grid, Letter, Run, Selection, ViewName } from "../core/types.d.ts" */

/** @typedef {{ value: number, told: string }} TourAnswer the number, and what is said of it */

/**
 * One question of the tour; with `options` its value is the number of one of them.
 * @typedef {object} Stop
 * @property {string} name
 * @property {(here: Here) => string} ask
 * @property {(here: Here) => TourAnswer | Promise<TourAnswer>} answer
 * @property {(here: Here) => void} show
 * @property {string[]} [options]
 * @property {string} [unit]
 */

/** @typedef {{ ctx: Context, queried: Run, placed: Run, letter: Letter }} Here runs of both families; `letter` of the one with places */

/** @param {Grid} grid */
const product = (grid) => grid.reduce((all, size) => all * size, 1);

// Its questions are about one still: of a clip, or of several pictures, what they say would not hold.
/** @param {Run} run */
const aboutOnePicture = (run) => run.media.length === 1 && !isClip(run.media[0]) && run.words.length > 0;

// The run of the family with an adapter, and of the one without; null where there are not both, about one picture.
/** @param {Context} ctx @returns {Here | null} */
export function hereOf(ctx) {
  const present = LETTERS.flatMap((letter) => {
    const run = ctx.run(letter);
    return run ? [{ letter, run }] : [];
  });
  const queried = present.find(({ run }) => hasAdapter(run))?.run;
  const { run: placed, letter } = present.find(({ run }) => !hasAdapter(run)) ?? {};
  if (!queried || !placed || !letter || !aboutOnePicture(queried) || !aboutOnePicture(placed)) return null;
  return { ctx, queried, placed, letter };
}

/** @param {Context} ctx @param {ViewName} view @param {Partial<Selection>} patch */
const look = (ctx, view, patch = {}) => {
  ctx.actions.pickView(Object.hasOwn(VIEWS, view) ? view : "patches");
  ctx.store.select(patch);
};

// Position ids from a picture's first mark to its last, both included.
/** @param {Run} run */
function idsOf(run) {
  const [media, row] = [run.media[0], run.positions[0]];
  return row[media.first_token + product(media.token_grid)] - row[media.first_token - 1] + 1;
}

const COST = { width: 1280, height: 720 };

/** @type {Stop} */
const cost = {
  name: "Tokens",
  ask: () =>
    say("How many visual tokens does a picture of {width} × {height} pixels cost Qwen2-VL 7B, as its files ship?", {
      width: count(COST.width),
      height: count(COST.height),
    }),
  async answer({ ctx }) {
    const found = await ctx.client.fetchOnce("tour_cost", COST);
    if ("error" in found) throw new Error(said(found.error));
    const [near, far] = [found.models["Qwen2-VL-7B"], found.models["Qwen-VL-Chat"]];
    const values = {
      resized: near.resized.map(count).join(" × "),
      grid: near.patch_grid.slice(1).join(" × "),
      fixed: far.tokens,
    };
    const told = say(
      "Resized to {resized}, that is {grid} patches; four make a token. Qwen-VL spends {fixed} on this and on any other picture.",
      values,
    );
    return { value: near.tokens, told };
  },
  show: ({ ctx }) => look(ctx, "patches"),
};

/** @type {Stop} */
const merge = {
  name: "Merging",
  ask: ({ placed }) =>
    say(
      "{patches} patches of this picture go through Qwen2-VL's tower. How many tokens does its language model read?",
      {
        patches: count(product(placed.media[0].patch_grid)),
      },
    ),
  answer({ placed }) {
    const [media] = placed.media;
    const told = say(
      "A grid of {patches} patches becomes one of {tokens} tokens: every 2 × 2 block is joined, then passes two linear layers.",
      {
        patches: media.patch_grid.slice(1).join(" × "),
        tokens: media.token_grid.slice(1).join(" × "),
      },
    );
    return { value: product(media.token_grid), told };
  },
  show: ({ ctx }) => look(ctx, "patches", { keys: [0.5, 0.5] }),
};

/** @type {Stop} */
const places = {
  name: "Queries",
  ask: ({ queried }) =>
    say(
      "Query 0 of Qwen-VL's adapter may read any of the picture's {patches} patches. How many of them hold half of its row?",
      {
        patches: count(product(queried.media[0].patch_grid)),
      },
    ),
  async answer({ ctx, queried }) {
    const map = await ctx.client.fetchOnce("adapter", { run: queried.id, media: 0, query: 0, head: "mean" });
    if ("error" in map) throw new Error(said(map.error));
    const [row, column] = rowAndColumn(map.max_index, map.grid);
    const told = say(
      "It reads patch ({row}, {column}) most, with {most} of its row. Nothing in the adapter ties a query to a place: where each one reads is learned, and differs from one training to another.",
      { row, column, most: percent(map.max) },
    );
    return { value: map.half.length, told };
  },
  show: ({ ctx }) => look(ctx, "adapter", { adapter: { query: 0, head: "mean" } }),
};

/** @type {Stop} */
const positions = {
  name: "Positions",
  ask: ({ placed }) =>
    say(
      "The picture and its two marks are {tokens} tokens of Qwen2-VL's prompt. How many position ids do they take up?",
      {
        tokens: count(product(placed.media[0].token_grid) + 2),
      },
    ),
  answer({ placed, queried }) {
    const [, rows, columns] = placed.media[0].token_grid;
    const told = say(
      "Its tokens share ids: h counts the {rows} rows, w the {columns} columns, and the text goes on after the largest. Qwen-VL gives each token an id of its own: {far} for this picture.",
      { rows, columns, far: count(idsOf(queried)) },
    );
    return { value: idsOf(placed), told };
  },
  show: ({ ctx }) => look(ctx, "positions", { query: { ...ctx.store.state.selection.query } }),
};

/** @type {Stop} */
const vision = {
  name: "Seeing",
  ask: ({ placed }) =>
    say("How many of the picture's {patches} patches can one patch look at in the first layer of Qwen2-VL's tower?", {
      patches: count(product(placed.media[0].patch_grid)),
    }),
  options: ["The 8 around it", "Those of its row and column", "All of them"],
  // Counted: the keys of the exact row of the middle patch, in the first layer.
  async answer({ ctx, placed }) {
    const {
      id,
      media: [media],
    } = placed;
    const { index } = cellAt([0.5, 0.5], media.patch_grid);
    const row = await ctx.client.fetchOnce("vision_row", {
      run: id,
      media: 0,
      query: index,
      layer: 0,
      head: "mean",
      swapped: false,
    });
    if ("error" in row) throw new Error(said(row.error));
    const told = say(
      "All {patches}: nothing stands between two patches of one picture, in either model. What a tower can't do is look from one picture, or one pair of a clip's frames, into another.",
      { patches: count(product(media.patch_grid)) },
    );
    return { value: row.values.length === product(media.patch_grid) ? 2 : 1, told };
  },
  show: ({ ctx }) => look(ctx, "vision", { keys: [0.5, 0.5] }),
};

/** @type {Stop} */
const striking = {
  name: "Attention",
  ask({ placed: run }) {
    return say(
      "Of the row that predicts “{word}” in Qwen2-VL, mean of all layers and heads, what share falls on the picture, in %?",
      {
        word: wordLabel(run.words[run.start.word]),
      },
    );
  },
  unit: " %",
  async answer({ ctx, placed: run }) {
    const { word, layer, head } = run.start;
    const asked = { run: run.id, query: tokenOfWord(run, word), why: true, media: 0 };
    const [all, one] = await Promise.all([
      ctx.client.fetchOnce("map", { ...asked, layer: "mean", head: "mean", adapter_head: "mean" }),
      ctx.client.fetchOnce("map", { ...asked, layer, head, adapter_head: "mean" }),
    ]);
    if ("error" in all) throw new Error(said(all.error));
    if ("error" in one) throw new Error(said(one.error));
    const told = say(
      "The head on screen, layer {layer} head {head}, puts {share} there: the most telling one, chosen because it is striking. A share is no cause either; Causes takes the picture away and asks again.",
      { layer: one.layer, head: one.head, share: percent(one.shares_all) },
    );
    return { value: 100 * all.shares_all, told };
  },
  show({ ctx, letter, placed }) {
    const { word, layer, head } = placed.start;
    look(ctx, "answer");
    ctx.actions.lockWord(letter, word);
    ctx.actions.pickHead(letter, layer, head);
  },
};

export const STOPS = [cost, merge, places, positions, vision, striking];

const ROUND = 0.01;
const NEAR = 0.25;

// What a guess was worth: "right", "near" or "off"; a number counts as right within 1 %, as near within 25 %.
/**
 * @param {Stop} stop
 * @param {number} guess
 * @param {number} value
 * @returns {"right" | "near" | "off"}
 */
export function verdict(stop, guess, value) {
  if (stop.options) return guess === value ? "right" : "off";
  const off = Math.abs(guess - value) / Math.max(1, Math.abs(value));
  if (off <= ROUND) return "right";
  return off <= NEAR ? "near" : "off";
}
