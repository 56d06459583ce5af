// Pictures, maps and shares of the current selection, each from the client's cache or on its way.

import { effective } from "./store.js";
import { cellInTime, firstFrameOf } from "./time.js";
import { placeOf, rowAndColumn } from "./geometry.js";
import { chosenLabel } from "./words.js";

const PICTURE_SIDE = 960;
const PICTURES_KEPT = 48; // frames of clips among them

function createPictures(client, redraw) {
  const images = new Map();
  return function picture(kind, run, media, frame = 0) {
    const key = `${kind} ${run} ${media} ${frame}`;
    if (!images.has(key)) {
      const image = new Image();
      images.set(key, { image, ready: false });
      if (images.size > PICTURES_KEPT) images.delete(images.keys().next().value);
      client.fetchOnce(kind, { run, media, side: PICTURE_SIDE, frame }).then((answer) => {
        if (answer.error) return;
        image.onload = () => {
          if (images.has(key)) images.get(key).ready = true;
          redraw();
        };
        image.src = answer.picture;
      });
    }
    const held = images.get(key);
    return held.ready ? held.image : null;
  };
}

const NOTHING = { media: null, image: null, map: null, late: null, error: null, fresh: true };

export function createResources(store, client) {
  const picture = createPictures(client, store.redraw);
  const run = (letter) => store.state.runs[letter];
  const ask = (channel, name, query, group) =>
    client.resource(channel, name, query, { group, hovering: store.state.preview !== null });

  function mapResources(letter) {
    const { query, layer, head, media: index } = effective(store.state);
    const here = run(letter);
    const media = here?.media[index];
    if (!media) return NOTHING;
    const cell = cellInTime(store.state, effective(store.state), letter);
    const image = picture("picture", here.id, index, firstFrameOf(media, cell));
    if (query[letter] === null) return { ...NOTHING, media, image };
    const asked = {
      run: here.id,
      query: query[letter],
      why: true,
      layer: layer[letter],
      head: head[letter],
      media: index,
    };
    const answer = ask(`map ${letter}`, "map", { ...asked, adapter_head: "mean" }, `${here.id} ${index}`);
    const late = answer.fresh ? null : `row of ${chosenLabel(here, query[letter])}`;
    return { media, image, map: answer.value, fresh: answer.fresh, late, error: answer.error };
  }

  function shares(letter) {
    const query = effective(store.state).query[letter];
    if (!run(letter) || query === null) return null;
    const { id } = run(letter);
    return ask(`shares ${letter}`, "shares", { run: id, query, why: true }, id).value;
  }

  function adapterRow(channel, name, more) {
    const { adapter, media } = effective(store.state);
    if (!run("A")?.sites.adapter) return null;
    const { id } = run("A");
    return ask(channel, name, { run: id, media, head: adapter.head, ...more(adapter) }, `${id} ${media}`).value;
  }

  const adapterMap = () => adapterRow("adapter", "adapter", ({ query }) => ({ query }));
  const adapterSheet = () => adapterRow("sheet", "adapter_sheet", () => ({}));

  // The place on the picture that the chosen query looks at most; a pinned place wins.
  function adapterPlace(selection) {
    if (selection.keys) return selection.keys;
    const map = adapterMap();
    return map ? placeOf(...rowAndColumn(map.max_index, map.grid), map.grid) : [0.5, 0.5];
  }

  return { picture, mapResources, shares, adapterMap, adapterSheet, adapterPlace };
}
