// Which frames of clips are taken: so many a second, or so many in all.

import { el, setText } from "../core/dom.js";
import { say } from "../language/i18n.js";
import { count } from "../language/numbers.js";
import { hasClips, planner, setting } from "./state.js";

const FPS = [0.1, 0.25, 0.5, 1, 2, 3, 4, 6, 8, 12, 24, 30];
const DEFAULT_FPS = 2;

/** @param {string} id @param {string} label @param {number} most @param {(value: number) => void} oninput */
function slider(id, label, most, oninput) {
  const box = el("input", { type: "range", min: 0, max: most, step: 1, id });
  const value = el("output", { for: id });
  box.addEventListener("input", () => oninput(Number(box.value)));
  return { root: el("div", { class: "plan-slider" }, el("label", { for: id, text: label }), box, value), box, value };
}

export function createClips() {
  const fps = slider("plan-fps", "fps", FPS.length - 1, (at) => setting({ fps: FPS[at], nframes: null }));
  const nframes = slider("plan-nframes", "nframes", 384, (half) => setting({ nframes: half ? 2 * half : null }));
  const reset = el("button", {
    type: "button",
    class: "link",
    text: say("as the tools do"),
    onclick: () => setting({ fps: null, nframes: null }),
  });
  const title = el("div", { class: "plan-head" }, el("h3", { text: say("Frames of the clips") }), reset);
  const root = el("section", { class: "card plan-clips" }, title, fps.root, nframes.root);
  return {
    root,
    update() {
      root.hidden = !hasClips();
      if (root.hidden) return;
      const { fps: rate, nframes: frames } = planner.settings;
      const at = FPS.findIndex((one) => one >= (rate ?? DEFAULT_FPS));
      fps.box.value = String(at < 0 ? FPS.length - 1 : at);
      nframes.box.value = String((frames ?? 0) / 2);
      setText(fps.value, frames ? say("not used") : say("{n} a second", { n: rate ?? DEFAULT_FPS }));
      setText(nframes.value, frames ? say("{n} frames", { n: count(frames) }) : say("as fps says"));
      reset.hidden = rate === null && frames === null;
    },
  };
}
