// Asking the server for exact numbers: each answer is kept, and of several waiting questions only the latest is sent.

/** @import { Answer, Channel, Resource, Server, Wanted } from "../core/types.d.ts" */

const KEPT = 800; // answers at most
const KEPT_BYTES = 64 << 20; // of all of them together
const PASSING_MS = 40; // a pointer that asked as lately as this is passing by:
const HOVER_MS = 16; // it asks once it stands, while the first thing it comes to is asked for at once

// Long arrays arrive as base64 of little-endian float32.
export function decode(value) {
  if (Array.isArray(value)) return value.map(decode);
  if (value === null || typeof value !== "object") return value;
  if (typeof value.f32 === "string") {
    const bytes = Uint8Array.from(atob(value.f32), (letter) => letter.charCodeAt(0));
    return Object.assign(new Float32Array(bytes.buffer), { shape: value.shape });
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item)]));
}

// About how much memory an answer takes.
export function weigh(value) {
  if (value instanceof Float32Array) return value.byteLength + 64;
  if (typeof value === "string") return 2 * value.length + 16;
  if (value === null || typeof value !== "object") return 8;
  return Object.values(value).reduce((sum, item) => sum + weigh(item), 32);
}

/**
 * @param {Server} server
 * @param {string} name
 * @returns {Promise<any>} the answer, or what went wrong as its `error`
 */
async function request(server, name, query) {
  try {
    const answer = await server[name](query);
    return answer && answer.error ? { error: answer.error } : decode(answer);
  } catch {
    return { error: "The server did not answer: is it still running? Reload the page to try again." };
  }
}

const keyOf = (name, query) => name + JSON.stringify(query);

export class Client {
  /**
   * @param {Server} server
   * @param {(channel: Channel) => void} onarrival
   */
  constructor(server, onarrival) {
    this.server = server;
    this.onarrival = onarrival;
    this.kept = new Map(); // key -> { value, bytes }, those not used for longest first
    this.bytes = 0;
    this.asked = 0;
    /** @type {Map<string, Channel>} */
    this.channels = new Map();
  }

  /**
   * The answer, asked for only where it is not here; `error` says what went wrong.
   * @template {string} Name
   * @param {Name} name
   * @returns {Promise<Answer<Name> & { error?: string }>}
   */
  async fetchOnce(name, query) {
    const key = keyOf(name, query);
    if (this.kept.has(key)) return this.held(key);
    this.asked += 1;
    const value = await request(this.server, name, query);
    if (!value.error) this.keep(key, value);
    return value;
  }

  /**
   * An answer that is not kept whole, since its parts are.
   * @template {string} Name
   * @param {Name} name
   * @returns {Promise<Answer<Name> & { error?: string }>}
   */
  askOnce(name, query) {
    this.asked += 1;
    return request(this.server, name, query);
  }

  // An answer that is here, which counts as a use.
  held(key) {
    const entry = this.kept.get(key);
    this.kept.delete(key);
    this.kept.set(key, entry);
    return entry.value;
  }

  // Answers not used for longest go first.
  keep(key, value) {
    this.drop(key);
    const entry = { value, bytes: weigh(value) + 2 * key.length };
    this.kept.set(key, entry);
    this.bytes += entry.bytes;
    while (this.kept.size > 1 && (this.kept.size > KEPT || this.bytes > KEPT_BYTES))
      this.drop(this.kept.keys().next().value);
  }

  drop(key) {
    const entry = this.kept.get(key);
    if (!entry) return;
    this.bytes -= entry.bytes;
    this.kept.delete(key);
  }

  has(name, query) {
    return this.kept.has(keyOf(name, query));
  }

  // Several answers that came in one: each is kept as if it had been asked for.
  keepAll(name, pairs) {
    pairs.forEach(([query, value]) => this.keep(keyOf(name, query), value));
  }

  /**
   * @param {string} name
   * @param {string} group
   * @returns {Channel}
   */
  channel(name, group) {
    if (!this.channels.has(name)) this.channels.set(name, { name, last: null, group: null, wanted: null });
    const channel = this.channels.get(name);
    if (channel.group !== group) Object.assign(channel, { group, last: null });
    return channel;
  }

  // Nothing is asked, and nothing is about to be.
  idle() {
    return [...this.channels.values()].every((channel) => !channel.flying && !channel.wanted);
  }

  /**
   * The answer if it is here, else the channel's last one (`fresh` false) while the new one is on its way.
   * @template {string} Name
   * @param {string} channelName
   * @param {Name} name
   * @param {{ hovering?: boolean, group?: string }} [options] of another group, the channel's last answer is none of ours
   * @returns {Resource<Answer<Name>>}
   */
  resource(channelName, name, query, options = {}) {
    const { hovering = false, group = "" } = options;
    const channel = this.channel(channelName, group);
    const key = keyOf(name, query);
    if (this.kept.has(key)) {
      channel.last = this.held(key);
      channel.wanted = null;
      return { value: channel.last, fresh: true, error: null };
    }
    if (channel.failed?.key === key) return { value: null, fresh: true, error: channel.failed.error };
    this.want(channel, { name, query, key }, hovering);
    return { value: channel.last, fresh: false, error: null };
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
    channel.timer = null;
    if (!hovering || performance.now() - (channel.asked ?? -Infinity) > PASSING_MS) {
      this.pump(channel);
      return;
    }
    channel.timer = setTimeout(() => {
      channel.timer = null;
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
    if (value.error) channel.failed = { key: wanted.key, error: value.error };
    if (channel.wanted === wanted) channel.wanted = null;
    this.onarrival(channel);
    this.pump(channel);
  }
}
