// Keys that work anywhere on the page: views by number, words by arrows, Esc, Space, Q and ?.

/** @import { Actions, ViewName } from "../core/types.d.ts" */

/**
 * What has the focus: an element, or the document, which is in no other.
 * @param {Event} event
 */
const focused = (event) => /** @type {Partial<Element>} */ (event.target);

/** @param {Event} event */
const typing = (event) => focused(event).closest?.("input, textarea, select, [contenteditable=true]");

/** @type {[caps: string[], words: string][]} */
export const KEYS = [
  [["←", "→"], "move"],
  [["space"], "play"],
  [["Q"], "swap"],
  [["shift"], "add"],
  [["drag"], "sum a region"],
  [["shift", "→", "↓"], "grow a region"],
  [["enter"], "brush a cell"],
  [["esc"], "let go"],
  [["1", "–", "9"], "views"],
  [["?"], "all keys"],
];

// Buttons on which Space plays all the same: the click that chose a view or a word leaves the focus there, and Enter presses.
const PLAYS = "[role=tab][aria-selected=true], .word";
/** @type {Record<string, number>} */
const ARROWS = { ArrowLeft: -1, ArrowRight: 1 };

// What a key does where nothing else has the focus that could use it; undefined for a key of no meaning here.
/**
 * @param {KeyboardEvent} event
 * @param {Actions} actions
 * @param {ViewName[]} views
 * @returns {(() => void) | undefined}
 */
function meaning(event, actions, views) {
  const onButton = focused(event).closest?.("button, a, summary");
  const onWidget = onButton || focused(event).closest?.("[tabindex]");
  if (event.key === "Escape") return () => actions.letGo();
  if (event.key === "q" || event.key === "Q") return () => actions.swap();
  if (event.key === "?") return () => window.dispatchEvent(new CustomEvent("inspector-keys"));
  if (event.key === " ") return onButton && !onButton.matches(PLAYS) ? undefined : () => actions.play();
  if (ARROWS[event.key]) return onWidget ? undefined : () => actions.stepWord(ARROWS[event.key]);
  const view = views[Number(event.key) - 1];
  return view && (() => actions.pickView(view));
}

/** @param {Actions} actions @param {ViewName[]} views */
export function listenToKeys(actions, views) {
  document.addEventListener("keydown", (event) => {
    if (document.body.classList.contains("planner-open")) return; // the views are out of sight
    if (typing(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key !== " ") actions.stopPlaying();
    const act = meaning(event, actions, views);
    if (!act) return;
    if (event.key === " ") event.preventDefault();
    act();
  });
}
