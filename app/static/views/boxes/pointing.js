// Which box of the answer, and which of its edges, a selection or a pointer means.

import { say } from "../../language/i18n.js";
import { other } from "../../state/selection.js";

/** @import { Both, Context, Letter, Media, Place } from "../../core/types.d.ts" */
/** @import { Region, Selection, Size, State, WrittenBox } from "../../core/types.d.ts" */

/**
 * A box of the answer and one of its edges; -1 where there is none.
 * @typedef {{ index: number, edge: number }} BoxPlace
 */

/** @typedef {ReturnType<typeof pointing>} Pointing */

export const edgeNames = () => [say("left"), say("top"), say("right"), say("bottom")];

const NEAR = 0.03; // of the picture: how close to an edge the pointer takes it

// Intersection over union of two boxes in one space.
/** @param {Region} one @param {Region} two */
export function overlap(one, two) {
  const area = (/** @type {Region} */ [left, top, right, bottom]) =>
    Math.max(right - left, 0) * Math.max(bottom - top, 0);
  const shared = area([
    Math.max(one[0], two[0]),
    Math.max(one[1], two[1]),
    Math.min(one[2], two[2]),
    Math.min(one[3], two[3]),
  ]);
  const union = area(one) + area(two) - shared;
  return union > 0 ? shared / union : 0;
}

// Which box a token belongs to, and which of its four numbers it writes (-1: none of them).
/** @param {WrittenBox[]} boxes @param {number | null} token @returns {BoxPlace} */
export function placeOf(boxes, token) {
  if (token === null) return { index: -1, edge: -1 };
  const index = boxes.findIndex((box) => box.tokens.includes(token));
  if (index < 0) return { index: -1, edge: -1 };
  return { index, edge: boxes[index].coordinates.findIndex((tokens) => tokens.includes(token)) };
}

export const relative = (/** @type {number[]} */ [left, top, right, bottom], /** @type {Size} */ [width, height]) => [
  left / width,
  top / height,
  right / width,
  bottom / height,
];

// The box under a place, the smallest first, and the edge that is close to it; the left one where none is.
/** @param {WrittenBox[]} boxes @param {Media} media @param {Place} place @returns {BoxPlace | null} */
export function boxAt(boxes, media, [x, y]) {
  const inside = boxes
    .flatMap((box, index) => (box.original ? [{ index, box: relative(box.original, media.size) }] : []))
    .filter(({ box }) => x > box[0] - NEAR && x < box[2] + NEAR && y > box[1] - NEAR && y < box[3] + NEAR)
    .sort(
      (one, two) =>
        (one.box[2] - one.box[0]) * (one.box[3] - one.box[1]) - (two.box[2] - two.box[0]) * (two.box[3] - two.box[1]),
    );
  if (!inside.length) return null;
  const { index, box } = inside[0];
  const away = [x, y, x, y].map((value, edge) => Math.abs(value - box[edge]));
  const nearest = away.indexOf(Math.min(...away));
  return { index, edge: away[nearest] < NEAR ? nearest : 0 };
}

/** @param {Context} ctx @param {State} state @param {Selection} selection @param {Letter} letter */
export function ask(ctx, state, selection, letter) {
  const run = state.runs[letter];
  if (!run) return null;
  return ctx.client.resource(`boxes ${letter}`, "boxes", { run: run.id, media: selection.media }, { group: run.id });
}

/** @param {WrittenBox} box @param {number} edge */
export const firstToken = (box, edge) => box.coordinates[Math.max(0, edge)]?.[0] ?? box.tokens[0];

// The same number of the other model's box goes along, so that both rows are seen.
/** @param {Context} ctx @param {Both<{ boxes: WrittenBox[] }>} parts */
export function pointing(ctx, parts) {
  /** @param {Letter} letter @param {number} token @returns {Partial<Selection>} */
  const query = (letter, token) => {
    const found = parts[letter].boxes;
    const { index, edge } = placeOf(found, token);
    const far = parts[other(letter)].boxes[index];
    const beside = far ? firstToken(far, edge) : null;
    const both = letter === "A" ? { A: token, B: beside } : { A: beside, B: token };
    return {
      model: letter,
      site: "language",
      query: both,
      own: { A: true, B: true },
    };
  };
  return {
    /** @param {Letter} letter @param {number | null} token */
    hover: (letter, token) => ctx.store.preview(token === null ? null : query(letter, token)),
    /** @param {Letter} letter @param {number} token */
    pick(letter, token) {
      const { selection } = ctx.store.state;
      if (selection.model === letter && selection.query[letter] === token) ctx.actions.letGoOfWord();
      else ctx.store.select(query(letter, token));
    },
  };
}
