// Where a row goes: one bar for the chosen head and one for the mean of all heads, so that one head is never taken for the model.

import { el, refill } from "../dom.js";
import { percent } from "../numbers.js";

const ORDER = ["image", "video", "template", "history", "question", "answer"];
const WORDS = {
  image: "image",
  video: "video",
  template: "template",
  history: "earlier turns",
  question: "question",
  answer: "answer so far",
};

const ordered = (sections) => {
  const known = ORDER.filter((name) => sections[name] !== undefined);
  return [...known, ...Object.keys(sections).filter((name) => !ORDER.includes(name))];
};

const onImage = (sections) => (sections.image || 0) + (sections.video || 0);

function bar(label, sections, names) {
  const track = el("div", {
    class: "bar-track",
    role: "img",
    "aria-label": names.map((name) => `${WORDS[name] || name} ${percent(sections[name] || 0)}`).join(", "),
  });
  names.forEach((name) => {
    const share = sections[name] || 0;
    track.append(
      el("span", {
        class: `bar-part part-${name}`,
        style: { flex: `${share} 1 0` },
        title: `${WORDS[name] || name}: ${percent(share)}`,
      }),
    );
  });
  return el(
    "div",
    { class: "bar-line" },
    el("span", { class: "bar-label", text: label }),
    track,
    el("span", { class: "bar-value", text: percent(onImage(sections)) }),
  );
}

export function rowBars(root, { row, where, chosen, sections, mean }) {
  refill(root, [row, where, chosen, sections, mean], () => {
    const names = ordered({ ...mean, ...sections });
    const keys = names.map((name) =>
      el("span", { class: "bar-key" }, el("i", { class: `part-${name}` }), WORDS[name] || name),
    );
    return [
      el(
        "div",
        { class: "title-line" },
        el("h3", { text: `Where row ${row} goes` }),
        el("span", { text: `${where} · sums to 100 %` }),
      ),
      bar(chosen, sections, names),
      bar("all heads", mean, names),
      el("div", { class: "bar-keys" }, ...keys),
    ];
  });
}
