// A module of ours in one of Gradio's components, drawn anew when the page's language changes.
//
// mount(element, { props, trigger, watch, server, signal }): `watch` and listeners with `signal` end with the drawing
// they belong to. A module that exports `redrawsItself` is mounted once and sees to its words alone.

import { onLanguage } from "../language/i18n.js";

/** @import { Gradio } from "./types.d.ts" */

/**
 * @template Props
 * @param {HTMLElement} element
 * @param {Gradio<Props>} gradio
 * @param {{ redrawsItself?: boolean, mount(element: HTMLElement, gradio: Gradio<Props>): void }} module
 */
export function mountIn(element, gradio, module) {
  if (module.redrawsItself) {
    module.mount(element, gradio);
    return;
  }
  const known = new Set();
  /** @type {[key: string, act: () => void][]} */
  let watchers = [];
  let life = new AbortController();
  /** @param {string} key */
  const told = (key) => watchers.filter(([name]) => name === key).forEach(([, act]) => act());
  /** @param {string} key @param {() => void} act */
  const watch = (key, act) => {
    watchers.push([key, act]);
    if (known.has(key)) return;
    known.add(key);
    gradio.watch(key, () => told(key));
  };
  const build = () => {
    life.abort();
    [watchers, life] = [[], new AbortController()];
    module.mount(element, { ...gradio, watch, signal: life.signal });
  };
  onLanguage(build);
  build();
}
