// The page's languages. Every sentence stands in English where it is used; its Chinese stands in the zh.js of that folder, by the English.
//
//   say("Token {n} of {total}", { n, total })     the sentence in the page's language, its gaps filled
//   said(sentence)                                the same for a sentence of the server's, which comes as { template, values }
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

/**
 * A sentence that the server wrote, in the page's language: plain, or a template with what fills its gaps.
 * @param {any} sentence
 * @returns {string}
 */
export function said(sentence) {
  if (sentence === null || sentence === undefined) return "";
  if (typeof sentence !== "object") return say(String(sentence));
  const values = Object.entries(sentence.values).map(([name, value]) => [name, said(value)]);
  return say(sentence.template, Object.fromEntries(values));
}
