// What a clip costs, which limits made it so, where its segments end, and which ids follow it: three cards.

import { el, refill, segmented, svg } from "../../core/dom.js";
import { said, say } from "../../language/i18n.js";
import { count, lasting, times } from "../../language/numbers.js";
import { LETTERS } from "../../state/selection.js";
import { framesOfCell, isClip } from "../../state/time.js";
import { createLonger } from "./clip_duration.js";
import { across, chart, scale, text, upright } from "../../drawing/chart.js";

/** @import { ClipTime, Context, ConvolutionComparison, Letter, Media } from "../../core/types.d.ts" */
/** @import { Resumes, Run, Selection, State } from "../../core/types.d.ts" */

/** @typedef {[letter: Letter, name: string, value: number, kind: string]} CostRow */

/** @param {Media} media */
const tokensOf = (media) => media.token_grid.reduce((product, size) => product * size, 1);

// Ids that a clip takes with its marks.
/** @param {Run} run @param {Media} media */
function idsOf(run, media) {
  const from = media.first_token - 1;
  const after = media.first_token + media.marks - 1;
  const row = run.positions[0];
  return after < row.length ? row[after] - row[from] : media.marks;
}

// --- what it costs ---

/** @param {State} state @param {number} index @returns {CostRow[]} */
function costRows(state, index) {
  return LETTERS.flatMap((letter) => {
    const run = state.runs[letter];
    const media = run?.media[index];
    if (!run || !media) return [];
    const untubed = media.marks + tokensOf(media) * (framesOfCell(media) - 1);
    /** @type {CostRow[]} */
    const rows = [
      [letter, say("tokens"), media.marks, "tokens"],
      [letter, say("one by one"), untubed, "untubed"],
      [letter, say("ids"), idsOf(run, media), "ids"],
    ];
    return framesOfCell(media) > 1 ? rows : rows.filter(([, , , kind]) => kind !== "untubed");
  });
}

/** @param {CostRow[]} rows @param {number | null | undefined} budget */
function costs(rows, budget) {
  const most = Math.max(10, ...rows.map(([, , value]) => value), budget ?? 0);
  const place = (/** @type {number} */ value) => `${(100 * Math.log10(Math.max(1.1, value))) / Math.log10(most)}%`;
  /** @param {CostRow} row */
  const line = ([letter, name, value, kind]) =>
    el(
      "div",
      { class: "cost-row", "data-part": "cost-row" },
      el("b", { text: letter }),
      el("span", { text: name }),
      el("div", { class: "cost-bar" }, el("i", { class: kind, style: { width: place(value) } })),
      el("span", { class: "cost-value", text: count(value) }),
    );
  const limit = budget
    ? [
        el("p", {
          class: "faint",
          text: say("Budget of a clip: {n} tokens. Bars are logarithmic.", { n: count(budget) }),
        }),
      ]
    : [];
  const untubed = rows.some(([, , , kind]) => kind === "untubed")
    ? [
        el("p", {
          class: "faint",
          text: say("One by one: what the same frames would take without tubes, twice the tokens."),
        }),
      ]
    : [];
  return [...rows.map(line), ...untubed, ...limit];
}

// --- which limits ---

/** @param {Media} media */
function limitRows(media) {
  const { sampling } = media;
  if (!sampling) return [];
  const [cells, rows, columns] = media.token_grid;
  const rows3 = [
    [
      say("{seconds} s at {rate} a second", {
        seconds: lasting(sampling.seconds),
        rate: Number(sampling.effective_fps.toPrecision(3)),
      }),
      say("{n} frames", { n: count(sampling.indices.length) }),
    ],
    [say("{size} a frame", { size: times(media.size[0], media.size[1]) }), times(media.resized[0], media.resized[1])],
    [
      say("{cells} × {rows} × {columns} tokens", { cells: count(cells), rows: count(rows), columns: count(columns) }),
      sampling.budget
        ? say("{n} of {budget}", { n: count(tokensOf(media)), budget: count(sampling.budget) })
        : count(tokensOf(media)),
    ],
  ];
  return [
    ...rows3.map(([left, right]) =>
      el("div", { class: "limit-row" }, el("span", { text: left }), el("b", { text: right })),
    ),
    ...(media.note ? [el("p", { class: "clamp amber", text: said(media.note) })] : []),
  ];
}

// Blocks on a diagonal: one segment a tube, and nothing between them.
/** @param {Media} media */
function segments(media) {
  const cells = Math.min(media.patch_grid[0], 24);
  const side = 64;
  const step = side / cells;
  return el(
    "div",
    { class: "segments" },
    svg(
      "svg",
      { width: side, height: side, viewBox: `0 0 ${side} ${side}`, "aria-hidden": "true" },
      svg("rect", { width: side, height: side, class: "segments-none", rx: 3 }),
      ...Array.from({ length: cells }, (_, cell) =>
        svg("rect", { x: cell * step, y: cell * step, width: step, height: step, class: "segment" }),
      ),
    ),
    el("p", {
      text:
        framesOfCell(media) > 1
          ? say("The vision tower never looks across its {n} tubes: each attends to its own {m} patches.", {
              n: count(media.patch_grid[0]),
              m: count(media.patch_grid[1] * media.patch_grid[2]),
            })
          : say("Each of the {n} pictures goes through the vision tower alone.", { n: count(media.patch_grid[0]) }),
    }),
  );
}

// Why a still, which has no time, costs no more for being shown twice: measured on the first frame of this clip.
/** @param {ConvolutionComparison} found */
function twinWords(found) {
  return say(
    "A still is shown as two equal frames: the first one here, twice, gives in 3-D and in 2-D with both taps summed the same {n} values to {difference} of {largest}.",
    {
      n: count(found.patches * found.channels),
      difference: found.difference.toExponential(1),
      largest: found.largest.toFixed(2),
    },
  );
}

// --- ids after the clip ---

const SIZE = [320, 150];

const WORDS = 6; // of the text after the clip

/** @param {ClipTime} time @param {Resumes} found @param {number} width */
function idsDrawing(time, found, width) {
  const height = SIZE[1];
  const { tubes } = time;
  const timed = tubes.every((tube) => tube.seconds.length);
  const ids = [Math.min(found.first, found.after), Math.max(found.last, found.after + WORDS - 1)];
  const [left, right, top, bottom] = [30, width - 86, 8, height - 22];
  const x = scale([0, Math.max(timed ? tubes[tubes.length - 1].seconds[0] : tubes.length - 1, 1e-9)], [left, right]);
  const y = scale(ids, [bottom, top]);
  /** @param {number} cx @param {number} cy @param {string} name */
  const dot = (cx, cy, name) => svg("circle", { cx, cy, r: 3, class: name });
  const shared = found.overlapping > 0;
  const clash = { x: left, width: right - left + 86, y: y(found.last) - 4 };
  const tall = y(Math.max(found.after, found.first)) - y(found.last) + 8;
  const below = y(found.after) > bottom - 12 ? -9 : 16;
  return chart({ width, height, label: idsSentence(found) }, [
    ...(shared ? [svg("rect", { ...clash, height: tall, class: "clash-band" })] : []),
    across(left, right, bottom, "chart-axis"),
    upright(right + 6, top, bottom, "chart-axis dashed"),
    ...tubes.map((tube, index) => dot(x(timed ? tube.seconds[0] : index), y(tube.position), "of-tube")),
    ...Array.from({ length: WORDS }, (_, index) => {
      const id = found.after + index;
      return dot(right + 14 + index * 11, y(id), id <= found.last ? "clash" : "later");
    }),
    text(left - 5, y(found.first) + 4, `t ${found.first}`, "id-t", "end"),
    ...(tubes.length > 1 ? [text(left - 5, y(found.last) + 4, `t ${found.last}`, "id-t", "end")] : []),
    text(right + 12, y(found.after) + below, found.after, shared ? "clash-text" : "row-name"),
    text(left, height - 6, timed ? say("seconds of the clip") : say("tubes of the clip")),
    text(right + 12, height - 6, say("text after")),
  ]);
}

/** @param {Resumes} found */
function idsSentence(found) {
  const after = say("Tubes have t ids {first} to {last}; the text goes on at {after}.", {
    first: count(found.first),
    last: count(found.last),
    after: count(found.after),
  });
  const clash = found.overlapping
    ? say(" {n} later tokens share ids with its tubes.", { n: count(found.overlapping) })
    : say(" No id is used twice.");
  return after + clash;
}

/** @param {Context} ctx */
function idsCard(ctx) {
  const rule = segmented(
    say("Ids after the clip by"),
    [
      ["paper", say("the paper"), say("The largest id so far plus one; as the checkpoints were trained")],
      [
        "transformers-5",
        "transformers 5",
        say("Goes on from the longer side of a frame, whatever the time; an answer of generate() from the last token"),
      ],
    ],
    (value) => ctx.store.set({ idRule: value }),
  );
  const drawing = el("div", { class: "ids-drawing" });
  const words = el("p", {});
  const root = el(
    "section",
    { class: "card" },
    el(
      "div",
      { class: "title-line", "data-part": "title-line" },
      el("h3", { text: say("Ids after the clip by") }),
      rule,
    ),
    drawing,
    words,
  );
  return {
    root,
    /** @param {State} state @param {Run} run @param {Media} media */
    update(state, run, media) {
      const { value: time } = ctx.client.resource(
        "clip time",
        "clip_time",
        { run: run.id, media: media.index },
        { group: `${run.id} ${media.index}` },
      );
      const chosen = state.idRule ?? "paper";
      rule.choose(chosen);
      const found = time?.resumes.find((one) => one.rule === chosen);
      if (!time || !found) return;
      const width = Math.max(220, Math.floor(drawing.clientWidth || SIZE[0]));
      refill(drawing, [run.id, media.index, chosen, width], () => idsDrawing(time, found, width));
      refill(words, [run.id, media.index, chosen], () => [idsSentence(found)]);
      root.classList.toggle("clashes", found.overlapping > 0);
    },
  };
}

/** @param {Context} ctx */
export function createClipFacts(ctx) {
  /** @param {string} title */
  const card = (title) => {
    const body = el("div", {});
    return {
      body,
      root: el(
        "section",
        { class: "card" },
        el("div", { class: "title-line", "data-part": "title-line" }, el("h3", { text: title })),
        body,
      ),
    };
  };
  const [cost, limits, ids] = [card(say("What the clip costs")), card(say("Why so many tokens")), idsCard(ctx)];
  const longer = createLonger(ctx);
  const root = el(
    "div",
    { class: "clip-facts", "data-part": "clip-facts", hidden: true },
    cost.root,
    limits.root,
    ids.root,
    longer.root,
  );
  return {
    root,
    /** @param {State} state @param {Selection} selection @param {Letter | null} letter */
    update(state, selection, letter) {
      const run = letter && state.runs[letter];
      const media = run?.media[selection.media];
      root.hidden = !isClip(media);
      if (!run || !media || root.hidden) return;
      const rows = costRows(state, selection.media);
      refill(cost.body, [rows, media.sampling?.budget], () => costs(rows, media.sampling?.budget));
      const tubes = framesOfCell(media) > 1;
      const asked = { run: run.id, media: media.index, frame: 0 };
      const twins = tubes
        ? ctx.client.resource("twins", "twins", asked, { group: `${run.id} ${media.index}` }).value
        : null;
      refill(limits.body, [run.id, media.index, twins], () => [
        ...limitRows(media),
        segments(media),
        ...(twins ? [el("p", { text: twinWords(twins) })] : []),
      ]);
      ids.root.hidden = framesOfCell(media) < 2;
      longer.root.hidden = ids.root.hidden;
      if (!ids.root.hidden) longer.update(run, media);
      if (!ids.root.hidden) ids.update(state, run, media);
    },
  };
}
