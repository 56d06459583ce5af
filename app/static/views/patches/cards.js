// The cards of the Patches view: three orders, the microscope, the picture as it arrives.

import { el, letterBadge, refill, setText, sizeCanvas } from "../../core/dom.js";
import { hasAdapter } from "../../core/families.js";
import { cellSize, edges, fit } from "../../core/geometry.js";
import { say } from "../../language/i18n.js";
import { pixels, times } from "../../language/numbers.js";
import { createOrders, tensorOf } from "../../drawing/patch_orders.js";
import { createMicroscope, createProof } from "./microscope.js";
import { limitBar, limitTitle, limitWords } from "./size_rules.js";

/** @import { Context, Letter, Media, Place, Rebuilt, Run, SizeRule } from "../../core/types.d.ts" */

/**
 * What a card is drawn from.
 * @typedef {object} Shown
 * @property {Run} run
 * @property {Media} media
 * @property {number} frame
 * @property {Place | null} keys
 * @property {Rebuilt | null} rebuilt
 * @property {string} drawn the order that is drawn on the picture
 * @property {HTMLImageElement | null} image rebuilt from what the model received
 * @property {HTMLImageElement | null} pixels of the token in question; null too for a model without merged tokens
 */

/** @typedef {{ root: HTMLElement, update(shown: Shown): void }} Card */

const ARRIVES = [150, 96];

/** @param {HTMLCanvasElement} canvas @param {HTMLImageElement} image @param {Media} media */
function paintArrival(canvas, image, media) {
  const shape = fit(media.resized, ARRIVES);
  const paper = sizeCanvas(canvas, Math.round(shape.width), Math.round(shape.height));
  const { context, width, height } = paper;
  context.drawImage(image, 0, 0, width, height);
  const [, rows, columns] = media.patch_grid;
  const line = Math.max(1, paper.ratio / 2);
  context.fillStyle = "rgb(255 255 255 / .38)";
  edges(columns, width)
    .slice(1, -1)
    .forEach((x) => context.fillRect(x, 0, line, height));
  edges(rows, height)
    .slice(1, -1)
    .forEach((y) => context.fillRect(0, y, width, line));
}

/** @param {Letter} letter @param {string} title @param {Node | null} right @param {Node[]} children */
function card(letter, title, right, ...children) {
  const heading = el(
    "div",
    { class: "title-line", "data-part": "title-line" },
    el("h3", {}, letterBadge(letter), title),
    right,
  );
  return el("section", { class: "card", "data-letter": letter }, heading, ...children);
}

function limitParts() {
  const [title, bar, words] = [el("span", {}), el("div", {}), el("p", {})];
  const root = el(
    "div",
    { class: "limit" },
    el("div", { class: "title-line", "data-part": "title-line" }, el("h3", { text: say("Limit that bites") }), title),
    bar,
    words,
  );
  return {
    root,
    /** @param {Run} run @param {Media} media @param {SizeRule | undefined} rule */
    update(run, media, rule) {
      setText(title, limitTitle(run, media, rule));
      refill(bar, [run.id, media.index], () => limitBar(run, media) ?? []);
      setText(words, limitWords(media, rule));
    },
  };
}

/** @param {Context} ctx @param {Letter} letter @returns {Card} */
function ordersCard(ctx, letter) {
  const [orders, limit] = [createOrders(ctx), limitParts()];
  const root = card(letter, say("One grid, three orders"), null, orders.root, limit.root);
  return {
    root,
    update({ run, media, frame, keys, rebuilt, drawn }) {
      orders.update({ run, index: media.index, frame, keys, drawn });
      limit.update(run, media, rebuilt?.rule);
    },
  };
}

/** @param {Letter} letter @returns {Card} */
function microscopeCard(letter) {
  const [microscope, proof] = [createMicroscope(), createProof()];
  const root = card(letter, say("Merge microscope"), microscope.button, microscope.root, proof.root);
  return {
    root,
    update({ run, media, frame, keys, rebuilt, pixels }) {
      microscope.update({ run, index: media.index, frame, keys, image: pixels });
      proof.update(tensorOf(media), rebuilt);
    },
  };
}

/** @param {Letter} letter @returns {Card} */
function arrivalCard(letter) {
  const [canvas, proof, limit, words, size] = [
    el("canvas", { class: "arrival" }),
    createProof(),
    limitParts(),
    el("p", {}),
    el("span", {}),
  ];
  const root = card(
    letter,
    say("As it arrives"),
    size,
    el("div", { class: "arrives" }, canvas, words),
    limit.root,
    proof.root,
  );
  /** @type {HTMLImageElement | null} */
  let last = null;
  return {
    root,
    update({ run, media, rebuilt, image }) {
      setText(size, times(media.resized[0], media.resized[1]));
      setText(words, arrivalWords(media));
      limit.update(run, media, rebuilt?.rule);
      proof.update("images", rebuilt);
      if (!image || last === image) return;
      last = image;
      paintArrival(canvas, image, media);
    },
  };
}

/** @param {Media} media */
function arrivalWords(media) {
  const [width, height] = cellSize(media.size, media.patch_grid);
  const side = media.resized[0] / media.patch_grid[2];
  return say(
    "{side} × {side} px in each patch, from {width} × {height} px of the original. Patches are counted row by row: one order, nothing to fold.",
    { side, width: pixels(width), height: pixels(height) },
  );
}

// The cards of a column are those of the family that stands in it.
/** @param {Context} ctx @param {{ letter: Letter, cards: Card[], family: string | null }} view @param {Run} run */
export function cardsOf(ctx, view, run) {
  if (view.family === run.model.family) return view.cards;
  view.family = run.model.family;
  view.cards = hasAdapter(run)
    ? [arrivalCard(view.letter)]
    : [ordersCard(ctx, view.letter), microscopeCard(view.letter)];
  return view.cards;
}
