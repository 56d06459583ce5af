// The Planner's state: whether it is open, its files, its settings, and the one row that is chosen. The address carries it.
//
// Two components draw it, the page and its part of the rail, so it stands in a module of its own.

export const SHIPPED = { min: 3136, max: 12_845_056 };
export const CLASS_MAX = 1_003_520;
export const RANGE = [784, 33_554_432];
export const UNIT_PIXELS = 28 * 28;
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

const listeners = new Set();
let scheduled = false;

export const planner = {
  open: false,
  files: [],
  error: null,
  models: [],
  off: new Set(), // models that are left out
  settings: { ...SETTINGS },
  place: null, // of the crop, in 0..1 of the picture; null where the most detail is
  box: null, // four numbers in 0..1 of the picture, from the converter
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

export function onChange(listener, signal) {
  listeners.add(listener);
  signal.addEventListener("abort", () => listeners.delete(listener));
}

export function set(patch) {
  Object.assign(planner, patch);
  changed();
}

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

export function openPlanner(open) {
  planner.open = open;
  document.body.classList.toggle("planner-open", open);
  if (!open) leaveAddress();
  window.dispatchEvent(new CustomEvent("planner-opened", { detail: open }));
  changed();
}

const written = () =>
  Object.entries(planner.settings)
    .filter(([name, value]) => value !== SETTINGS[name])
    .map(([name, value]) => `${name}:${value}`)
    .join(",");

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

const NUMBERS = { min: RANGE, max: RANGE, text: [0, 100_000], answer: [0, 100_000], file: [0, 63], nframes: [2, 768] };

function read(name, text) {
  if (name === "fps") return Number(text) > 0 && Number(text) <= 240 ? Number(text) : null;
  if (name in NUMBERS) {
    const [low, high] = NUMBERS[name];
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
    if (Object.hasOwn(SETTINGS, name)) planner.settings[name] = read(name, pair.slice(at + 1));
  }
  if (planner.settings.min > planner.settings.max) Object.assign(planner.settings, SHIPPED);
  return search.get("show") === "planner";
}
