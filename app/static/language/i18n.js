// The page's languages. Every sentence stands in English where it is used; its Chinese stands in the zh.js of that folder, by the English.
//
//   say("Token {n} of {total}", { n, total })     the sentence in the page's language, its gaps filled
//   said(sentence)                                the same for a sentence of the server's, which comes as { template, values }
//
// A language is chosen once for the whole page; whoever has drawn words draws them anew when it changes (`onLanguage`).

import { ZH } from "./chinese.js";

/** @import { Sentence } from "../core/types.d.ts" */

const KEY = "inside-qwen-vl-language";
export const LANGUAGES = { en: "English", zh: "中文" };
/** @type {Record<string, Record<string, string>>} */
const TABLES = { en: {}, zh: ZH };

function remembered() {
  try {
    const kept = localStorage.getItem(KEY);
    if (kept && Object.hasOwn(LANGUAGES, kept)) return kept;
  } catch {
    // No storage: the browser's own language decides.
  }
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

let current = remembered();
/** @type {Set<(language: string) => void>} */
const listeners = new Set();
document.documentElement.lang = current;

export const language = () => current;

/** @param {string} next */
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
/** @param {(language: string) => void} listener */
export function onLanguage(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** @param {string} template @param {Record<string, unknown>} values */
const fill = (template, values) =>
  template.replace(/\{(\w+)\}/g, (gap, name) => (Object.hasOwn(values, name) ? String(values[name]) : gap));

/** @param {string} template @param {Record<string, unknown>} values */
export const say = (template, values = {}) => fill(TABLES[current][template] ?? template, values);

/**
 * A sentence that the server wrote, in the page's language: plain, or a template with what fills its gaps.
 * @param {Sentence | number | boolean | null | undefined} sentence
 * @returns {string}
 */
export function said(sentence) {
  if (sentence === null || sentence === undefined) return "";
  if (typeof sentence !== "object") return say(String(sentence));
  const values = Object.entries(sentence.values).map(([name, value]) => [name, said(value)]);
  return say(sentence.template, Object.fromEntries(values));
}
