// Words in the rail that Python wrote (labels, buttons, notices) in the page's language. Gradio's own translation follows
// the browser alone; this one follows the page. What a visitor typed is a value and no text node: it stays as it is.

import { onLanguage, said } from "../language/i18n.js";

/** @import { Sentence } from "../core/types.d.ts" */

/** @param {Node} node */
const leftAlone = (node) => node.parentElement?.closest("script, style, textarea, .media-name, .turns");
/** @type {WeakMap<Node, { source: string, shown: string }>} */
const english = new WeakMap(); // what Gradio wrote into a node, by the node
const PLACEHOLDERS = "input[placeholder], textarea[placeholder]";

// A text that is not the translation made here is Gradio's news: the English to translate from now on.
/** @param {Node} key @param {string} text @param {(text: string) => void} write @param {Sentence | null} [sentence] */
function translated(key, text, write, sentence = null) {
  const known = english.get(key);
  const source = known && known.shown === text ? known.source : text;
  const shown = source.replace(source.trim(), () => said(sentence ?? source.trim()));
  english.set(key, { source, shown });
  if (shown !== text) write(shown);
}

/** @param {Element} root */
function translate(root) {
  const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = /** @type {Text} */ (walk.currentNode);
    const given = node.parentElement?.dataset.sentence; // with its gaps
    const sentence = given ? JSON.parse(given) : null;
    if (node.data.trim() && !leftAlone(node)) translated(node, node.data, (text) => (node.data = text), sentence);
  }
  /** @type {NodeListOf<HTMLInputElement | HTMLTextAreaElement>} */
  const fields = root.querySelectorAll(PLACEHOLDERS);
  fields.forEach((field) => translated(field, field.placeholder, (text) => (field.placeholder = text)));
}

/** @param {Element | null} root @param {AbortSignal | undefined} signal */
export function keepLabels(root, signal) {
  if (!root) return;
  const draw = () => translate(root);
  const observer = new MutationObserver(draw);
  observer.observe(root, { childList: true, characterData: true, subtree: true, attributeFilter: ["placeholder"] });
  const stop = onLanguage(draw);
  signal?.addEventListener("abort", () => {
    observer.disconnect();
    stop();
  });
  draw();
}
