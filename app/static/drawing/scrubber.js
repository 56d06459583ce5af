// The moment of a clip that is on show in every picture of the page: a slider over its temporal cells, and play.

import { el } from "../core/dom.js";
import { say } from "../language/i18n.js";
import { cellInTime, isClip, momentWords, timekeeper } from "../state/time.js";

/** @import { Context, Part } from "../core/types.d.ts" */

const PLAY_MS = 700;

/**
 * @param {Context} ctx
 * @returns {Part}
 */
export function createScrubber(ctx) {
  const play = el("button", {
    type: "button",
    class: "tool",
    text: "▶",
    "aria-label": say("Play the clip"),
    onclick: toggle,
  });
  const range = el("input", { type: "range", min: 0, step: 1, value: 0, "aria-label": say("Moment of the clip") });
  const now = el("span", { class: "now" });
  const root = el("div", { class: "scrubber", hidden: true }, play, range, now);
  const go = (/** @type {number} */ frame) => ctx.store.select({ frame });
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;
  let cells = 1;
  range.addEventListener("input", () => go(Number(range.value)));
  range.addEventListener("keydown", (event) => event.stopPropagation()); // its arrows move the clip, not the words

  function toggle() {
    if (timer) return pause();
    play.textContent = "❚❚";
    play.setAttribute("aria-label", say("Pause the clip"));
    timer = setInterval(() => {
      if (!root.checkVisibility()) return pause();
      return go((ctx.store.state.selection.frame + 1) % cells);
    }, PLAY_MS);
    return undefined;
  }
  function pause() {
    clearInterval(timer);
    timer = undefined;
    play.textContent = "▶";
    play.setAttribute("aria-label", say("Play the clip"));
  }

  return {
    root,
    update(state, selection) {
      const letter = timekeeper(state, selection);
      const media = letter && state.runs[letter]?.media[selection.media];
      root.hidden = !isClip(media);
      if (!letter || !isClip(media)) return pause();
      cells = media.token_grid[0];
      const cell = cellInTime(state, selection, letter);
      range.max = String(cells - 1);
      range.value = String(cell);
      range.style.setProperty("--fill", `${(100 * cell) / Math.max(1, cells - 1)}%`);
      now.textContent = momentWords(media, cell);
      range.setAttribute("aria-valuetext", momentWords(media, cell));
      return undefined;
    },
  };
}
