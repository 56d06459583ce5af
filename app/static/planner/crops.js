// The same part of the picture as each model receives it: cut from the really resized picture, enlarged without smoothing.

import { el, refill, setText, sizeCanvas } from "../core/dom.js";
import { said, say } from "../language/i18n.js";
import { count, times } from "../language/numbers.js";
import { changed, CLASS_MAX, hasClips, limitsAsked, planner, set, setting, SHIPPED, shownFile } from "./state.js";

/** @import { Answer, Client, Paper, PlannedFile } from "../core/types.d.ts" */

const KEPT = 12;

/** @typedef {{ model: string, min_pixels: number | null, max_pixels: number | null }} CropAsked */

/** @typedef {[key: string, name: string, asked: CropAsked]} Wanted what is cut for whom, and asked of the server */

/** @returns {Wanted[]} */
function wanted() {
  const { min, max } = planner.settings;
  const own = min !== SHIPPED.min || max !== SHIPPED.max;
  const nothing = { min_pixels: null, max_pixels: null };
  /** @type {Wanted} */
  const bare = [
    "class",
    say("Qwen2-VL, class default"),
    { model: "Qwen2-VL-7B", min_pixels: null, max_pixels: CLASS_MAX },
  ];
  /** @type {Wanted} */
  const limited = ["own", say("Qwen2-VL, with your limits"), { model: "Qwen2-VL-7B", ...limitsAsked() }];
  return [
    ["one", say("Qwen-VL"), { model: "Qwen-VL-Chat", ...nothing }],
    ...(hasClips() ? [] : [bare]),
    ["files", say("Qwen2-VL, as the files ship"), { model: "Qwen2-VL-7B", ...nothing }],
    ...(own ? [limited] : []),
  ];
}

// Pictures from data URLs, the latest few.
function createImages() {
  /** @type {Map<string, HTMLImageElement>} */
  const images = new Map();
  /** @param {string} source */
  function load(source) {
    const image = new Image();
    image.onload = changed;
    image.src = source;
    images.set(source, image);
    const [oldest] = images.keys();
    if (images.size > KEPT) images.delete(oldest);
    return image;
  }
  return (/** @type {string} */ source) => {
    const image = images.get(source) ?? load(source);
    return image.complete && image.naturalWidth ? image : null;
  };
}

/** @param {HTMLCanvasElement} canvas @param {HTMLImageElement} image @param {Answer<"planner_crop">} answer */
function paint(canvas, image, answer) {
  const width = canvas.parentElement?.clientWidth ?? 0;
  const [, , across, down] = answer.box;
  const shape = answer.region[2] / answer.region[3];
  const drawn = sizeCanvas(canvas, width, Math.round(width / shape));
  drawn.context.imageSmoothingEnabled = false;
  drawn.context.drawImage(image, answer.box[0], answer.box[1], across, down, 0, 0, drawn.width, drawn.height);
}

function createCrop() {
  const canvas = el("canvas", { role: "img" });
  const [name, arrive] = [el("b"), el("span", { class: "faint" })];
  const frame = el("div", { class: "plan-crop" }, canvas);
  const root = el("figure", { class: "plan-received" }, frame, el("figcaption", {}, name, arrive));
  return {
    root,
    /** @param {string} title @param {Answer<"planner_crop"> | null} answer @param {HTMLImageElement | null} image */
    show(title, answer, image) {
      setText(name, title);
      setText(arrive, answer ? say("{size} px arrive", { size: times(...answer.arrive) }) : say("one moment"));
      canvas.setAttribute("aria-label", answer ? `${title}, ${times(...answer.arrive)} px` : title);
      if (answer && image) paint(canvas, image, answer);
    },
  };
}

/** @type {Record<string, number[]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// The whole picture with the part on it, to be moved; and the box that is being converted.
/** @param {(file: PlannedFile) => HTMLImageElement | null} picture */
function createOverview(picture) {
  let middle = [0.5, 0.5];
  const canvas = el("canvas", { class: "plan-overview", role: "application", tabindex: 0 });
  canvas.setAttribute("aria-label", say("Which part is shown: arrow keys or the pointer move it"));
  const at = (/** @type {MouseEvent} */ event) => {
    const box = canvas.getBoundingClientRect();
    set({ place: [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height] });
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    at(event);
  });
  canvas.addEventListener("pointermove", (event) => canvas.hasPointerCapture(event.pointerId) && at(event));
  canvas.addEventListener("keydown", (event) => {
    const [x, y] = ARROWS[event.key] ?? [0, 0];
    if (!x && !y) return;
    event.preventDefault();
    event.stopPropagation();
    const clamp = (/** @type {number} */ value) => Math.min(1, Math.max(0, value));
    set({ place: [clamp(middle[0] + 0.02 * x), clamp(middle[1] + 0.02 * y)] });
  });
  return {
    canvas,
    draw(/** @type {PlannedFile} */ file, /** @type {number[] | null} */ region) {
      if (region) middle = [0, 1].map((side) => (region[side] + region[side + 2] / 2) / file.size[side]);
      drawOverview(canvas, picture(file), file, region);
    },
  };
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLImageElement | null} image
 * @param {PlannedFile} file
 * @param {number[] | null} region
 */
function drawOverview(canvas, image, file, region) {
  const [width, height] = file.size;
  const scale = Math.min(260 / width, 150 / height);
  const drawn = sizeCanvas(canvas, Math.max(24, Math.round(width * scale)), Math.max(24, Math.round(height * scale)));
  if (image) drawn.context.drawImage(image, 0, 0, drawn.width, drawn.height);
  const [across, down] = [drawn.width / width, drawn.height / height];
  if (region) outline(drawn, [region[0] * across, region[1] * down, region[2] * across, region[3] * down]);
  if (planner.box) {
    const [left, top, right, bottom] = planner.box.map((edge, at) => edge * (at % 2 ? drawn.height : drawn.width));
    outline(drawn, [left, top, (right ?? left) - left, (bottom ?? top) - top], [6, 4]);
  }
}

// White over dark, so that it is seen on any picture; neither the orange of queries nor the blue of keys.
/** @param {Paper} paper @param {number[]} box @param {number[]} dash */
function outline({ context, ratio }, [left, top, width, height], dash = []) {
  for (const { colour, line } of [
    { colour: "rgba(10,12,16,.8)", line: 4 },
    { colour: "#fff", line: 1.75 },
  ]) {
    context.strokeStyle = colour;
    context.lineWidth = line * ratio;
    context.setLineDash(dash.map((length) => length * ratio));
    if (width || height) context.strokeRect(left, top, width, height);
    else context.strokeRect(left - 3 * ratio, top - 3 * ratio, 6 * ratio, 6 * ratio);
  }
}

/** @param {Client} client */
export function createCrops(client) {
  const image = createImages();
  /** @type {Map<string, ReturnType<typeof createCrop>>} */
  const crops = new Map();

  /** @param {string} key */
  function cropOf(key) {
    const crop = crops.get(key) ?? createCrop();
    crops.set(key, crop);
    return crop;
  }
  const title = el("h3");
  const row = el("div", { class: "plan-crops" });
  const picture = (/** @type {PlannedFile} */ file) => {
    const answer = client.resource("planner picture", "planner_picture", { file: file.id }).value;
    return answer?.picture ? image(answer.picture) : null;
  };
  const overview = createOverview(picture);
  const chooser = el("div", { class: "plan-files" });
  const aside = el("div", { class: "plan-where" }, overview.canvas, chooser);
  const note = el("span", { class: "faint", text: say("nearest-neighbour, nothing smoothed") });
  const root = el(
    "section",
    { class: "plan-look" },
    el("div", { class: "plan-head" }, title, note),
    el("div", { class: "plan-looked" }, aside, row),
  );

  /** @param {string} key @param {PlannedFile} file @param {CropAsked} asked */
  function ask(key, file, asked) {
    const { fps, nframes } = planner.settings;
    const query = {
      file: file.id,
      x: planner.place?.[0] ?? null,
      y: planner.place?.[1] ?? null,
      fps: nframes ? null : fps,
      nframes,
      ...asked,
    };
    return client.resource(`planner crop ${key}`, "planner_crop", query, { group: file.id });
  }

  /** @param {PlannedFile} file @param {Wanted[]} kinds */
  function drawCrops(file, kinds) {
    /** @type {number[] | null} */
    let region = null;
    for (const [key, name, asked] of kinds) {
      const { value, error } = ask(key, file, asked);
      const answer = value?.crop ? value : null;
      region ??= answer?.region ?? null;
      cropOf(key).show(error ? said(error) : name, answer, answer ? image(answer.crop) : null);
    }
    return region;
  }

  return {
    root,
    update() {
      const file = planner.files[shownFile()];
      root.hidden = !file;
      if (!file) return;
      const kinds = wanted();
      const region = drawCrops(file, kinds);
      refill(
        row,
        kinds.map(([key]) => key),
        () => kinds.map(([key]) => cropOf(key).root),
      );
      row.style.setProperty("--crops", String(kinds.length));
      overview.draw(file, region);
      const size = region ? times(region[2], region[3]) : "";
      const words = { size, name: file.name };
      setText(
        title,
        file.kind === "video"
          ? say("The same {size} px of the middle frame of {name}, as each one gets it", words)
          : say("The same {size} px of {name}, as each one gets it", words),
      );
      refill(chooser, [planner.files, shownFile()], () => fileChoice());
    },
  };
}

function fileChoice() {
  if (planner.files.length < 2) return [];
  return planner.files.map((file, at) =>
    el("button", {
      type: "button",
      class: "plan-file",
      "aria-pressed": String(at === shownFile()),
      text: file.name,
      title: `${file.name}, ${times(...file.size)}${file.frames ? `, ${say("{n} frames", { n: count(file.frames) })}` : ""}`,
      onclick: () => {
        set({ box: null, place: null });
        setting({ file: at });
      },
    }),
  );
}
