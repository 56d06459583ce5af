// The one selection that every view is a function of.

import { initialChoices } from "./view_registry.js";

/** @import { Both, Letter, OfViews, Selection, ViewName } from "../core/types.d.ts" */

/** @type {Letter[]} */
export const LETTERS = ["A", "B"];

/** @type {(letter: Letter) => Letter} */
export const other = (letter) => (letter === "A" ? "B" : "A");

/** @type {<T>(value: T) => Both<T>} */
export const both = (value) => ({ A: value, B: value });

/** @returns {Selection} */
export function emptySelection() {
  return {
    run: both(null), // run ids
    view: "answer",
    model: "A", // whose word was pointed at
    site: "language",
    layer: both(0), // a number or "mean"
    head: both("mean"),
    query: both(null), // token index of the word in question, by model
    own: both(false), // true: this model's word was chosen by hand, not by following the other model's
    also: { A: [], B: [] }, // more tokens, whose rows are averaged with that of the word in question
    media: 0,
    adapter: { query: 0, head: "mean" },
    keys: null, // a place on the original picture, [x, y] in 0..1
    places: [], // more places, whose cells are summed with that one's
    region: null, // a rectangle of the original picture, [left, top, right, bottom] in 0..1
    swap: false, // query and key have changed roles: a column, who reads this, in place of a row
    frame: 0,
    .../** @type {OfViews} */ (
      Object.fromEntries(Object.entries(initialChoices()).map(([view, initial]) => [`of_${view}`, initial]))
    ),
  };
}

// Words averaged, or places summed, at most.
export const MOST_ADDED = 64;

// What letting go of everything but the word leaves.
export const NO_PLACE = { keys: null, places: [], region: null };

// What letting go of everything leaves.
export const nothingChosen = () => ({
  ...NO_PLACE,
  query: both(null),
  own: both(false),
  also: { A: [], B: [] },
  swap: false,
});

// What is chosen in one view alone, its CHOICES.
/** @type {<View extends ViewName>(selection: OfViews, view: View) => OfViews[`of_${View}`]} */
export const choices = (selection, view) => selection[`of_${view}`];

/**
 * What to select for some of a view's choices to be others.
 * @template {ViewName} View
 * @param {OfViews} selection
 * @param {View} view
 * @param {Partial<OfViews[`of_${View}`]>} patch
 */
export const withChoices = (selection, view, patch) =>
  /** @type {Partial<Selection>} */ ({ [`of_${view}`]: { ...choices(selection, view), ...patch } });
