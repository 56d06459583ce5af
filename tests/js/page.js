// What modules of the page expect of a browser when they load, for tests without one. Import it first.
//
// Tests set what they need besides: `at(address)` names the address, `frames` holds callbacks that wait for the next frame.

export const frames = [];
const replaced = [];

const page = {
  document: { documentElement: { lang: "" }, baseURI: "http://localhost/" },
  localStorage: { getItem: () => null, setItem: () => {} },
  requestAnimationFrame: (act) => frames.push(act),
  window: {
    location: new URL("http://localhost/"),
    history: { replaceState: (_state, _title, address) => replaced.push(address) },
    addEventListener: () => {},
    dispatchEvent: () => true,
  },
};
Object.assign(globalThis, page);
Object.defineProperty(globalThis, "navigator", { value: { language: "en-US" }, configurable: true });

/** Opens an address; returns the list of addresses that the page wrote since. */
export function at(address) {
  page.window.location = new URL(address, "http://localhost/");
  replaced.length = 0;
  return replaced;
}

/** Lets the page draw: everything that waits for the next frame. */
export const draw = () => frames.splice(0).forEach((act) => act());
