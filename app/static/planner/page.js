// The Planner: what files cost every published model, before anything is asked and without weights.

import { Client } from "../state/client.js";
import { el, segmented, setText } from "../core/dom.js";
import { said, say } from "../language/i18n.js";
import { count, times } from "../language/numbers.js";
import { createBudget } from "./budget.js";
import { createClips } from "./clips.js";
import { createConverter } from "./converter.js";
import { createCrops } from "./crops.js";
import { createArithmetic, createFiles, createToolchains } from "./detail.js";
import { changed, onChange, openPlanner, planner, query, readAddress, set, setting, shownFile } from "./state.js";
import { chosenRow, createTable, isRefused, limitWords } from "./table.js";
import { fullName, letterSize, memoryWithUnit } from "./words.js";

/** @import { ChosenRow } from "./table.js" */
/** @import { Answer, Gradio, PlannedFile, PlannerRow, Sentence } from "../core/types.d.ts" */

const SPEAK_MS = 400;

/** @typedef {Answer<"planner_plan">} Plan */

/** @param {Plan} answer @param {string} key @param {string} family @returns {PlannerRow | undefined} */
function rowOf(answer, key, family) {
  const rows = answer.groups.find((group) => group.key === key)?.rows ?? [];
  return rows.flatMap((row) => (isRefused(row) ? [] : [row])).find((row) => row.family === family);
}

// Until the plan of new files is here the old one stands; no sentence may put the two together.
/** @param {Plan} answer */
const isOld = ({ files }) => files.join() !== planner.files.map((file) => file.id).join();

// The answer in one sentence: what it costs, in both families.
/** @param {Plan} answer */
function headline(answer) {
  const [first] = planner.files;
  const names = { name: first?.name, n: planner.files.length };
  const own = rowOf(answer, "own", "qwen2-vl") ?? rowOf(answer, "files", "qwen2-vl");
  const old = rowOf(answer, "one", "qwen-vl");
  const costs = { ...names, two: own ? count(own.tokens) : "", one: old ? count(old.tokens) : "" };
  if (!planner.files.length) return say("Add a picture or a clip to see what it costs.");
  if (answer !== NOTHING && isOld(answer)) return say("one moment");
  const alone = planner.files.length === 1;
  if (own && old)
    return alone
      ? say("{name} costs {two} tokens in Qwen2-VL and {one} in Qwen-VL.", costs)
      : say("These {n} files cost {two} tokens in Qwen2-VL and {one} in Qwen-VL.", costs);
  if (own)
    return alone
      ? say("{name} costs {two} tokens in Qwen2-VL.", costs)
      : say("These {n} files cost {two} tokens in Qwen2-VL.", costs);
  if (old)
    return alone
      ? say("{name} costs {one} tokens in Qwen-VL.", costs)
      : say("These {n} files cost {one} tokens in Qwen-VL.", costs);
  return say("Choose a model to plan for.");
}

// What stands below it: whether a limit bites, and what a processor without its file would do.
/** @param {Plan} answer */
function subline(answer) {
  if (answer !== NOTHING && isOld(answer)) return say("No weights are used for this.");
  const [own, shipped, bare] = ["own", "files", "class"].map((key) => rowOf(answer, key, "qwen2-vl"));
  const row = own ?? shipped;
  const parts = [];
  if (row) {
    const limit = limitWords(row);
    const where = own ? say("With your limits") : say("As the files ship");
    if (row.share_of_context > 1)
      parts.push(say("{where}, the prompt is longer than the context of {n}.", { where, n: count(row.context) }));
    else if (limit?.bites) parts.push(say("{where}, {limit} bites.", { where, limit: limit.text }));
    else if (limit) parts.push(say("{where}, no limit bites.", { where }));
  }
  if (bare?.letter && bare.tokens !== row?.tokens)
    parts.push(
      say("The processor's class default would make it {n} tokens, and a 20 px letter {letter}.", {
        n: count(bare.tokens),
        letter: letterSize(bare.letter),
      }),
    );
  return [...parts, say("No weights are used for this.")].join(" ");
}

/** @param {string} name @param {string} type @param {string} text */
function download(name, type, text) {
  const link = el("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** @param {Client} client */
function createHead(client) {
  const [title, sub] = [el("h2"), el("p")];
  const units = segmented(
    say("Unit of memory"),
    [
      ["GiB", "GiB"],
      ["GB", "GB"],
    ],
    (unit) => setting({ unit }),
  );
  /** @typedef {"csv" | "json"} Kind */
  const save = async (/** @type {Kind} */ kind, /** @type {string} */ type) => {
    const found = await client.fetchOnce("planner_table", query());
    if ("error" in found) set({ error: found.error });
    else download(`plan.${kind}`, type, found[kind]);
  };
  const button = (/** @type {Kind} */ kind, /** @type {string} */ type, /** @type {string} */ text) =>
    el(
      "button",
      {
        type: "button",
        class: "plan-save",
        title: say("Every file by every model, as {kind}", { kind: text }),
        onclick: () => save(kind, type),
      },
      "⤓ ",
      text,
    );
  const buttons = [button("csv", "text/csv", "CSV"), button("json", "application/json", "JSON")];
  const root = el(
    "header",
    { class: "plan-title", "data-part": "plan-title" },
    el("div", {}, title, sub),
    el("div", { class: "plan-tools" }, units, ...buttons),
  );
  return {
    root,
    update(/** @type {Plan} */ answer) {
      setText(title, headline(answer));
      setText(sub, subline(answer));
      units.choose(planner.settings.unit);
      buttons.forEach((one) => (one.disabled = !planner.files.length));
    },
  };
}

/** @param {ChosenRow | null} chosen */
function statusWords(chosen) {
  const file = planner.files[shownFile()];
  if (!chosen || !file) return say("Nothing to plan yet.");
  const { row } = chosen;
  const name = fullName(row.model);
  if (isRefused(row)) return `${name} · ${said(row.error)}`;
  const media = row.media[shownFile()];
  if (!media) return say("one moment"); // the files have changed and the plan is still that of the old ones
  const grid = media.patch_grid
    .slice(media.patch_grid[0] > 1 ? 0 : 1)
    .map(count)
    .join(" × ");
  const chain = [
    times(...file.size),
    times(...media.resized),
    say("{grid} patches", { grid }),
    say("{n} visual tokens", { n: count(media.tokens) }),
  ].join(" → ");
  const end = say("{n} positions for the prompt of {tokens}", {
    n: count(row.prompt_positions),
    tokens: count(row.prompt_tokens),
  });
  return [name, chain, end, say("{size} kept to look inside", { size: memoryWithUnit(row.kept_bytes) })].join(" · ");
}

function createStatus() {
  const [sentence, hint, spoken] = ["status-sentence", "status-hint", "spoken"].map((name) =>
    el("span", { class: name, "data-part": name }),
  );
  spoken.setAttribute("aria-live", "polite");
  const root = el("footer", { class: "status" }, sentence, hint, spoken);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  return {
    root,
    update(/** @type {ChosenRow | null} */ chosen) {
      const words = statusWords(chosen);
      setText(sentence, words);
      setText(hint, chosen ? say("Row selected. ↑ ↓ move") : "");
      clearTimeout(timer);
      timer = setTimeout(() => setText(spoken, planner.open ? words : ""), SPEAK_MS);
    },
  };
}

/** @type {Plan} */
const NOTHING = { groups: [], toolchains: [], suggested: [], files: [] };

/** @param {Client} client */
function createParts(client) {
  const parts = {
    head: createHead(client),
    budget: createBudget(),
    clips: createClips(),
    table: createTable(),
    crops: createCrops(client),
    arithmetic: createArithmetic(),
    toolchains: createToolchains(),
    files: createFiles(),
    converter: createConverter(client),
    status: createStatus(),
  };
  const told = el("p", { class: "plan-error", role: "alert" });
  const side = el("div", { class: "plan-side" }, parts.toolchains.root, parts.files.root, parts.converter.root);
  const below = el("div", { class: "plan-below" }, parts.arithmetic.root, side);
  const order = [
    parts.head.root,
    told,
    parts.budget.root,
    parts.clips.root,
    parts.table.root,
    parts.crops.root,
    below,
    parts.status.root,
  ];
  return { parts, told, root: el("div", { class: "inspector planner", "data-part": "inspector planner" }, ...order) };
}

/** @param {ReturnType<typeof createParts>} made @param {Client} client */
function draw({ parts, told }, client) {
  const { value, error } = client.resource("planner plan", "planner_plan", query());
  const answer = value ?? NOTHING;
  const chosen = chosenRow(answer);
  const sentence = said(error ?? planner.error ?? "");
  setText(told, sentence);
  told.hidden = !sentence;
  parts.head.update(answer);
  parts.budget.update(answer, chosen);
  parts.clips.update();
  parts.table.update(answer);
  parts.crops.update();
  parts.arithmetic.update(chosen);
  parts.toolchains.update(answer);
  parts.files.update(chosen);
  parts.converter.update(chosen);
  parts.status.update(chosen);
}

/** @typedef {{ value?: { files?: PlannedFile[], error?: Sentence | null } | null }} PlannerProps */

/** @param {HTMLElement} element @param {Gradio<PlannerProps>} gradio */
export function mount(element, { props, trigger, watch, server, signal }) {
  const client = new Client(server, changed);
  const made = createParts(client);
  element.replaceChildren(made.root);
  const redraw = () => planner.open && draw(made, client);
  const resized = new ResizeObserver(changed);
  resized.observe(made.root);
  const hear = () => {
    const { files = [], error = null } = props.value ?? {};
    set({ files, error, box: null, place: null });
  };
  // The files are the rail's; when they change while the page is open they are asked for again.
  const refresh = () => planner.open && trigger?.("opened", {});
  watch("value", hear);
  onChange(redraw, signal);
  window.addEventListener("inspector-draft", refresh, { signal });
  window.addEventListener("planner-opened", refresh, { signal });
  window.addEventListener("inspector-planner-wanted", () => openPlanner(!planner.open), { signal });
  signal?.addEventListener("abort", () => resized.disconnect());
  if (!planner.open && readAddress()) openPlanner(true);
  else changed();
}
