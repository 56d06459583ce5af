// What joins vision to language: Qwen-VL's queries, each with its map on the picture; Qwen2-VL's merger of four patches.

import { el, letterBadge, refill, segmented, setText } from "../../core/dom.js";
import { cellAt, cellBox, cellSize, cellsOf, placeOf, rowAndColumn } from "../../core/geometry.js";
import { hasAdapter } from "../../core/families.js";
import { say } from "../../core/i18n.js";
import { count, percent, pixels } from "../../core/numbers.js";
import { comparison, tokensOf } from "./query_table.js";
import { twoColumns } from "../../drawing/frame.js";
import { honestPanel, weightsNote } from "../../drawing/honest.js";
import { createMerger } from "./merger.js";
import { createPlaceCode } from "./position_code.js";
import { sumInRegion } from "../../drawing/places.js";
import { figures } from "../../drawing/scale.js";
import { ContactSheet, readersOf } from "./contact_sheet.js";
import { createStage } from "../../drawing/stage.js";
import { LETTERS, choices, other } from "../../core/selection.js";
import { cellInTime, firstFrameOf } from "../../core/time.js";

export const NAME = "Adapter";
export const SITE = "adapter";
export const SHOWS = ["picture", "place", "region"];
export const CHOICES = { order: "index", against: "keys" };

const STAGE_HEIGHT = 250;
const FIRST = 5; // readers shown as bars

// --- what is asked of the server ---

const headOf = (run, { head }) => (head === "mean" || head < run.sites.adapter.heads ? head : "mean");
const queryOf = (run, { query }) => Math.min(query, run.sites.adapter.queries - 1);

// Everything a column of queries shows, or null where the run has none or no picture.
function reading(ctx, state, selection, letter) {
  const run = state.runs[letter];
  const media = run?.media[selection.media];
  if (!media || !hasAdapter(run)) return null;
  const [head, query, frame] = [
    headOf(run, selection.adapter),
    queryOf(run, selection.adapter),
    cellInTime(state, selection, letter),
  ];
  const group = `${run.id} ${media.index} ${frame}`;
  const hovering = state.preview !== null;
  const ask = (name, more) =>
    ctx.client.resource(`${name} ${letter}`, name, { run: run.id, ...more }, { group, hovering }).value;
  const at = { media: media.index, head };
  return {
    run,
    media,
    head,
    query,
    frame,
    map: ask("adapter", { ...at, query: query + frame * run.sites.adapter.queries }),
    sheet: ask("adapter_sheet", { ...at, frame })?.values ?? null,
    statistics: ask("adapter_statistics", { ...at, frame }),
    code: ctx.client.resource(`adapter_code ${letter}`, "adapter_code", { run: run.id }, { group: run.id }),
  };
}

// What is shown of one run, for an export.
export function shown(state, letter) {
  const run = state.runs[letter];
  if (!hasAdapter(run) || !run.media[state.selection.media]) return {};
  const frame = cellInTime(state, state.selection, letter);
  const query = queryOf(run, state.selection.adapter) + frame * run.sites.adapter.queries;
  return { query, layer: 0, head: headOf(run, state.selection.adapter) };
}

// The place on the picture that is looked at: the pinned one, else where a chosen query looks most.
function placeIn(found, selection) {
  if (selection.keys) return selection.keys;
  const map = LETTERS.map((letter) => found[letter]?.map).find(Boolean);
  return map ? placeOf(...rowAndColumn(map.max_index, map.grid), map.grid) : [0.5, 0.5];
}

const pickQuery = (ctx, query) => {
  const { selection } = ctx.store.state;
  ctx.store.select({ adapter: { ...selection.adapter, query: Math.max(0, Math.round(query) || 0) } });
};
const hoverQuery = (ctx, query) =>
  ctx.store.preview(query === null ? null : { adapter: { ...ctx.store.state.selection.adapter, query } });
const pickHead = (ctx, head) => ctx.store.select({ adapter: { ...ctx.store.state.selection.adapter, head } });

// --- a column of queries ---

const headName = (head, heads) =>
  heads === 1 ? say("head {head}", { head: 0 }) : head === "mean" ? say("all heads") : say("head {head}", { head });

const ORDERS = [
  ["index", "index", "As the model counts them"],
  ["entropy", "entropy", "The narrowest first"],
  ["place", "place", "By the centre of mass of what they read, row by row"],
  ["alike", "alike", "From query 0, each next the one left that overlaps the last one most"],
];

function controls(ctx, letter) {
  const id = (name) => `adapter-${name}${letter === "A" ? "" : `-${letter}`}`;
  const number = el("input", {
    class: "text-field",
    type: "number",
    min: 0,
    step: 1,
    id: id("query"),
    onchange: (event) => pickQuery(ctx, Number(event.target.value)),
  });
  const head = el("select", {
    class: "text-field",
    id: id("head"),
    onchange: ({ target }) => pickHead(ctx, target.value === "mean" ? "mean" : Number(target.value)),
  });
  const order = segmented(
    say("Order"),
    ORDERS.map(([value, words, title]) => [value, say(words), say(title)]),
    (value) => ctx.actions.choose("adapter", { order: value }),
  );
  const labelOf = (name, text) => el("label", { for: id(name), text });
  const field = (label, node) => el("div", { class: "field" }, label, node);
  const queryLabel = labelOf("query", say("Query"));
  const readers = el("div", { class: "readers" });
  const code = createPlaceCode((against) => ctx.actions.choose("adapter", { against }));
  const pair = el("div", { class: "field-pair" }, field(queryLabel, number), field(labelOf("head", say("Head")), head));
  const orders = el("div", { class: "field" }, el("span", { class: "label", text: say("Order") }), order);
  const root = el("div", { class: "adapter-controls" }, pair, orders, readers, code.root);
  return { root, number, queryLabel, head, order, readers, code };
}

function updateControls(parts, found, selection, readers, pin) {
  const { run, query, head } = found;
  const { heads, queries } = run.sites.adapter;
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
          { class: `reader${reader === query ? " chosen" : ""}` },
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

function createQueries(ctx, letter) {
  const sheet = new ContactSheet({
    onhover: (query) => hoverQuery(ctx, query),
    onpick: (query) => pickQuery(ctx, query),
  });
  const [parts, summary] = [controls(ctx, letter), el("p", { class: "sheet-words" })];
  const sheetBox = el(
    "div",
    { class: "sheet-box" },
    sheet.root,
    el("div", { class: "sheet-foot" }, summary, sheet.zoom),
  );
  const title = el(
    "div",
    { class: "title-line" },
    el("h3", {}, letterBadge(letter), say("Its queries, one map each")),
    el("span", { text: say("each to its own maximum, exponent .7") }),
  );
  const root = el("div", { class: "adapter-part" }, title, el("div", { class: "sheet-row" }, sheetBox, parts.root));
  let [readers, seen, index] = [null, null, []];

  // Sorted anew only for another patch or another sheet.
  function readersNow(values, cells) {
    const patches = cells.join();
    if (seen?.values !== values || seen.patches !== patches)
      [readers, seen] = [readersOf(values, cells), { values, patches }];
    return readers;
  }
  return {
    root,
    update(found, selection, place) {
      const { map, sheet: values, statistics } = found;
      const grid = found.media.patch_grid.slice(1);
      const cells = patchesOf(found, selection, place);
      const [row, column] = rowAndColumn(cells[0], [1, ...grid]);
      const pin = { row, column, many: cells.length };
      const now = values && readersNow(values, cells);
      if (map) updateControls(parts, found, selection, now, pin);
      if (!values) return;
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

function drawReader(ctx, view, found, selection) {
  const { run, media, map, query, head, frame, statistics } = found;
  const { inner, flat } = ctx.stageBox(view.cell, media.size, STAGE_HEIGHT);
  const base = {
    image: ctx.picture("picture", run.id, media.index, firstFrameOf(media, frame)),
    size: media.size,
    box: inner,
  };
  view.cell.classList.toggle("flat", flat);
  if (!map) return view.stage.update(base);
  const region = sumInRegion(selection, map);
  const pins = region ? [] : cellsOf({ ...selection, frame: 0 }, map.grid).map((cell) => rowAndColumn(cell, map.grid));
  view.stage.update({
    ...base,
    quiet: true,
    cells: { values: map.values, grid: map.grid, max: map.max },
    contour: { cells: map.half, grid: map.grid },
    outlines: [
      ...(region ? [region.outline] : []),
      ...pins.map(([row, at]) => ({ box: cellBox(row, at, [1, 1], map.grid), kind: "key" })),
    ],
    label: region?.label ?? {
      text: say("query {query} · {head}", { query, head: headName(head, run.sites.adapter.heads) }),
    },
  });
  const items = [
    [
      say("{bits} bits", { bits: map.entropy.toFixed(1) }),
      say("entropy, of {most} at most", { most: Math.log2(map.values.length).toFixed(0) }),
    ],
    [count(map.half.length), say("of {patches} patches hold half", { patches: count(map.values.length) })],
    [percent(map.max), say("of the row in one patch, the most")],
  ];
  if (statistics)
    items.push([
      percent(statistics.overlap[query]),
      say("like query {nearest}, its nearest", { nearest: statistics.nearest[query] }),
    ]);
  return figures(view.side, items);
}

// --- a column with a merger ---

function createMergerPart(letter) {
  const merger = createMerger();
  const title = el(
    "div",
    { class: "title-line" },
    el("h3", {}, letterBadge(letter), say("The merger")),
    el("span", { text: say("no attention, no choice: a reshape and an MLP") }),
  );
  const card = el("section", { class: "card merger" }, merger.root);
  const root = el("div", { class: "adapter-part" }, title, card);
  return { root, card, update: (shown) => merger.update(shown) };
}

function drawMerger(ctx, view, state, selection, place, far) {
  const { letter } = view;
  const run = state.runs[letter];
  const media = run.media[selection.media];
  const frame = cellInTime(state, selection, letter);
  const image = ctx.picture("picture", run.id, media.index, firstFrameOf(media, frame));
  const { inner, flat } = ctx.stageBox(view.cell, media.size, STAGE_HEIGHT);
  const cell = cellAt(place, media.token_grid);
  const [width, height] = cellSize(media.size, media.token_grid);
  view.cell.classList.toggle("flat", flat);
  view.stage.update({
    image,
    size: media.size,
    box: inner,
    quiet: false,
    lines: media.token_grid,
    contour: far?.map ? { cells: far.map.half, grid: far.map.grid } : null,
    outlines: [
      { box: cellBox(cell.row, cell.column, [1, 1], media.token_grid), kind: "query" },
      ...(selection.region ? [{ box: selection.region, kind: "key" }] : []),
    ],
    label: { text: say("token ({row}, {column})", cell) },
  });
  figures(view.side, [
    ["4", say("patches make one token, always")],
    [`${pixels(width)} × ${pixels(height)}`, say("px of the original, each token")],
    [count(tokensOf(media)), say("tokens, no two share a patch")],
  ]);
  const answer = ctx.client.resource(`merger ${letter}`, "merger", { run: run.id }, { group: run.id }).value;
  view.part.update({ run, media, cell, frame, image, answer });
}

// --- the view ---

function column(ctx, letter) {
  const stage = createStage({
    letter,
    title: say("The picture in model {letter}: what an adapter query reads, or the token grid", { letter }),
    onhover: (place) => ctx.actions.hoverPlace(place),
    onpick: (place, adding) => ctx.actions.pickPlace(place, adding),
    onregion: (region, done) => (done ? ctx.actions.pickRegion(region) : ctx.actions.drawRegion(region)),
    onstep: (rows, columns) => ctx.actions.stepPlace(letter, rows, columns),
    onstretch: (rows, columns) => ctx.actions.stretchRegion(letter, rows, columns),
  });
  const side = el("div", { class: "figures" });
  const cell = el("div", { class: "stage-cell", "data-letter": letter }, stage.root, side);
  return {
    letter,
    stage,
    side,
    cell,
    detail: el("div", { class: "adapter-detail", "data-letter": letter }),
    part: null,
    family: null,
  };
}

// What stands below the stage is that of the family in this column.
function fit(ctx, view, run) {
  const family = run?.media.length ? run.model.family : null;
  if (view.family === family) return;
  view.family = family;
  view.part = family && (hasAdapter(run) ? createQueries(ctx, view.letter) : createMergerPart(view.letter));
  view.detail.replaceChildren(...(view.part ? [view.part.root] : []));
}

function drawColumn(ctx, view, state, selection, found) {
  const run = state.runs[view.letter];
  fit(ctx, view, run);
  if (!run?.media[selection.media]) {
    view.stage.update(ctx.vacant(view.cell, view.letter, STAGE_HEIGHT, run));
    figures(view.side, []);
    return;
  }
  const place = placeIn(found, selection);
  if (!hasAdapter(run)) {
    drawMerger(ctx, view, state, selection, place, found[other(view.letter)]);
    return;
  }
  drawReader(ctx, view, found[view.letter], selection);
  const own = found[view.letter].map;
  view.part.update(
    found[view.letter],
    selection,
    selection.keys ?? (own ? placeOf(...rowAndColumn(own.max_index, own.grid), own.grid) : place),
  );
}

// The table stands in the last merger's card, else below the sheets.
function placeTable(table, columns, below) {
  const host = LETTERS.map((letter) => columns[letter]).findLast(({ part }) => part?.card)?.part.card ?? below;
  if (table.root.parentNode !== host) host.append(table.root);
  below.hidden = host !== below;
}

function honest(state, selection) {
  if (!LETTERS.some((letter) => state.runs[letter] && hasAdapter(state.runs[letter])))
    return [
      [
        say("Plotted"),
        say(
          "The token grid over the original picture, and the four patches of the chosen token in the order they are joined.",
        ),
      ],
      [say("Normalised"), say("Nothing: indices, and shapes of this model's weights.")],
      [say("Not shown"), say("What the two linear layers make of four patches.")],
    ];
  const { query, head } = selection.adapter;
  const most = Math.max(...LETTERS.map((letter) => state.runs[letter]?.sites.adapter?.heads ?? 0));
  const read =
    most === 1 ? say("its one head") : head === "mean" ? say("the heads averaged") : say("head {head}", { head });
  return [
    [say("Plotted"), say("Cross-attention of query {query}: one softmax over all patches, {read}.", { query, read })],
    [
      say("Normalised"),
      say("Each map to its own maximum, so a faint map is a flat one. Printed shares are of the query's row."),
    ],
    [
      say("Not shown"),
      `${say("What a query writes: this is what it reads.")} ${weightsNote(LETTERS.map((letter) => state.runs[letter]))}`,
    ],
  ];
}

export function createView(ctx) {
  const { columns, pair, stages } = twoColumns((letter) => column(ctx, letter));
  const [panel, choice, table, below] = [
    honestPanel(),
    ctx.mediaChoice(),
    comparison(),
    el("section", { class: "card", hidden: true }),
  ];
  return {
    root: el("div", { class: "view view-adapter" }, choice.root, pair("cell"), pair("detail"), below, panel.root),
    stages,
    update(state, selection) {
      choice.update(state, selection);
      const found = Object.fromEntries(LETTERS.map((letter) => [letter, reading(ctx, state, selection, letter)]));
      LETTERS.forEach((letter) => drawColumn(ctx, columns[letter], state, selection, found));
      table.update(state, selection, found);
      placeTable(table, columns, below);
      below.hidden ||= !LETTERS.some((letter) => state.runs[letter]?.media.length);
      panel.update(honest(state, selection));
    },
  };
}

// The chosen patches of the frame on show; without any, the one at a place.
function patchesOf({ media }, selection, place) {
  const grid = [1, ...media.patch_grid.slice(1)];
  const chosen = cellsOf({ ...selection, frame: 0 }, grid);
  return chosen.length ? chosen : [cellAt(place, grid).index];
}

// What of the query's row lies in a region, and who reads the chosen patches most.
function readWords(found, selection) {
  const { sheet, media, map } = found;
  if (!sheet || !map) return [];
  const grid = [1, ...media.patch_grid.slice(1)];
  const cells = cellsOf({ ...selection, frame: 0 }, grid);
  const inside = sumInRegion(selection, map);
  if (!cells.length) return inside ? [inside.text] : [];
  const [row, at] = rowAndColumn(cells[0], grid);
  const { all, half } = readersOf(sheet, cells);
  const values = {
    row,
    column: at,
    n: count(cells.length),
    query: all[0][0],
    share: percent(all[0][1]),
    half: count(half),
    queries: count(all.length),
  };
  const read =
    cells.length > 1
      ? say("{n} patches read most by query {query}: {share} of its row; {half} of {queries} queries give half", values)
      : say(
          "patch ({row}, {column}) read most by query {query}: {share} of its row; {half} of {queries} queries give half",
          values,
        );
  return inside ? [inside.text, read] : [read];
}

// What the status line says of this view.
export function status(ctx, state, selection) {
  const found = Object.fromEntries(LETTERS.map((letter) => [letter, reading(ctx, state, selection, letter)]));
  const place = placeIn(found, selection);
  const parts = LETTERS.filter((letter) => state.runs[letter]?.media[selection.media]).flatMap((letter) => {
    const media = state.runs[letter].media[selection.media];
    if (!hasAdapter(state.runs[letter])) {
      const { row, column: at } = cellAt(place, media.token_grid);
      return [
        [
          "",
          letter,
          ` ${say("at that place token ({row}, {column}), four patches, no attention", { row, column: at })}`,
        ],
      ];
    }
    const { map, run, head } = found[letter];
    if (!map) return [];
    const all = run.sites.adapter.heads;
    const heads = head === "mean" && all > 1 ? say("mean of {heads} heads", { heads: all }) : headName(head, all);
    const read = selection.keys || selection.region ? readWords(found[letter], selection) : [];
    if (read.length) return [["", letter, ` ${[heads, ...read].join(", ")}`]];
    const values = { heads, most: percent(map.max), half: count(map.half.length), patches: count(map.values.length) };
    return [
      [
        "",
        letter,
        ` ${say("{heads}, at most {most} of the row in one patch, {half} of {patches} patches hold half", values)}`,
      ],
    ];
  });
  const queries = LETTERS.some((letter) => found[letter]);
  return [
    queries
      ? [`${say("adapter query")} `, String(selection.adapter.query)]
      : [say("the merger: four patches make one token")],
    ...parts,
  ];
}
