// The table: every published model, in groups by pixel limit. The chosen row is the one that the page explains below.

import { el, find, findAll, refill } from "../core/dom.js";
import { said, say } from "../language/i18n.js";
import { count, percent, times } from "../language/numbers.js";
import { hasClips, planner, setting } from "./state.js";
import { letterSize, memory, memoryWithUnit, nameParts, operations } from "./words.js";

/** @import { Answer, PlannerGroup, PlannerRow, RefusedRow } from "../core/types.d.ts" */

/** @typedef {{ group: PlannerGroup, row: PlannerRow | RefusedRow }} ChosenRow the row that the page explains */

/** @type {(row: PlannerRow | RefusedRow) => row is RefusedRow} */
export const isRefused = (row) => "error" in row;

const COLUMNS = [
  ["Model", "name"],
  ["Resized to", "number"],
  ["Patches", "number"],
  ["Tokens", "number"],
  ["Positions", "number"],
  ["Context used", "context"],
  ["KV cache", "number"],
  ["Kept to look inside", "number"],
  ["With weights", "number"],
  ["Operations", "number"],
  ["20 px letter becomes", "number"],
  ["Limit that bites", "limit"],
];

/** @type {Record<string, (group: PlannerGroup) => string[]>} */
const TITLES = {
  one: () => [say("One size"), say("448 × 448, whatever comes in")],
  own: (group) => [
    say("With your limits"),
    say("min_pixels {low}, max_pixels {high}", { low: pixelsOf(group.min_pixels), high: pixelsOf(group.max_pixels) }),
  ],
  files: (group) => [
    say("As the files ship"),
    hasClips()
      ? say("max_pixels {high} for a picture, clips by the video tool's own rule", { high: pixelsOf(group.max_pixels) })
      : `max_pixels ${pixelsOf(group.max_pixels)}`,
  ],
  class: (group) => [
    say("A processor built without its file"),
    say("class default, max_pixels {high}", { high: pixelsOf(group.max_pixels) }),
  ],
};

/** @param {number | null} limit */
const pixelsOf = (limit) => count(limit ?? 0);

/** @param {PlannerGroup} group @param {PlannerRow | RefusedRow} row */
const isChosen = (group, row) => planner.settings.group === group.key && planner.settings.model === row.model;

/** @param {PlannerGroup} group @param {PlannerRow | RefusedRow} row */
const choose = (group, row) => setting({ group: group.key, model: row.model });

/** @param {PlannerRow} row */
const sizes = (row) => new Set(row.media.map((media) => times(...media.resized)));

/** @param {PlannerRow} row */
const resized = (row) =>
  sizes(row).size > 1 ? say("{n} sizes", { n: sizes(row).size }) : row.resized ? times(...row.resized) : "–";

/** @param {PlannerRow} row */
function contextCell(row) {
  const bar = el(
    "i",
    { class: "plan-bar" },
    el("i", { style: { width: `${Math.min(100, 100 * row.share_of_context)}%` } }),
  );
  const title = say(
    "{tokens} of {context} tokens: {visual} visual, {template} of the template, {text} of the question",
    {
      tokens: count(row.prompt_tokens),
      context: count(row.context),
      visual: count(row.visual_tokens),
      template: count(row.template_tokens),
      text: count(row.text_tokens ?? 0),
    },
  );
  const over = row.share_of_context > 1;
  return el(
    "td",
    { class: over ? "context over" : "context", title },
    bar,
    el("span", { text: percent(row.share_of_context) }),
  );
}

// The name of what decided the size, amber; or how much of the ceiling the picture fills.
/** @param {PlannerRow} row */
export function limitWords(row) {
  const names = [
    ...new Set(row.media.flatMap((media) => (media.clamps?.length ? media.clamps : [media.limit]))),
  ].filter(Boolean);
  if (row.share_of_context > 1) return { text: say("longer than the context"), bites: true };
  if (row.family === "qwen-vl") return row.media.length ? { text: say("448 × 448, always"), bites: true } : null;
  if (names.length) return { text: names.join(", "), bites: true };
  const filled = Math.max(...row.media.map((media) => media.filled ?? 0));
  return row.media.length
    ? { text: say("none: {share} of the ceiling", { share: percent(filled) }), bites: false }
    : null;
}

/** @param {PlannerRow} row */
function limitCell(row) {
  const words = limitWords(row);
  const title = row.limits.map(said).join("\n");
  if (!words) return el("td", { class: "limit", text: "–" });
  return el(
    "td",
    { class: "limit", title },
    el("span", { class: words.bites ? "tag amber" : "tag", text: words.text }),
  );
}

/** @param {PlannerGroup} group @param {PlannerRow | RefusedRow} row */
function nameCell(group, row) {
  const [name, size] = nameParts(row.model);
  return el(
    "th",
    { scope: "row" },
    el(
      "button",
      {
        type: "button",
        class: "plan-row",
        "aria-pressed": String(isChosen(group, row)),
        "data-row": `${group.key} ${row.model}`,
        onclick: () => choose(group, row),
        tabindex: isChosen(group, row) ? 0 : -1,
      },
      el("b", { text: name }),
      size ? ` ${size}` : "",
    ),
  );
}

/** @param {string} text @param {string} [title] @param {boolean} [strong] */
const number = (text, title, strong) => el("td", { class: "number", title }, strong ? el("b", { text }) : text);

/** @param {PlannerGroup} group @param {PlannerRow | RefusedRow} row */
function tableRow(group, row) {
  const line = el(
    "tr",
    { class: isChosen(group, row) ? "chosen" : "", onclick: () => choose(group, row) },
    nameCell(group, row),
  );
  if (isRefused(row)) {
    line.append(el("td", { class: "bad", colspan: COLUMNS.length - 1, text: said(row.error) }));
    return line;
  }
  const total = Object.values(row.flops).reduce((sum, part) => sum + part, 0);
  const parts = Object.entries(row.flops).map(([part, value]) => `${say(part)} ${operations(value)}`);
  line.append(
    number(resized(row)),
    number(count(row.patches)),
    number(count(row.tokens), say("{n} visual, and the marks around them", { n: count(row.visual_tokens) }), true),
    number(count(row.positions), say("{n} for the whole prompt", { n: count(row.prompt_positions) })),
    contextCell(row),
    number(memory(row.kv_bytes)),
    number(memory(row.kept_bytes)),
    number(memory(row.total_bytes), say("weights alone {size}", { size: memoryWithUnit(row.weight_bytes) })),
    number(operations(total), parts.join(" + ")),
    number(row.letter ? letterSize(row.letter) : "–"),
    limitCell(row),
  );
  return line;
}

/** @param {PlannerGroup} group */
function groupRows(group) {
  const [title, rest] = TITLES[group.key](group);
  const head = el(
    "tr",
    { class: "plan-group" },
    el("th", { colspan: COLUMNS.length, scope: "rowgroup" }, el("b", { text: title }), ` ${rest}`),
  );
  return el("tbody", {}, head, ...group.rows.map((row) => tableRow(group, row)));
}

/** @param {Answer<"planner_plan">} answer */
function footNote(answer) {
  const derived = answer.groups.some((group) => group.rows.some((row) => !isRefused(row) && row.derived));
  return [
    say("{unit}, bf16, one question. Tokens and positions of the media with their marks.", {
      unit: planner.settings.unit,
    }),
    say("Context: of 8,192 (Qwen-VL, trained with 2,048) and 32,768, template and question included."),
    say("Kept: queries and keys of tower and language model. Activations not counted."),
    derived ? say("The 72B's dimensions are derived, not read from a published file.") : "",
  ].join(" ");
}

/** @type {Record<string, number>} */
const ARROWS = { ArrowUp: -1, ArrowDown: 1 };

// Up and down move the chosen row, as the status line says.
/** @param {HTMLElement} root @param {number} by */
function moveBy(root, by) {
  const rows = [...findAll(".plan-row", root)];
  const at = rows.findIndex((row) => row.getAttribute("aria-pressed") === "true");
  const next = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
  next?.click();
}

export function createTable() {
  const head = el(
    "thead",
    {},
    el("tr", {}, ...COLUMNS.map(([text, kind]) => el("th", { scope: "col", class: kind, text: say(text) }))),
  );
  const table = el("table", { class: "plan-table" }, head);
  const note = el("p", { class: "plan-note faint", "data-part": "plan-note" });
  const scroll = el(
    "div",
    { class: "plan-scroll", tabindex: 0, role: "region", "aria-label": say("Published models") },
    table,
  );
  const root = el("section", { class: "card plan-models" }, scroll, note);
  table.addEventListener("keydown", (event) => {
    const by = ARROWS[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    moveBy(table, by);
  });
  return {
    root,
    update(/** @type {Answer<"planner_plan">} */ answer) {
      const { unit, group, model } = planner.settings;
      const focused = table.contains(document.activeElement); // what is drawn anew loses the focus
      const redrawn = refill(table, [answer, unit, group, model], () => [head, ...answer.groups.map(groupRows)]);
      if (redrawn && focused) find('.plan-row[aria-pressed="true"]', table)?.focus({ preventScroll: true });
      refill(note, [answer.groups, unit], () => [footNote(answer)]);
    },
  };
}

/**
 * @param {Answer<"planner_plan">} answer
 * @returns {ChosenRow | null}
 */
export function chosenRow(answer) {
  for (const group of answer.groups) for (const row of group.rows) if (isChosen(group, row)) return { group, row };
  const group =
    answer.groups.find((one) => one.key === "own") ??
    answer.groups.find((one) => one.key === "files") ??
    answer.groups[0];
  const row = group?.rows.find((one) => one.model === planner.settings.model) ?? group?.rows[0];
  return row ? { group, row } : null;
}
