// A column of adapter queries: the sheet, its controls, and who reads a patch.

import { el, letterBadge, refill, segmented, setText } from "../../core/dom.js";
import { rowAndColumn } from "../../core/geometry.js";
import { say } from "../../language/i18n.js";
import { count, percent } from "../../language/numbers.js";
import { choices } from "../../state/selection.js";
import { hoverQuery, patchesOf, pickHead, pickQuery } from "./asked.js";
import { ContactSheet, readersOf } from "./contact_sheet.js";
import { createPlaceCode } from "./position_code.js";

/** @import { Readers } from "./contact_sheet.js" */
/** @import { Found } from "./asked.js" */
/** @import { Answer, Choice, Context, Floats, Letter, Place, Selection } from "../../core/types.d.ts" */

/** @param {Answer<"adapter_statistics">} statistics */
function summaryWords({ coverage, alike }) {
  return say(
    "{coverage} of the patches are in the half of some query. {pairs} query pairs overlap by {overlap} or more.",
    {
      coverage: percent(coverage),
      pairs: count(alike.pairs),
      overlap: `${Math.round(100 * alike.overlap)} %`,
    },
  );
}

const FIRST = 5; // readers shown as bars

/** @param {Choice} head @param {number} heads */
export const headName = (head, heads) =>
  heads === 1 ? say("head {head}", { head: 0 }) : head === "mean" ? say("all heads") : say("head {head}", { head });

/** @type {[value: string, text: string, title: string][]} */
const ORDERS = [
  ["index", "index", "As the model counts them"],
  ["entropy", "entropy", "The narrowest first"],
  ["place", "place", "By the centre of mass of what they read, row by row"],
  ["alike", "alike", "From query 0, each next the one left that overlaps the last one most"],
];

/** @param {Context} ctx @param {Letter} letter */
function controls(ctx, letter) {
  /** @param {string} name */
  const id = (name) => `adapter-${name}${letter === "A" ? "" : `-${letter}`}`;
  const number = el("input", {
    class: "text-field",
    type: "number",
    min: 0,
    step: 1,
    id: id("query"),
    onchange: (event) => pickQuery(ctx, Number(event.currentTarget.value)),
  });
  const head = el("select", {
    class: "text-field",
    id: id("head"),
    onchange: ({ currentTarget: { value } }) => pickHead(ctx, value === "mean" ? "mean" : Number(value)),
  });
  const order = segmented(
    say("Order"),
    ORDERS.map(([value, words, title]) => [value, say(words), say(title)]),
    (value) => ctx.actions.choose("adapter", { order: value }),
  );
  /** @param {string} name @param {string} text */
  const labelOf = (name, text) => el("label", { for: id(name), text });
  /** @param {HTMLElement} label @param {HTMLElement} node */
  const field = (label, node) => el("div", { class: "field" }, label, node);
  const queryLabel = labelOf("query", say("Query"));
  const readers = el("div", { class: "readers", "data-part": "readers" });
  const code = createPlaceCode((against) => ctx.actions.choose("adapter", { against }));
  const pair = el("div", { class: "field-pair" }, field(queryLabel, number), field(labelOf("head", say("Head")), head));
  const orders = el("div", { class: "field" }, el("span", { class: "label", text: say("Order") }), order);
  const root = el("div", { class: "adapter-controls" }, pair, orders, readers, code.root);
  return { root, number, queryLabel, head, order, readers, code };
}

/** @typedef {{ row: number, column: number, many: number }} Pinned the patches whose readers are shown */

/**
 * @param {ReturnType<typeof controls>} parts
 * @param {Found} found
 * @param {Selection} selection
 * @param {Readers | null} readers
 * @param {Pinned} pin
 */
function updateControls(parts, found, selection, readers, pin) {
  const { run, query, head } = found;
  const { heads, queries } = found.adapter;
  if (document.activeElement !== parts.number) parts.number.value = String(query);
  parts.number.max = String(queries - 1);
  setText(parts.queryLabel, say("Query, 0 to {last}", { last: queries - 1 }));
  refill(parts.head, [run.id, heads], () => [
    el("option", {
      value: "mean",
      text: heads === 1 ? say("head {head}", { head: 0 }) : say("mean of {heads}", { heads }),
    }),
    ...(heads === 1 ? [] : [...Array(heads).keys()]).map((index) =>
      el("option", { value: String(index), text: say("head {head}", { head: index }) }),
    ),
  ]);
  parts.head.value = heads === 1 ? "mean" : String(head);
  const { order, against } = choices(selection, "adapter");
  parts.order.choose(order);
  parts.code.update({ code: found.code.value, error: found.code.error, query, against });
  if (readers) refill(parts.readers, [run.id, head, found.frame, pin, query], () => readerRows(readers, pin, query));
}

/** @param {Readers} readers @param {Pinned} pin @param {number} query */
function readerRows({ all, half, total }, pin, query) {
  const most = all[0][1] || 1;
  const values = { half: count(half), queries: count(all.length), total: total.toFixed(total < 10 ? 2 : 1) };
  return [
    el("h3", {
      text:
        pin.many > 1
          ? say("Readers of {n} patches", { n: count(pin.many) })
          : say("Readers of patch ({row}, {column})", pin),
    }),
    ...all
      .slice(0, FIRST)
      .map(([reader, weight]) =>
        el(
          "div",
          { "data-part": "reader", class: `reader${reader === query ? " chosen" : ""}` },
          el("span", { text: reader }),
          el("span", { class: "bar-track" }, el("i", { style: { width: `${(100 * weight) / most}%` } })),
          el("span", { text: percent(weight) }),
        ),
      ),
    el("p", {
      text:
        pin.many > 1
          ? say("{half} of {queries} give half of the {total} rows they receive: dashed.", values)
          : say("{half} of {queries} give half of the {total} rows it receives: dashed.", values),
    }),
  ];
}

/** @param {Context} ctx @param {Letter} letter */
export function createQueries(ctx, letter) {
  const sheet = new ContactSheet({
    onhover: (query) => hoverQuery(ctx, query),
    onpick: (query) => pickQuery(ctx, query),
  });
  const [parts, summary] = [controls(ctx, letter), el("p", { class: "sheet-words", "data-part": "sheet-words" })];
  const sheetBox = el(
    "div",
    { class: "sheet-box" },
    sheet.root,
    el("div", { class: "sheet-foot" }, summary, sheet.zoom),
  );
  const title = el(
    "div",
    { class: "title-line", "data-part": "title-line" },
    el("h3", {}, letterBadge(letter), say("Its queries, one map each")),
    el("span", { text: say("each to its own maximum, exponent .7") }),
  );
  const root = el("div", { class: "adapter-part" }, title, el("div", { class: "sheet-row" }, sheetBox, parts.root));
  /** @type {{ values: Floats, patches: string, readers: Readers } | null} */
  let seen = null;
  /** @type {number[]} */
  let index = [];

  // Sorted anew only for another patch or another sheet.
  /** @param {Floats} values @param {number[]} cells */
  function readersNow(values, cells) {
    const patches = cells.join();
    if (seen?.values !== values || seen.patches !== patches)
      seen = { values, patches, readers: readersOf(values, cells) };
    return seen.readers;
  }
  return {
    root,
    /** @param {Found} found @param {Selection} selection @param {Place} place */
    update(found, selection, place) {
      const { map, sheet: values, statistics } = found;
      const grid = found.media.patch_grid.slice(1);
      const cells = patchesOf(found, selection, place);
      const [row, column] = rowAndColumn(cells[0], [1, ...grid]);
      const pin = { row, column, many: cells.length };
      const now = values && readersNow(values, cells);
      if (map) updateControls(parts, found, selection, now, pin);
      if (!values || !now) return;
      if (index.length !== values.shape[0]) index = [...Array(values.shape[0]).keys()];
      const name = statistics ? choices(selection, "adapter").order : "index";
      const order = statistics?.orders[name] ?? index;
      sheet.update({
        values,
        grid,
        order,
        query: found.query,
        readers: now.all.slice(0, now.half).map(([query]) => query),
        width: sheetBox.clientWidth,
      });
      sheet.box.dataset.order = name;
      setText(summary, statistics ? summaryWords(statistics) : "");
    },
  };
}
