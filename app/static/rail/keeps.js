// What a run keeps: the forecast before it is made, the measured figures after. And the keys of the page.

import { el, refill } from "../dom.js";
import { say } from "../i18n.js";
import { KEYS } from "../keys.js";
import { hear } from "../news.js";
import { bytes, seconds } from "../numbers.js";

const line = (name, value, title) =>
  el("div", { class: "keep-line", title }, el("span", { text: name }), el("span", { text: value }));

const settingsWords = (run) => (run.settings.temperature ? `sampled, seed ${run.settings.seed}` : "greedy, saved");

function measured(runs, row) {
  const kept = runs.map((run) => `${run.letter} ${bytes(run.kept.bytes)}`).join(", ");
  return [
    line("Queries, keys", kept, runs.map((run) => `${run.letter}: ${run.kept.note}`).join("\n")),
    line("Attention", "fused, exact rows"),
    line("Row on demand", row ? seconds(row / 1000) : "–"),
    line("Seed, ids", settingsWords(runs[0])),
  ];
}

function expected(forecast) {
  const parts = Object.entries(forecast || {})
    .filter(([, plan]) => plan.keeps)
    .map(([letter, plan]) => `${letter} ${bytes(plan.keeps)}`);
  return [
    line("Queries, keys", parts.length ? `about ${parts.join(", ")}` : "–"),
    line("Attention", "fused, exact rows"),
  ];
}

function keyList() {
  const items = KEYS.map(([caps, words]) =>
    el(
      "span",
      { class: "key-item" },
      ...caps.map((cap) => (cap === "–" ? cap : el("kbd", { text: cap }))),
      ` ${say(words)}`,
    ),
  );
  return el("div", { class: "keys" }, ...items);
}

export function mount(element, { signal }) {
  const [title, box, keys] = [el("h3", {}), el("div", {}), keyList()];
  element.replaceChildren(el("div", { class: "keeps" }, title, box), keys);
  const showKeys = () => {
    document.body.classList.add("rail-open");
    keys.scrollIntoView({ block: "nearest" });
    keys.classList.add("called");
    setTimeout(() => keys.classList.remove("called"), 2000);
  };
  window.addEventListener("inspector-keys", showKeys, { signal });
  let [forecast, runs, lately, row, after] = [null, [], [], 0, false];
  const draw = () => {
    const shown = after && runs.length;
    title.textContent = shown ? "What this run keeps" : "What a run would keep";
    refill(box, [shown, forecast, runs.map((run) => run.id), Math.round(row)], () =>
      shown ? measured(runs, row) : expected(forecast),
    );
  };
  hear(
    "inspector-draft",
    (detail) => {
      forecast = detail.forecast;
      after = !detail.stale;
      draw();
    },
    signal,
  );
  hear(
    "inspector-runs",
    (detail) => {
      runs = detail.runs;
      after = runs.length > 0;
      draw();
    },
    signal,
  );
  const timed = (detail) => {
    lately = [...lately.slice(-8), detail.milliseconds];
    row = [...lately].sort((a, b) => a - b)[Math.floor(lately.length / 2)];
    draw();
  };
  hear("inspector-row", timed, signal);
  draw();
}
