// The Planner's state: whether it is open, its files, its settings, and the one row that is chosen. The address carries it.
//
// Two components draw it, the page and its part of the rail, so it stands in a module of its own.

/** @import { PlannedFile, Place, Sentence } from "../core/types.d.ts" */

export const SHIPPED = { min: 3136, max: 12_845_056 };
export const CLASS_MAX = 1_003_520;
export const RANGE = [784, 33_554_432];
export const UNIT_PIXELS = 28 * 28;
/**
 * @typedef {object} Settings
 * @property {number} min
 * @property {number} max
 * @property {number} text
 * @property {number} answer
 * @property {number | null} fps
 * @property {number | null} nframes
 * @property {string} unit
 * @property {string} group
 * @property {string} model
 * @property {number} file
 */

/** @type {Settings} */
const SETTINGS = {
  min: SHIPPED.min,
  max: SHIPPED.max,
  text: 32,
  answer: 64,
  fps: null,
  nframes: null,
  unit: "GiB",
  group: "files",
  model: "Qwen2-VL-7B",
  file: 0,
};

/** @type {Set<() => void>} */
const listeners = new Set();
let scheduled = false;

/**
 * @typedef {object} Planner
 * @property {boolean} open
 * @property {PlannedFile[]} files
 * @property {Sentence | null} error
 * @property {string[]} models
 * @property {Set<string>} off models that are left out
 * @property {Settings} settings
 * @property {Place | null} place of the crop, in 0..1 of the picture; null where the most detail is
 * @property {number[] | null} box four numbers in 0..1 of the picture, from the converter
 */

/** @type {Planner} */
export const planner = {
  open: false,
  files: [],
  error: null,
  models: [],
  off: new Set(),
  settings: { ...SETTINGS },
  place: null,
  box: null,
};

export function changed() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    listeners.forEach((listener) => listener());
    if (planner.open) writeAddress();
  });
}

/** @param {() => void} listener @param {AbortSignal} [signal] */
export function onChange(listener, signal) {
  listeners.add(listener);
  signal?.addEventListener("abort", () => listeners.delete(listener));
}

/** @param {Partial<Planner>} patch */
export function set(patch) {
  Object.assign(planner, patch);
  changed();
}

/** @param {Partial<Settings>} patch */
export function setting(patch) {
  planner.settings = { ...planner.settings, ...patch };
  changed();
}

export const chosenModels = () => planner.models.filter((name) => !planner.off.has(name));

export const hasClips = () => planner.files.some((file) => file.kind === "video");

// As the files ship nothing is set: a limit that is set, even to the same, takes a clip's budget out of force.
export const limitsAsked = ({ min, max } = planner.settings) => ({
  min_pixels: min === SHIPPED.min ? null : min,
  max_pixels: max === SHIPPED.max ? null : max,
});

export function query() {
  const { text, answer, fps, nframes } = planner.settings;
  return {
    files: planner.files.map((file) => file.id),
    models: chosenModels(),
    ...limitsAsked(),
    fps: nframes ? null : fps,
    nframes,
    text_tokens: text,
    answer_tokens: answer,
    shown: shownFile(),
  };
}

export const shownFile = () => Math.max(0, Math.min(planner.settings.file, planner.files.length - 1));

// --- open and shut, in the address too ("page" there is Gradio's own) ---

/** @param {boolean} open */
export function openPlanner(open) {
  planner.open = open;
  document.body.classList.toggle("planner-open", open);
  if (!open) leaveAddress();
  window.dispatchEvent(new CustomEvent("planner-opened", { detail: open }));
  changed();
}

const written = () =>
  Object.keys(SETTINGS)
    .filter(isSetting)
    .filter((name) => planner.settings[name] !== SETTINGS[name])
    .map((name) => `${name}:${planner.settings[name]}`)
    .join(",");

/** @type {(name: string) => name is keyof Settings} */
const isSetting = (name) => Object.hasOwn(SETTINGS, name);

/** @param {URL} url */
function replaceAddress(url) {
  const address = url.toString().replace(/%3A/g, ":").replace(/%2C/g, ",");
  if (address !== window.location.href) window.history.replaceState(null, "", address);
}

function writeAddress() {
  const url = new URL(window.location.href);
  url.searchParams.set("show", "planner");
  if (written()) url.searchParams.set("plan", written());
  else url.searchParams.delete("plan");
  replaceAddress(url);
}

function leaveAddress() {
  const url = new URL(window.location.href);
  url.searchParams.delete("show");
  url.searchParams.delete("plan");
  replaceAddress(url);
}

/** @type {Partial<Record<keyof Settings, number[]>>} */
const NUMBERS = { min: RANGE, max: RANGE, text: [0, 100_000], answer: [0, 100_000], file: [0, 63], nframes: [2, 768] };

/** @param {keyof Settings} name @param {string} text */
function read(name, text) {
  if (name === "fps") return Number(text) > 0 && Number(text) <= 240 ? Number(text) : null;
  const range = NUMBERS[name];
  if (range) {
    const [low, high] = range;
    const value = Number(text);
    return Number.isInteger(value) && value >= low && value <= high ? value : SETTINGS[name];
  }
  if (name === "unit") return text === "GB" ? "GB" : "GiB";
  return /^[\w.-]{1,40}$/.test(text) ? text : SETTINGS[name];
}

export function readAddress() {
  const search = new URLSearchParams(window.location.search);
  for (const pair of (search.get("plan") ?? "").split(",")) {
    const at = pair.indexOf(":");
    const name = pair.slice(0, at);
    if (isSetting(name)) Object.assign(planner.settings, { [name]: read(name, pair.slice(at + 1)) });
  }
  if (planner.settings.min > planner.settings.max) Object.assign(planner.settings, SHIPPED);
  return search.get("show") === "planner";
}
