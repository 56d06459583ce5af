// The views by name, told once by the page: this file does not import them, since they import it.

/** @import { Choices, Selection, View, ViewName } from "../core/types.d.ts" */

/** @type {Record<string, View>} */
let views = {};

/** @param {Record<string, View>} all */
export const registerViews = (all) => (views = all);

/** @type {(view: string) => view is ViewName} */
export const hasView = (view) => Object.hasOwn(views, view);

/** @param {string} view */
export const siteOf = (view) => views[view].SITE;

// Which kinds of selection a view draws besides the word: "place", "region", "swap"; "picture" where it needs one.
// Esc and Q ignore the others.
/** @type {(view: string, what: string) => boolean} */
export const shows = (view, what) => (views[view].SHOWS ?? []).includes(what);

// What letting go of a view's own choice leaves of it, or null where nothing of its own is chosen.
/** @type {(view: ViewName, selection: Selection) => Choices | null} */
export const letGoOf = (view, selection) => views[view].letGo?.(selection[`of_${view}`]) ?? null;

// What each view lets one choose in it alone, as it begins.
/** @type {() => Record<string, Choices>} */
export const initialChoices = () =>
  Object.fromEntries(Object.entries(views).flatMap(([id, { CHOICES }]) => (CHOICES ? [[id, { ...CHOICES }]] : [])));
