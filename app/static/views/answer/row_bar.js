// Where a row goes: one bar for the chosen head and one for the mean of all heads, so that one head is never taken for
// the model. And the other way round: which rows give most to a key.

import { el, refill } from "../../core/dom.js";
import { say } from "../../language/i18n.js";
import { count, percent } from "../../language/numbers.js";

/** @typedef {Record<string, number>} Sections what of a row falls on each part of the prompt */

/**
 * A row's parts at the chosen head and in the mean of all heads.
 * @typedef {object} RowParts
 * @property {string} title
 * @property {string} where
 * @property {string} chosen the head, in words
 * @property {Sections} sections
 * @property {Sections} mean
 * @property {Sections} sinks
 * @property {Sections} sinksMean
 */

/** @typedef {[label: string, row: number, weight: number]} Reader */

const ORDER = ["image", "video", "template", "history", "question", "answer"];

/** @returns {Record<string, string>} */
const names = () => ({
  image: say("image"),
  video: say("video"),
  template: say("template"),
  system: say("system prompt"),
  history: say("earlier turns"),
  question: say("question"),
  answer: say("answer so far"),
});

/** @param {string} name */
const words = (name) => names()[name] ?? name;

/** @param {Sections} sections */
const ordered = (sections) => {
  const known = ORDER.filter((name) => sections[name] !== undefined);
  return [...known, ...Object.keys(sections).filter((name) => !ORDER.includes(name))];
};

/** @param {Sections} sections */
const onImage = (sections) => (sections.image || 0) + (sections.video || 0);

// Each part with what of it falls on sinks, hatched, beside it.
/** @param {Sections} sections @param {Sections | undefined} sinks @param {string[]} names */
function parts(sections, sinks, names) {
  return names.flatMap((name) => {
    const [whole, sunk] = [sections[name] || 0, sinks?.[name] || 0];
    /** @param {number} share @param {string} more @param {string} title */
    const part = (share, more, title) =>
      el("span", { class: `bar-part part-${name}${more}`, style: { flex: `${Math.max(0, share)} 1 0` }, title });
    const plain = part(whole - sunk, "", `${words(name)}: ${percent(whole)}`);
    return sunk > 0
      ? [plain, part(sunk, " sunk", say("{part}, on sinks: {share}", { part: words(name), share: percent(sunk) }))]
      : [plain];
  });
}

/** @param {string} label @param {Sections} sections @param {Sections} sinks @param {string[]} names */
function bar(label, sections, sinks, names) {
  const spoken = names.map((name) => `${words(name)} ${percent(sections[name] || 0)}`).join(", ");
  const track = el("div", { class: "bar-track", role: "img", "aria-label": spoken }, ...parts(sections, sinks, names));
  return el(
    "div",
    { class: "bar-line" },
    el("span", { class: "bar-label", text: label }),
    track,
    el("span", { class: "bar-value", text: percent(onImage(sections)), title: say("on the image") }),
  );
}

/** @param {Sections | undefined} sinks */
const total = (sinks) => Object.values(sinks ?? {}).reduce((sum, share) => sum + share, 0);

/** @param {string[]} names @param {Sections} sinks @param {Sections} mean */
function barKeys(names, sinks, mean) {
  /** @param {string} name @param {string} text @param {string} [title] */
  const key = (name, text, title) => el("span", { class: "bar-key", title }, el("i", { class: `part-${name}` }), text);
  const keys = names.map((name) => key(name, words(name)));
  const most = Math.max(total(sinks), total(mean));
  const means = say(
    "Keys that draw at least 8 even shares (mean of heads) from at least three quarters of the rows after them. Chosen head {share}, all heads {mean}.",
    {
      share: percent(total(sinks)),
      mean: percent(total(mean)),
    },
  );
  return most > 0.00005 ? [...keys, key("sinks", say("sinks"), means)] : keys;
}

/** @param {HTMLElement} root @param {RowParts} given */
export function rowBars(root, { title, where, chosen, sections, mean, sinks, sinksMean }) {
  refill(root, ["row", title, where, chosen, sections, mean, sinks, sinksMean], () => {
    const names = ordered({ ...mean, ...sections });
    return [
      el(
        "div",
        { class: "title-line", "data-part": "title-line" },
        el("h3", { text: title }),
        el("span", { text: say("{where} · sums to 100 %", { where }) }),
      ),
      bar(chosen, sections, sinks, names),
      bar(say("all heads"), mean, sinksMean, names),
      el("div", { class: "bar-keys" }, ...barKeys(names, sinks, sinksMean)),
    ];
  });
}

// The rows that give most to a key: [label, weight] each, the strongest first.
/** @param {HTMLElement} root @param {{ title: string, where: string, rows: Reader[] }} given */
export function readerBars(root, { title, where, rows }) {
  refill(root, ["column", title, where, rows], () => [
    el(
      "div",
      { class: "title-line", "data-part": "title-line" },
      el("h3", { text: title }),
      el("span", { text: where }),
    ),
    el(
      "div",
      { class: "reader-bars" },
      ...rows.map(([label, row, weight]) =>
        el(
          "span",
          {
            class: "reader-bar",
            "data-part": "reader-bar",
            title: say("row {row} gives {share} to this key", { row: count(row), share: percent(weight) }),
          },
          el("span", { class: "reader-name", text: label }),
          el("i", {}, el("i", { style: { width: `${(100 * weight) / (rows[0][2] || 1)}%` } })),
          el("span", { class: "reader-share", text: percent(weight) }),
        ),
      ),
    ),
  ]);
}
