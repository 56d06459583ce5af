// Pictures, maps and shares of the current selection, each from the client's cache or on its way.

import { ownGrid } from "../core/families.js";
import { cellsOf } from "../core/geometry.js";
import { say } from "../language/i18n.js";
import { LETTERS, choices } from "./selection.js";
import { effective } from "./store.js";
import { cellInTime, firstFrameOf } from "./time.js";
import { chosenLabel, isPredicted, wordOfToken } from "./words.js";

/**
 * @import {
 *   Answer, Both, Choice, Client, Context, Grid, Letter, MapResources, Media, Name, PictureKind,
 *   Query, Resource, Run, Selection, Store
 * } from "../core/types.d.ts"
 */

const PICTURE_SIDE = 960;
const PICTURES_KEPT = 48; // frames of clips among them

/** @param {Client} client @param {() => void} redraw */
function createPictures(client, redraw) {
  /** @type {Map<string, { image: HTMLImageElement, ready: boolean }>} */
  const images = new Map();

  /** @param {PictureKind} kind @param {string} run @param {number} media @param {number} frame @param {string} key */
  function send(kind, run, media, frame, key) {
    const held = { image: new Image(), ready: false };
    images.set(key, held);
    const [oldest] = images.keys();
    if (images.size > PICTURES_KEPT) images.delete(oldest);
    client.fetchOnce(kind, { run, media, side: PICTURE_SIDE, frame }).then((answer) => {
      if ("error" in answer) return;
      held.image.onload = () => {
        held.ready = true;
        redraw();
      };
      held.image.src = answer.picture;
    });
    return held;
  }

  return function picture(
    /** @type {PictureKind} */ kind,
    /** @type {string} */ run,
    /** @type {number} */ media,
    frame = 0,
  ) {
    const key = `${kind} ${run} ${media} ${frame}`;
    const held = images.get(key) ?? send(kind, run, media, frame, key);
    return held.ready ? held.image : null;
  };
}

/** @type {MapResources} */
const NOTHING = { media: null, image: null, map: null, late: null, error: null, fresh: true };
const AHEAD_MAPS = 16; // in one answer that is sent ahead
const AHEAD_BYTES = 1.5e6; // of it
const AHEAD_CELLS = 1.5e6; // of a word's maps by layer and head, to be sent ahead at all
const AHEAD_MOST = 16e6; // of all that is sent ahead for one layer and head
const AHEAD_MS = 120; // stillness before anything is

/** @typedef {Pick<Selection, "media" | "also"> & { layer: Partial<Both<Choice>>, head: Partial<Both<Choice>> }} MapChoice */
/** @typedef {{ query: number, layer: Choice, head: Choice }} Ahead one map that may be asked for next */
/** @typedef {ReturnType<typeof mapQuery>} MapQuery */

// What is asked for one token's map. Its shape is the key under which the answer is kept.
/**
 * @param {Run} run
 * @param {number} token
 * @param {MapChoice} selection
 * @param {Letter} letter
 * @param {string} mode
 */
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

/** @param {Grid} grid */
const cellsIn = (grid) => grid.reduce((product, size) => product * size, 1);

// Bytes that one map takes on its way.
/** @param {Run} run @param {Media} media */
function mapBytes(run, media) {
  return 6 * (cellsIn(media.patch_grid) + cellsIn(media.token_grid) + run.tokens.id.length) + 2000;
}

// What hovering may ask for next, the likeliest first: the answer's words at the chosen layer and head, the nearest to
// the chosen word first; then, where they are few, every layer and head of that word.
/**
 * @param {Run} run
 * @param {Letter} letter
 * @param {Selection} selection
 * @param {number} each
 * @returns {Ahead[]}
 */
function nextMaps(run, letter, selection, each) {
  const chosen = Math.max(0, wordOfToken(run, selection.query[letter]));
  const words = run.words.map((_, index) => index).sort((one, two) => Math.abs(one - chosen) - Math.abs(two - chosen));
  const [layer, head] = [selection.layer[letter], selection.head[letter]];
  const ofWords = words.map((index) => ({ query: run.words[index].tokens[0], layer, head }));
  const { layers, heads } = run.sites.language;
  const token = selection.query[letter];
  if (token === null || !isPredicted(run, token) || (layers + 1) * (heads + 1) * each > AHEAD_CELLS) return ofWords;
  /** @type {(size: number) => Choice[]} */
  const list = (size) => [...Array(size).keys(), ...(size > 1 ? [/** @type {Choice} */ ("mean")] : [])];
  const cells = list(layers).flatMap((one) => list(heads).map((two) => ({ query: token, layer: one, head: two })));
  return [...ofWords, ...cells];
}

// Sends for maps before anybody points at what they are of, so that pointing asks for nothing.
/** @param {Store} store @param {Client} client */
function createAhead(store, client) {
  /** @typedef {{ stamp: string | null, sent: number, busy: boolean, timer?: ReturnType<typeof setTimeout> }} Waiting */
  /** @type {Partial<Both<Waiting>>} */
  const waiting = {};

  /**
   * @param {Waiting} here
   * @param {Letter} letter
   * @param {Run} run
   * @param {Selection} selection
   * @param {string} mode
   */
  async function send(here, letter, run, selection, mode) {
    const each = mapBytes(run, run.media[selection.media]);
    const asked = (/** @type {Ahead} */ { query, layer, head }) => {
      const one = { ...selection, layer: { [letter]: layer }, head: { [letter]: head } };
      return mapQuery(run, query, one, letter, mode);
    };
    const missing = nextMaps(run, letter, selection, each).filter((one) => !client.has("map", asked(one)));
    const some = missing.slice(0, Math.max(1, Math.min(AHEAD_MAPS, Math.floor(AHEAD_BYTES / each))));
    if (here.busy || !some.length || here.sent + some.length * each > AHEAD_MOST) return;
    here.busy = true;
    here.sent += some.length * each;
    const answer = await client.askOnce("maps_ahead", { ...asked(some[0]), each: some });
    here.busy = false;
    if ("error" in answer) here.sent = AHEAD_MOST;
    else {
      client.keepAll(
        "map",
        some.map((one, index) => [asked(one), answer.maps[index]]),
      );
      /** @param {number} query */
      const about = (query) => ({ run: run.id, query, why: true });
      client.keepAll(
        "shares",
        answer.queries.map((query, index) => [about(query), answer.shares[index]]),
      );
    }
    store.redraw();
  }

  /** @param {Letter} letter @param {Run} run @param {Selection} selection @param {string} mode */
  return function ahead(letter, run, selection, mode) {
    const at = { ...selection, also: { A: [], B: [] } };
    const stamp = JSON.stringify([run.id, at.layer[letter], at.head[letter], at.media, mode]);
    const here = (waiting[letter] ??= { stamp: null, sent: 0, busy: false });
    if (here.stamp !== stamp) Object.assign(here, { stamp, sent: 0 });
    clearTimeout(here.timer);
    here.timer = setTimeout(
      () => here.stamp === stamp && store.state.preview === null && send(here, letter, run, at, mode),
      AHEAD_MS,
    );
  };
}

/** @param {Store} store @param {Client} client */
export function createResources(store, client) {
  const picture = createPictures(client, store.redraw);
  /** @param {Letter} letter */
  const run = (letter) => store.state.runs[letter];
  /** @type {<Asked extends Name>(channel: string, name: Asked, query: Query, group: string) => Resource<Answer<Asked>>} */
  const ask = (channel, name, query, group) =>
    client.resource(channel, name, query, { group, hovering: store.state.preview !== null });
  /** @param {Selection} selection */
  const mode = (selection) => choices(selection, "answer")?.mode ?? "raw";

  /**
   * @param {Letter} letter
   * @returns {MapResources}
   */
  function mapResources(letter) {
    const selection = effective(store.state);
    const here = run(letter);
    const media = here?.media[selection.media];
    if (!here || !media) return NOTHING;
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

  /** @param {Letter} letter */
  function sendAhead(letter) {
    const { selection, preview, busy } = store.state;
    const here = run(letter);
    if (preview || busy || !here?.media[selection.media] || selection.query[letter] === null) return;
    ahead(letter, here, selection, mode(selection));
  }

  /** @param {Letter} letter */
  const about = (letter) => {
    const selection = effective(store.state);
    const token = selection.query[letter];
    const here = run(letter);
    if (!here || token === null) return null;
    return { run: here.id, query: token, why: isPredicted(here, token) };
  };

  /** @param {Letter} letter */
  function shares(letter) {
    const asked = about(letter);
    return asked && ask(`shares ${letter}`, "shares", asked, asked.run).value;
  }

  /** @param {Letter} letter */
  function statistics(letter) {
    const { media } = effective(store.state);
    const asked = run(letter)?.media[media] ? about(letter) : null;
    return asked && ask(`statistics ${letter}`, "statistics", { ...asked, media }, `${asked.run} ${media}`).value;
  }

  // For every patch the adapter queries that read it most; sent once, so that pointing at patches asks for nothing.
  /** @param {Letter} letter */
  function patchReaders(letter) {
    const { media } = effective(store.state);
    const here = run(letter);
    if (!here?.sites.adapter || !here.media[media]) return null;
    const asked = { run: here.id, media, head: "mean" };
    return client.resource(`patch readers ${letter}`, "patch_readers", asked, { group: `${asked.run} ${media}` }).value;
  }

  // A column: how much every row gives to the chosen cells, or to the chosen token where there are none.
  /**
   * @param {Letter} letter
   * @returns {ReturnType<Context["reading"]>}
   */
  function reading(letter) {
    const selection = effective(store.state);
    const here = run(letter);
    if (!here) return { value: null, fresh: true, error: null };
    const { layer, head, media } = selection;
    const now = { ...selection, frame: cellInTime(store.state, selection, letter) };
    const cells = here.media[media] ? cellsOf(now, ownGrid(here, here.media[media])) : [];
    const token = selection.query[letter];
    /** @type {{ run: string, layer: Choice, head: Choice, media: number, cells?: number[], query?: number }} */
    const asked = {
      run: here.id,
      layer: layer[letter],
      head: head[letter],
      media: Math.min(media, Math.max(0, here.media.length - 1)),
    };
    if (cells.length) asked.cells = cells;
    else if (token === null) return { value: null, fresh: true, error: null };
    else asked.query = token;
    return { ...ask(`reading ${letter}`, "reading", asked, here.id), cells, key: asked.query ?? null };
  }

  /** @param {MapQuery} one @param {MapQuery} two */
  const groupOf = (one, two) => `${one.run} ${two.run} ${one.media}`;

  // Asked of what is chosen; while something is only pointed at, the last one stands, and is said not to be fresh.
  function agreement() {
    const selection = effective(store.state);
    const drawn = mode(selection) === "sinks" ? "sinks" : "raw";
    const [one, two] = LETTERS.map((letter) => {
      const [here, token] = [run(letter), selection.query[letter]];
      const about = here?.media[selection.media] && token !== null;
      return about ? mapQuery(here, token, selection, letter, drawn) : null;
    });
    if (!one || !two) return null;
    const asked = { run: one.run, one, two };
    const idle = store.state.preview !== null && !client.has("agreement", asked);
    if (idle) return { value: client.latest("agreement", "agreement", groupOf(one, two)), fresh: false, error: null };
    return ask("agreement", "agreement", asked, groupOf(one, two));
  }

  // A run's picture; of a clip the frame that is on show, unless another is named.
  /** @type {Context["picture"]} */
  function onShow(kind, id, index, frame = null) {
    const letter = LETTERS.find((one) => run(one)?.id === id);
    const selection = { ...effective(store.state), media: index };
    const media = letter && run(letter)?.media[index];
    const now = media ? firstFrameOf(media, cellInTime(store.state, selection, letter)) : 0;
    return picture(kind, id, index, frame ?? now);
  }

  const ofRows = { mapResources, sendAhead, shares, statistics, patchReaders, reading, agreement };
  return { picture: onShow, ...ofRows };
}
