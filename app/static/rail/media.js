// The pictures and clips of the question: thumbnails, remove, and a place to drop files. The upload itself is Gradio's.

import { el, find, refill } from "../core/dom.js";
import { said, say } from "../language/i18n.js";
import { count, lasting, times } from "../language/numbers.js";
import { droppedFiles } from "./folders.js";

/** @import { Gradio } from "../core/types.d.ts" */
/** @import { ClipItem, MediaItem } from "./types.d.ts" */

/** @typedef {(event: string, detail?: unknown) => void} Trigger */

// Hand files to one of Gradio's own upload buttons, so that they take the same way as chosen ones.
/** @param {string} selector @param {Iterable<File>} files */
export function giveFiles(selector, files) {
  const input = document.querySelector(selector)?.previousElementSibling;
  const given = [...files];
  if (!(input instanceof HTMLInputElement) || !given.length) return;
  const transfer = new DataTransfer();
  given.forEach((file) => transfer.items.add(file));
  input.files = transfer.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

/** @param {HTMLElement} rail */
function acceptDrops(rail) {
  const carries = (/** @type {DragEvent} */ event) => [...(event.dataTransfer?.types || [])].includes("Files");
  rail.addEventListener("dragover", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    rail.classList.add("dropping");
  });
  rail.addEventListener(
    "dragleave",
    (event) =>
      !(event.relatedTarget instanceof Node && rail.contains(event.relatedTarget)) && rail.classList.remove("dropping"),
  );
  rail.addEventListener("drop", (event) => {
    if (!event.dataTransfer || !carries(event)) return;
    event.preventDefault();
    rail.classList.remove("dropping");
    droppedFiles(event.dataTransfer).then((files) => giveFiles("#replace-media", files));
  });
}

/** @param {MediaItem} item @returns {item is ClipItem} */
const isClip = (item) => item.kind === "video";

// On a clip's thumbnail: how long it lasts, and of how many frames.
/** @param {ClipItem} item @param {boolean} alone */
function lasts(item, alone) {
  const values = { seconds: lasting(item.seconds), frames: count(item.frames) };
  const words = say("clip, {seconds} s, {frames} frames", values);
  const text = alone ? words : say("clip, {seconds} s", values);
  return el("span", { class: "of-clip", "data-part": "of-clip", text, title: item.note ? said(item.note) : words });
}

/** @param {MediaItem[]} items */
function title(items) {
  const clips = items.filter(isClip).length;
  const [only, several] = clips === items.length && clips ? ["Clip", "{n} clips"] : ["Picture", "{n} pictures"];
  if (clips && clips < items.length) return say("{n} pictures and clips", { n: items.length });
  return items.length > 1 ? say(several, { n: items.length }) : say(only);
}

/** @param {MediaItem} item @param {number} index @param {boolean} alone @param {Trigger | undefined} trigger */
function picture(item, index, alone, trigger) {
  const remove = el("button", {
    type: "button",
    class: "remove",
    "data-part": "remove",
    text: "×",
    "aria-label": say("Remove {name}", { name: item.name }),
    title: say("Remove {name}", { name: item.name }),
    onclick: () => trigger?.("remove", { index }),
  });
  const caption = el(
    "figcaption",
    {},
    el("span", { class: "media-name", "data-part": "media-name", text: item.name, title: item.name }),
    alone ? null : el("span", { text: times(item.size[0], item.size[1]) }),
  );
  return el(
    "figure",
    { class: "media-item" },
    el(
      "div",
      { class: "media-frame" },
      el("img", { src: item.thumbnail, alt: item.name }),
      isClip(item) ? lasts(item, alone) : null,
      item.locked ? null : remove,
    ),
    item.note && !isClip(item)
      ? el("p", { class: "media-note", "data-part": "media-note", text: said(item.note) })
      : null,
    caption,
  );
}

function empty() {
  const open = () => find("#replace-media")?.click();
  return el(
    "button",
    { type: "button", class: "drop-area", "data-part": "drop-area", onclick: open },
    el("b", { text: say("Drop a picture or a clip") }),
    el("span", { text: say("or choose a file") }),
  );
}

/** @param {HTMLElement} element @param {Gradio<{ value?: { items: MediaItem[] } | null }>} gradio */
export function mount(element, { props, trigger, watch }) {
  const root = el("div", { class: "media", "data-part": "media" });
  element.replaceChildren(root);
  const rail = find("#rail");
  if (rail) acceptDrops(rail);
  const draw = () => {
    /** @type {MediaItem[]} */
    const items = props.value?.items || [];
    const alone = items.length === 1;
    refill(root, items, () => [
      el(
        "div",
        { class: "title-line", "data-part": "title-line" },
        el("h3", { text: title(items) }),
        alone ? el("span", { text: times(items[0].size[0], items[0].size[1]) }) : null,
      ),
      items.length
        ? el(
            "div",
            { class: `media-list${alone ? " alone" : ""}` },
            ...items.map((item, index) => picture(item, index, alone, trigger)),
          )
        : empty(),
    ]);
  };
  watch("value", draw);
  draw();
}
