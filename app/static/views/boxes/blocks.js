// One box of the answer in words: its tokens, and its numbers in three spaces.

import { el, toggle } from "../../core/dom.js";
import { said, say } from "../../language/i18n.js";
import { percent } from "../../language/numbers.js";
import { EDGES } from "../../core/rectangle.js";
import { edgeNames, firstToken, overlap, relative } from "./pointing.js";

/** @import { Letter, Media, Region, Run, WrittenBox } from "../../core/types.d.ts" */
/** @import { BoxPlace, Pointing } from "./pointing.js" */

/** @typedef {{ letter: Letter, point: Pointing, media: Media | undefined, yours: Region | null }} Beside */

/** @param {number} value */
const rounded = (value) => value.toLocaleString("en-US", { maximumFractionDigits: 1, minimumFractionDigits: 0 });

// Every token that writes the box; a number's row is that of the token before it.
/** @param {Run} run @param {WrittenBox} box @param {Letter} letter @param {Pointing} point */
function strip(run, box, letter, point) {
  return el(
    "div",
    { class: "box-tokens", role: "group", "aria-label": say("Tokens of this box") },
    ...box.tokens.map((token) => {
      const edge = box.coordinates.findIndex((tokens) => tokens.includes(token));
      const text = run.tokens.text[token];
      return el("button", {
        type: "button",
        "data-part": "box-token",
        class: `box-token${edge < 0 ? "" : " number"}`,
        text: text.trim() || "␣",
        title:
          edge < 0
            ? say("token {token}", { token })
            : say("token {token}: {edge} edge", { token, edge: edgeNames()[edge] }),
        "data-token": token,
        onpointerenter: () => point.hover(letter, token),
        onpointerleave: () => point.hover(letter, null),
        onfocus: () => point.hover(letter, token),
        onblur: () => point.hover(letter, null),
        onclick: () => point.pick(letter, token),
      });
    }),
  );
}

/**
 * @param {string} name
 * @param {number[] | null} values
 * @param {WrittenBox} box
 * @param {Letter} letter
 * @param {Pointing} point
 * @param {(value: number) => string} format
 */
function numbersRow(name, values, box, letter, point, format) {
  const cells = EDGES.map((_, index) =>
    el("td", {
      "data-edge": index,
      text: values ? format(values[index]) : "–",
      onpointerenter: () => values && point.hover(letter, firstToken(box, index)),
      onpointerleave: () => point.hover(letter, null),
      onclick: () => values && point.pick(letter, firstToken(box, index)),
    }),
  );
  return el("tr", {}, el("th", { scope: "row", text: name }), ...cells);
}

/** @param {Run} run @param {WrittenBox} box @param {number} index @param {Beside} beside */
export function boxBlock(run, box, index, { letter, point, media, yours }) {
  const names = edgeNames().map((name) => el("th", { scope: "col", text: name }));
  const table = el(
    "table",
    { class: "box-numbers", "data-part": "box-numbers" },
    el("thead", {}, el("tr", {}, el("td", {}), ...names)),
    el(
      "tbody",
      {},
      numbersRow(say("as written, 0 to 1000"), box.written, box, letter, point, (value) => String(value)),
      numbersRow(
        say("resized, of {width} × {height}", { width: media?.resized[0], height: media?.resized[1] }),
        box.resized,
        box,
        letter,
        point,
        rounded,
      ),
      numbersRow(
        say("original, of {width} × {height}", { width: media?.size[0], height: media?.size[1] }),
        box.original,
        box,
        letter,
        point,
        rounded,
      ),
    ),
  );
  const phrase = box.phrase === null ? say("a box of nothing named") : `“${box.phrase}”`;
  const share =
    yours && media && box.original
      ? say("IoU with yours {share}", { share: percent(overlap(relative(box.original, media.size), yours)) })
      : "";
  return el(
    "article",
    { class: "box-block", "data-box": index },
    el(
      "div",
      { class: "title-line", "data-part": "title-line" },
      el("b", { text: phrase }),
      el("span", { text: share }),
    ),
    strip(run, box, letter, point),
    box.written ? table : null,
    box.problem ? el("p", { class: "box-problem amber", text: said(box.problem) }) : null,
  );
}

// The token, the number and the box that are chosen or pointed at; what is pointed at stays the same element.
/** @param {HTMLElement} body @param {number | null} chosen @param {BoxPlace} at */
export function mark(body, chosen, at) {
  body
    .querySelectorAll(".box-token")
    .forEach((token) => toggle(token, "chosen", Number(token.getAttribute("data-token")) === chosen));
  body.querySelectorAll(".box-block").forEach((block) => {
    const here = Number(block.getAttribute("data-box")) === at.index;
    toggle(block, "chosen", here);
    block
      .querySelectorAll("[data-edge]")
      .forEach((cell) => toggle(cell, "chosen", here && Number(cell.getAttribute("data-edge")) === at.edge));
  });
}
