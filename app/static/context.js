// What views share: pictures, maps and shares of the current selection, each from the client's cache or on its way.

import { effective } from "./store.js";
import { placeOf, rowAndColumn } from "./geometry.js";
import { createMediaChoice } from "./parts/mediachoice.js";
import { chosenLabel } from "./words.js";

const PICTURE_SIDE = 960;
const FIGURES_WIDTH = 124;

function createPictures(client, redraw) {
  const images = new Map();
  return function picture(kind, run, media) {
    const key = `${kind} ${run} ${media}`;
    if (!images.has(key)) {
      const image = new Image();
      images.set(key, { image, ready: false });
      if (images.size > 24) images.delete(images.keys().next().value);
      client.fetchOnce(kind, { run, media, side: PICTURE_SIDE }).then((answer) => {
        if (answer.error) return;
        image.onload = () => {
          images.get(key) && (images.get(key).ready = true);
          redraw();
        };
        image.src = answer.picture;
      });
    }
    const held = images.get(key);
    return held.ready ? held.image : null;
  };
}

// Room for the picture inside its column: figures go to its right, or beneath a wide one and on a phone.
function stageBox(cell, [width, height], tall) {
  const room = cell.clientWidth || 520;
  const flat = width / height > 2.4 || window.innerWidth <= 720;
  return { inner: [Math.max(80, flat ? room : room - FIGURES_WIDTH - 14), tall], flat };
}

// The picture of the question that is being answered, from the rail.
function followDraft(redraw) {
  const image = new Image();
  image.onload = redraw;
  window.addEventListener("inspector-draft", ({ detail }) => {
    if (detail.thumbnail && image.src !== detail.thumbnail) image.src = detail.thumbnail;
    if (!detail.thumbnail) image.removeAttribute("src");
  });
  return () => (image.complete && image.naturalWidth ? image : null);
}

const NO_PICTURE = "No picture in this question. Positions still applies; this view needs one.";

export function createContext(store, client, actions) {
  const drafted = followDraft(store.redraw);
  const picture = createPictures(client, store.redraw);
  const run = (letter) => store.state.runs[letter];

  // What a stage shows where there is no run, or a run without a picture.
  function vacant(cell, letter, tall, here) {
    const live = store.state.live[letter];
    const image = live ? drafted() : null;
    const size = image ? [image.naturalWidth, image.naturalHeight] : [3, 2];
    return { image, size, box: stageBox(cell, size, tall).inner, quiet: true, note: here ? NO_PICTURE : live?.step || "No answer yet." };
  }

  function mapQuery(letter, selection) {
    return {
      run: run(letter).id, query: selection.query[letter], why: true,
      layer: selection.layer[letter], head: selection.head[letter], adapter_head: "mean", media: selection.media,
    };
  }

  function mapResources(letter) {
    const selection = effective(store.state);
    const here = run(letter);
    const media = here?.media[selection.media];
    if (!media) return { media: null, image: null, map: null, late: null, error: null, fresh: true };
    const image = picture("picture", here.id, selection.media);
    if (selection.query[letter] === null) return { media, image, map: null, late: null, error: null, fresh: true };
    const hovering = store.state.preview !== null;
    const answer = client.resource(`map ${letter}`, "map", mapQuery(letter, selection), { hovering, group: `${here.id} ${selection.media}` });
    return { media, image, map: answer.value, fresh: answer.fresh, late: answer.fresh ? null : `row of ${chosenLabel(here, selection.query[letter])}`, error: answer.error };
  }

  function shares(letter) {
    const { selection } = store.state;
    const query = effective(store.state).query[letter] ?? selection.query[letter];
    if (!run(letter) || query === null) return null;
    const asked = { run: run(letter).id, query, why: true };
    return client.resource(`shares ${letter}`, "shares", asked, { hovering: store.state.preview !== null, group: run(letter).id }).value;
  }

  function adapterMap() {
    const { adapter, media } = effective(store.state);
    if (!run("A")?.sites.adapter) return null;
    const asked = { run: run("A").id, media, query: adapter.query, head: adapter.head };
    return client.resource("adapter", "adapter", asked, { hovering: store.state.preview !== null, group: `${run("A").id} ${media}` }).value;
  }

  function adapterSheet() {
    const { adapter, media } = effective(store.state);
    if (!run("A")?.sites.adapter) return null;
    const asked = { run: run("A").id, media, head: adapter.head };
    return client.resource("sheet", "adapter_sheet", asked, { group: `${run("A").id} ${media}` }).value;
  }

  // The place on the picture that the chosen query looks at most; a pinned place wins.
  function adapterPlace(selection) {
    if (selection.keys) return selection.keys;
    const map = adapterMap();
    return map ? placeOf(...rowAndColumn(map.max_index, map.grid), map.grid) : [0.5, 0.5];
  }

  const ctx = { store, client, actions, picture, run, stageBox, vacant, mapResources, shares, adapterMap, adapterSheet, adapterPlace };
  ctx.mediaChoice = () => createMediaChoice(ctx);
  return ctx;
}
