// Asking the server for exact numbers: each answer is kept, and of several waiting questions only the latest is sent.

/**
 * @import {
 *   Answer, Channel, Name, Query, Resource, Server, Told, Wanted
 * } from "../core/types.d.ts"
 */

const KEPT = 800; // answers at most
const KEPT_BYTES = 64 << 20; // of all of them together
const PASSING_MS = 40; // a pointer that asked as lately as this is passing by:
const HOVER_MS = 16; // it asks once it stands, while the first thing it comes to is asked for at once

// Long arrays arrive as base64 of little-endian float32.
/**
 * @param {unknown} value
 * @returns {unknown}
 */
export function decode(value) {
  if (Array.isArray(value)) return value.map(decode);
  if (value === null || typeof value !== "object") return value;
  if ("f32" in value && typeof value.f32 === "string") {
    const bytes = Uint8Array.from(atob(value.f32), (letter) => letter.charCodeAt(0));
    return Object.assign(new Float32Array(bytes.buffer), { shape: "shape" in value ? value.shape : undefined });
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item)]));
}

// About how much memory an answer takes.
/**
 * @param {unknown} value
 * @returns {number}
 */
export function weigh(value) {
  if (value instanceof Float32Array) return value.byteLength + 64;
  if (typeof value === "string") return 2 * value.length + 16;
  if (value === null || typeof value !== "object") return 8;
  return Object.values(value).reduce((/** @type {number} */ sum, item) => sum + weigh(item), 32);
}

/**
 * The answer, or what went wrong as its `error`.
 * @template {Name} Asked
 * @param {Server} server
 * @param {Asked} name
 * @param {Query} query
 * @returns {Promise<Told<Asked>>}
 */
async function request(server, name, query) {
  try {
    const answer = await server[name](query);
    if (answer && "error" in answer && answer.error) return { error: answer.error };
    return /** @type {Told<Asked>} */ (decode(answer));
  } catch {
    return { error: "The server did not answer: is it still running? Reload the page to try again." };
  }
}

/** @param {Name} name @param {Query} query */
const keyOf = (name, query) => name + JSON.stringify(query);

export class Client {
  /**
   * @param {Server} server
   * @param {(channel: Channel) => void} onarrival
   */
  constructor(server, onarrival) {
    this.server = server;
    this.onarrival = onarrival;
    /** @type {Map<string, { value: Answer<Name>, bytes: number }>} by key, those not used for longest first */
    this.kept = new Map();
    this.bytes = 0;
    this.asked = 0;
    /** @type {Map<string, Channel>} */
    this.channels = new Map();
  }

  /**
   * The answer, asked for only where it is not here; `error` says what went wrong.
   * @template {Name} Asked
   * @param {Asked} name
   * @param {Query} query
   * @returns {Promise<Told<Asked>>}
   */
  async fetchOnce(name, query) {
    const key = keyOf(name, query);
    const here = this.held(key);
    if (here) return /** @type {Told<Asked>} */ (here);
    this.asked += 1;
    const value = await request(this.server, name, query);
    if (!("error" in value)) this.keep(key, value);
    return value;
  }

  /**
   * An answer that is not kept whole, since its parts are.
   * @template {Name} Asked
   * @param {Asked} name
   * @param {Query} query
   * @returns {Promise<Told<Asked>>}
   */
  askOnce(name, query) {
    this.asked += 1;
    return request(this.server, name, query);
  }

  // An answer that is here, which counts as a use; null where it is not.
  /** @param {string} key */
  held(key) {
    const entry = this.kept.get(key);
    if (!entry) return null;
    this.kept.delete(key);
    this.kept.set(key, entry);
    return entry.value;
  }

  // Answers not used for longest go first.
  /** @param {string} key @param {Answer<Name>} value */
  keep(key, value) {
    this.drop(key);
    const entry = { value, bytes: weigh(value) + 2 * key.length };
    this.kept.set(key, entry);
    this.bytes += entry.bytes;
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= 1 || (this.kept.size <= KEPT && this.bytes <= KEPT_BYTES)) return;
      this.drop(oldest);
    }
  }

  /** @param {string} key */
  drop(key) {
    const entry = this.kept.get(key);
    if (!entry) return;
    this.bytes -= entry.bytes;
    this.kept.delete(key);
  }

  /** @param {Name} name @param {Query} query */
  has(name, query) {
    return this.kept.has(keyOf(name, query));
  }

  // Several answers that came in one: each is kept as if it had been asked for.
  /**
   * @template {Name} Asked
   * @param {Asked} name
   * @param {[query: Query, value: Answer<Asked>][]} pairs
   */
  keepAll(name, pairs) {
    pairs.forEach(([query, value]) => this.keep(keyOf(name, query), value));
  }

  /**
   * @param {string} name
   * @param {string} group
   * @returns {Channel}
   */
  channel(name, group) {
    /** @type {Channel} */
    const channel = this.channels.get(name) ?? { name, last: null, group: null, wanted: null };
    this.channels.set(name, channel);
    if (channel.group !== group) Object.assign(channel, { group, last: null });
    return channel;
  }

  // Nothing is asked, and nothing is about to be.
  idle() {
    return [...this.channels.values()].every((channel) => !channel.flying && !channel.wanted);
  }

  /**
   * The answer if it is here, else the channel's last one (`fresh` false) while the new one is on its way.
   * @template {Name} Asked
   * @param {string} channelName
   * @param {Asked} name
   * @param {Query} query
   * @param {{ hovering?: boolean, group?: string }} [options] of another group, the channel's last answer is none of ours
   * @returns {Resource<Answer<Asked>>}
   */
  resource(channelName, name, query, options = {}) {
    const { hovering = false, group = "" } = options;
    const channel = this.channel(channelName, group);
    const key = keyOf(name, query);
    const here = this.held(key);
    if (here) {
      channel.last = here;
      channel.wanted = null;
      return { value: /** @type {Answer<Asked>} */ (here), fresh: true, error: null };
    }
    if (channel.failed?.key === key) return { value: null, fresh: true, error: channel.failed.error };
    this.want(channel, { name, query, key }, hovering);
    return { value: this.latest(channelName, name, group), fresh: false, error: null };
  }

  /**
   * The last answer of a channel, which asks one kind of question.
   * @template {Name} Asked
   * @param {string} channelName
   * @param {Asked} _name
   * @param {string} group
   */
  latest(channelName, _name, group) {
    return /** @type {Answer<Asked> | null} */ (this.channel(channelName, group).last);
  }

  /**
   * @param {Channel} channel
   * @param {Wanted} wanted
   * @param {boolean} hovering
   */
  want(channel, wanted, hovering) {
    if (channel.wanted?.key === wanted.key) return;
    channel.wanted = wanted;
    clearTimeout(channel.timer);
    channel.timer = undefined;
    if (!hovering || performance.now() - (channel.asked ?? -Infinity) > PASSING_MS) {
      this.pump(channel);
      return;
    }
    channel.timer = setTimeout(() => {
      channel.timer = undefined;
      this.pump(channel);
    }, HOVER_MS);
  }

  /**
   * One question of a channel is under way at a time; what was wanted last goes next.
   * @param {Channel} channel
   */
  async pump(channel) {
    const { wanted } = channel;
    if (channel.flying || !wanted || channel.timer) return;
    channel.flying = true;
    channel.asked = performance.now();
    const value = await this.fetchOnce(wanted.name, wanted.query);
    channel.flying = false;
    channel.milliseconds = performance.now() - channel.asked;
    if ("error" in value) channel.failed = { key: wanted.key, error: value.error };
    if (channel.wanted === wanted) channel.wanted = null;
    this.onarrival(channel);
    this.pump(channel);
  }
}
