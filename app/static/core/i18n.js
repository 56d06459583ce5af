// The page's languages. Every sentence stands in English where it is used; its Chinese stands in the zh.js of that folder, by the English.
//
//   say("Token {n} of {total}", { n, total })     the sentence in the page's language, its gaps filled
//   said(sentence)                                the same for a whole sentence that the server wrote, numbers and all
//
// A language is chosen once for the whole page; whoever has drawn words draws them anew when it changes (`onLanguage`).

import { ZH } from "./chinese.js";

const KEY = "inside-qwen-vl-language";
export const LANGUAGES = { en: "English", zh: "中文" };
const TABLES = { en: {}, zh: ZH };

function remembered() {
  try {
    const kept = localStorage.getItem(KEY);
    if (Object.hasOwn(LANGUAGES, kept ?? "")) return kept;
  } catch {
    // No storage: the browser's own language decides.
  }
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

let current = remembered();
const listeners = new Set();
document.documentElement.lang = current;

export const language = () => current;

export function setLanguage(next) {
  if (next === current || !Object.hasOwn(LANGUAGES, next)) return;
  current = next;
  document.documentElement.lang = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // Private windows may refuse storage; the language then lasts for this page.
  }
  listeners.forEach((listener) => listener(next));
}

// Returns a function that stops listening.
export function onLanguage(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

const fill = (template, values) =>
  template.replace(/\{(\w+)\}/g, (gap, name) => (Object.hasOwn(values, name) ? String(values[name]) : gap));

export const say = (template, values = {}) => fill(TABLES[current][template] ?? template, values);

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

// A template as a pattern that finds its gaps in a finished sentence.
function pattern(template) {
  const names = [];
  const parts = template.split(/\{(\w+)\}/);
  const source = parts.map((part, index) => {
    if (index % 2 === 0) return escaped(part);
    names.push(part);
    return "(.+?)";
  });
  return {
    names,
    match: new RegExp(`^${source.join("")}$`, "s"),
    fixed: parts.filter((_, at) => at % 2 === 0).join(""),
  };
}

// The longest fixed text first, so that a sentence finds the template that says most of it.
const patterns = Object.fromEntries(
  Object.entries(TABLES).map(([name, table]) => [
    name,
    Object.keys(table)
      .filter((template) => template.includes("{"))
      .map((template) => ({ template, ...pattern(template) }))
      .sort((one, two) => two.fixed.length - one.fixed.length),
  ]),
);

// A sentence of the server's, in the page's language where it is known, else as it came.
export function said(sentence) {
  if (!sentence || current === "en") return sentence ?? "";
  const table = TABLES[current];
  if (table[sentence]) return table[sentence];
  for (const { template, names, match } of patterns[current]) {
    const found = match.exec(sentence);
    if (found) return fill(table[template], Object.fromEntries(names.map((name, at) => [name, said(found[at + 1])])));
  }
  return sentence;
}
