// Pictures, maps and shares of the current selection, each from the client's cache or on its way.

import { ownGrid } from "./families.js";
import { cellsOf, placeOf, rowAndColumn } from "./geometry.js";
import { say } from "./i18n.js";
import { LETTERS, choices, effective } from "./store.js";
import { cellInTime, firstFrameOf } from "./time.js";
import { chosenLabel, isPredicted, wordOfToken } from "./words.js";

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
const AHEAD_BYTES = 1.5e6; // of one answer that is sent ahead
const AHEAD_MOST = 24e6; // of all that is sent ahead for one layer and head
const AHEAD_MS = 120; // stillness before anything is

// What is asked for one token's map. Its shape is the key under which the answer is kept.
function mapQuery(run, token, selection, letter, mode) {
  const { layer, head, media, also } = selection;
  return {
    run: run.id,
    query: token,
    also: also[letter],
    why: isPredicted(run, token),
    layer: layer[letter],
    head: head[letter],
    media,
    adapter_head: "mean",
    mode,
  };
}

// Sends for the maps of an answer's words before anybody points at one, the nearest to the chosen word first.
function createAhead(store, client) {
  const state = {};
  return function ahead(letter, run, selection, mode) {
    const at = { ...selection, also: { A: [], B: [] } };
    const stamp = JSON.stringify([run.id, at.layer[letter], at.head[letter], at.media, mode]);
    const here = (state[letter] ??= { stamp: null, sent: 0, busy: false, timer: null });
    if (here.stamp !== stamp) Object.assign(here, { stamp, sent: 0 });
    const media = run.media[at.media];
    const cells = (grid) => grid.reduce((product, size) => product * size, 1);
    const each = 6 * (cells(media.patch_grid) + cells(media.token_grid) + run.tokens.id.length) + 2000;
    const wanted = () => {
      const words = run.words.map((_, index) => index);
      const chosen = Math.max(0, wordOfToken(run, store.state.selection.query[letter]));
      words.sort((one, two) => Math.abs(one - chosen) - Math.abs(two - chosen));
      const tokens = words.map((index) => run.words[index].tokens[0]);
      const missing = tokens.filter((token) => !client.has("map", mapQuery(run, token, at, letter, mode)));
      return here.sent + each > AHEAD_MOST ? [] : missing.slice(0, Math.max(1, Math.min(32, Math.floor(AHEAD_BYTES / each))));
    };
    clearTimeout(here.timer);
    if (here.busy || !wanted().length) return;
    here.timer = setTimeout(async () => {
      const queries = wanted();
      if (!queries.length || here.stamp !== stamp) return;
      here.busy = true;
      here.sent += queries.length * each;
      const { query: _, ...rest } = mapQuery(run, run.answer_start, at, letter, mode);
      const answer = await client.askOnce("maps_ahead", { ...rest, queries });
      here.busy = false;
      if (answer.error) here.sent = AHEAD_MOST;
      else client.keepAll("map", queries.map((token, index) => [mapQuery(run, token, at, letter, mode), answer.maps[index]]));
      store.redraw();
    }, AHEAD_MS);
  };
}

export function createResources(store, client) {
  const picture = createPictures(client, store.redraw);
  const run = (letter) => store.state.runs[letter];
  const ask = (channel, name, query, group) =>
    client.resource(channel, name, query, { group, hovering: store.state.preview !== null });
  const mode = (selection) => choices(selection, "answer")?.mode ?? "raw";

  function mapResources(letter) {
    const selection = effective(store.state);
    const here = run(letter);
    const media = here?.media[selection.media];
    if (!media) return NOTHING;
    const cell = cellInTime(store.state, selection, letter);
    const image = picture("picture", here.id, selection.media, firstFrameOf(media, cell));
    const token = selection.query[letter];
    if (token === null) return { ...NOTHING, media, image };
    const drawn = selection.view === "answer" ? mode(selection) : "raw";
    const asked = mapQuery(here, token, selection, letter, drawn);
    const answer = ask(`map ${letter}`, "map", asked, `${here.id} ${selection.media} ${drawn}`);
    const late = answer.fresh ? null : say("row of {word}", { word: chosenLabel(here, token) });
    return { media, image, map: answer.value, fresh: answer.fresh, late, error: answer.error };
  }

  const ahead = createAhead(store, client);

  function sendAhead(letter) {
    const { selection, preview, busy } = store.state;
    const here = run(letter);
    if (preview || busy || !here?.media[selection.media] || selection.query[letter] === null) return;
    ahead(letter, here, selection, mode(selection));
  }

  const about = (letter) => {
    const selection = effective(store.state);
    const token = selection.query[letter];
    if (!run(letter) || token === null) return null;
    return { run: run(letter).id, query: token, why: isPredicted(run(letter), token) };
  };

  function shares(letter) {
    const asked = about(letter);
    return asked && ask(`shares ${letter}`, "shares", asked, asked.run).value;
  }

  function statistics(letter) {
    const { media } = effective(store.state);
    const asked = run(letter)?.media[media] && about(letter);
    return asked && ask(`statistics ${letter}`, "statistics", { ...asked, media }, `${asked.run} ${media}`).value;
  }

  // For every patch the adapter queries that read it most; sent once, so that pointing at patches asks for nothing.
  function patchReaders(letter) {
    const { media } = effective(store.state);
    if (!run(letter)?.sites.adapter || !run(letter).media[media]) return null;
    const asked = { run: run(letter).id, media, head: "mean" };
    return client.resource(`patch readers ${letter}`, "patch_readers", asked, { group: `${asked.run} ${media}` }).value;
  }

  // A column: how much every row gives to the chosen cells, or to the chosen token where there are none.
  function reading(letter) {
    const selection = effective(store.state);
    const here = run(letter);
    if (!here) return { value: null, fresh: true, error: null };
    const { layer, head, media } = selection;
    const now = { ...selection, frame: cellInTime(store.state, selection, letter) };
    const cells = here.media[media] ? cellsOf(now, ownGrid(here, here.media[media])) : [];
    const asked = { run: here.id, layer: layer[letter], head: head[letter], media: Math.min(media, Math.max(0, here.media.length - 1)) };
    if (cells.length) asked.cells = cells;
    else if (selection.query[letter] === null) return { value: null, fresh: true, error: null };
    else asked.key = selection.query[letter];
    return { ...ask(`reading ${letter}`, "reading", asked, here.id), cells, key: asked.key ?? null };
  }

  function agreement() {
    const selection = effective(store.state);
    if (LETTERS.some((letter) => !run(letter)?.media[selection.media] || selection.query[letter] === null)) return null;
    const [one, two] = LETTERS.map((letter) =>
      mapQuery(run(letter), selection.query[letter], selection, letter, mode(selection) === "sinks" ? "sinks" : "raw"),
    );
    return ask("agreement", "agreement", { run: one.run, one, two }, `${one.run} ${two.run} ${selection.media}`);
  }

  const letterWithAdapter = () => LETTERS.find((letter) => run(letter)?.sites.adapter);
  const withAdapter = () => run(letterWithAdapter());

  // Which frame of a clip the adapter is shown at: its queries read each frame apart.
  const adapterFrame = () => cellInTime(store.state, effective(store.state), letterWithAdapter());

  function adapterRow(channel, name, more) {
    const { adapter, media } = effective(store.state);
    if (!withAdapter()) return null;
    const { id } = withAdapter();
    return ask(channel, name, { run: id, media, head: adapter.head, ...more(adapter) }, `${id} ${media}`).value;
  }

  const adapterMap = () =>
    adapterRow("adapter", "adapter", ({ query }) => ({ query: query + adapterFrame() * withAdapter().sites.adapter.queries }));
  const adapterSheet = () => adapterRow("sheet", "adapter_sheet", () => ({ frame: adapterFrame() }));

  // The place on the picture that the chosen query looks at most; a pinned place wins.
  function adapterPlace(selection) {
    if (selection.keys) return selection.keys;
    const map = adapterMap();
    return map ? placeOf(...rowAndColumn(map.max_index, map.grid), map.grid) : [0.5, 0.5];
  }

  // A run's picture; of a clip the frame that is on show, unless another is named.
  function onShow(kind, id, index, frame = null) {
    const letter = LETTERS.find((one) => run(one)?.id === id);
    const selection = { ...effective(store.state), media: index };
    const media = run(letter)?.media[index];
    const now = media ? firstFrameOf(media, cellInTime(store.state, selection, letter)) : 0;
    return picture(kind, id, index, frame ?? now);
  }

  const ofRows = { mapResources, sendAhead, shares, statistics, patchReaders, reading, agreement };
  return { picture: onShow, ...ofRows, adapterMap, adapterSheet, adapterPlace };
}
