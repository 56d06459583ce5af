// Asking the server for exact numbers: each answer is kept, and of several waiting questions only the latest is sent.

const KEPT = 240;
const HOVER_MS = 40;

// Long arrays arrive as base64 of little-endian float32.
export function decode(value) {
  if (Array.isArray(value)) return value.map(decode);
  if (value === null || typeof value !== "object") return value;
  if (typeof value.f32 === "string") {
    const bytes = Uint8Array.from(atob(value.f32), (letter) => letter.charCodeAt(0));
    const floats = new Float32Array(bytes.buffer);
    floats.shape = value.shape;
    return floats;
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item)]));
}

async function request(server, name, query) {
  try {
    const answer = await server[name](query);
    return answer && answer.error ? { error: String(answer.error) } : decode(answer);
  } catch {
    return { error: "The server did not answer: is it still running? Reload the page to try again." };
  }
}

export class Client {
  constructor(server, onarrival) {
    Object.assign(this, { server, onarrival, kept: new Map(), channels: new Map() });
  }

  async fetchOnce(name, query) {
    const key = name + JSON.stringify(query);
    if (this.kept.has(key)) return this.kept.get(key);
    const value = await request(this.server, name, query);
    if (!value.error) this.keep(key, value);
    return value;
  }

  keep(key, value) {
    this.kept.set(key, value);
    if (this.kept.size > KEPT) this.kept.delete(this.kept.keys().next().value);
  }

  channel(name, group) {
    if (!this.channels.has(name)) this.channels.set(name, { name, last: null, group: null, wanted: null });
    const channel = this.channels.get(name);
    if (channel.group !== group) Object.assign(channel, { group, last: null });
    return channel;
  }

  // The answer if it is here, else the channel's last one (`fresh` false) while the new one is on its way.
  resource(channelName, name, query, { hovering = false, group = "" } = {}) {
    const channel = this.channel(channelName, group);
    const key = name + JSON.stringify(query);
    if (this.kept.has(key)) {
      channel.last = this.kept.get(key);
      channel.wanted = null;
      return { value: channel.last, fresh: true, error: null };
    }
    if (channel.failed?.key === key) return { value: null, fresh: true, error: channel.failed.error };
    this.want(channel, { name, query, key }, hovering);
    return { value: channel.last, fresh: false, error: null };
  }

  want(channel, wanted, hovering) {
    if (channel.wanted?.key === wanted.key) return;
    channel.wanted = wanted;
    clearTimeout(channel.timer);
    channel.timer = null;
    if (!hovering) {
      this.pump(channel);
      return;
    }
    channel.timer = setTimeout(() => {
      channel.timer = null;
      this.pump(channel);
    }, HOVER_MS);
  }

  // One question of a channel is under way at a time; what was wanted last goes next.
  async pump(channel) {
    const { wanted } = channel;
    if (channel.flying || !wanted || channel.timer) return;
    channel.flying = true;
    const started = performance.now();
    const value = await this.fetchOnce(wanted.name, wanted.query);
    channel.flying = false;
    channel.milliseconds = performance.now() - started;
    if (value.error) channel.failed = { key: wanted.key, error: value.error };
    if (channel.wanted === wanted) channel.wanted = null;
    this.onarrival(channel);
    this.pump(channel);
  }
}
