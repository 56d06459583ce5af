// What views share: where a picture fits, what stands in for one, and the numbers of the current selection.

import { said, say } from "../language/i18n.js";
import { hear } from "../state/news.js";
import { createMediaChoice } from "./media_choice.js";
import { createResources } from "../state/resources.js";

/** @import { Context, Letter, Run, Size, Store } from "../core/types.d.ts" */

const FIGURES_WIDTH = 124;

/**
 * Room for the picture inside its column: figures go to its right, or beneath a wide one and on a phone.
 * @param {HTMLElement} cell
 * @param {Size} size
 * @param {number} tall
 */
function stageBox(cell, [width, height], tall) {
  const room = cell.clientWidth || 520;
  const flat = width / height > 2.4 || window.innerWidth <= 720;
  return { inner: [Math.max(80, flat ? room : room - FIGURES_WIDTH - 14), tall], flat };
}

// The picture of the question that is being answered, from the rail.
/** @param {() => void} redraw */
function followDraft(redraw) {
  const image = new Image();
  image.onload = redraw;
  hear("inspector-draft", (detail) => {
    if (detail.thumbnail && image.src !== detail.thumbnail) image.src = detail.thumbnail;
    if (!detail.thumbnail) image.removeAttribute("src");
  });
  return () => (image.complete && image.naturalWidth ? image : null);
}

const NO_PICTURE = "No picture in this question. This view needs one; Pipeline, Positions and Layers do not.";

/**
 * @param {Store} store
 * @param {import("../state/client.js").Client} client
 * @param {ReturnType<typeof import("../state/actions.js").createActions>} actions
 * @param {boolean} frozen whether this is a page saved as one file, which asks nothing anew
 * @returns {Context}
 */
export function createContext(store, client, actions, frozen) {
  const drafted = followDraft(store.redraw);
  const resources = createResources(store, client);

  // What a stage shows where there is no run, or a run without a picture.
  /** @type {Context["vacant"]} */
  function vacant(cell, letter, tall, run) {
    const live = store.state.live[letter];
    const image = live ? drafted() : null;
    const size = image ? [image.naturalWidth, image.naturalHeight] : [3, 2];
    const note = run ? say(NO_PICTURE) : live?.step ? said(live.step) : say("No answer yet.");
    return { image, size, box: stageBox(cell, size, tall).inner, quiet: true, note };
  }

  /** @type {(letter: Letter) => Run | null} */
  const run = (letter) => store.state.runs[letter];
  const mediaChoice = () => createMediaChoice(ctx);
  /** @type {Context} */
  const ctx = { store, client, actions, frozen, run, stageBox, vacant, mediaChoice, ...resources };
  return ctx;
}
