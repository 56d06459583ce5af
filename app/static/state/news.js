// News between the page's parts, which load in any order: whoever comes late hears the last of it.

const last = new Map();

export function publish(name, detail) {
  last.set(name, detail);
  window.dispatchEvent(new CustomEvent(name, { detail }));
}

// `act(detail)` for the last news of this name, and for all that follows until the signal ends it.
export function hear(name, act, signal) {
  window.addEventListener(name, (event) => act(event.detail), { signal });
  if (last.has(name)) act(last.get(name));
}
