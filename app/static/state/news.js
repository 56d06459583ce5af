// News between the page's parts, which load in any order: whoever comes late hears the last of it.

/** @import { News } from "../core/types.d.ts" */

/** @type {{ [Name in keyof News]: News[Name] | undefined }} */
const last = { "inspector-draft": undefined, "inspector-row": undefined, "inspector-runs": undefined };

/**
 * @template {keyof News} Name
 * @param {Name} name
 * @param {News[Name]} detail
 */
export function publish(name, detail) {
  last[name] = detail;
  window.dispatchEvent(new CustomEvent(name, { detail }));
}

// `act(detail)` for the last news of this name, and for all that follows until the signal ends it.
/**
 * @template {keyof News} Name
 * @param {Name} name
 * @param {(detail: News[Name]) => void} act
 * @param {AbortSignal} [signal]
 */
export function hear(name, act, signal) {
  window.addEventListener(name, (event) => act(/** @type {CustomEvent<News[Name]>} */ (event).detail), { signal });
  const latest = last[name];
  if (latest !== undefined) act(latest);
}
