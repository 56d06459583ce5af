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

export function createClient(server, onarrival) {
  const kept = new Map();
  const channels = new Map();

  function keep(key, value) {
    kept.set(key, value);
    if (kept.size > KEPT) kept.delete(kept.keys().next().value);
  }

  async function fetchOnce(name, query) {
    const key = name + JSON.stringify(query);
    if (kept.has(key)) return kept.get(key);
    const value = await request(server, name, query);
    if (!value.error) keep(key, value);
    return value;
  }

  function pump(channel) {
    if (channel.flying || !channel.wanted || channel.timer) return;
    const wanted = channel.wanted;
    channel.flying = true;
    const started = performance.now();
    fetchOnce(wanted.name, wanted.query).then((value) => {
      channel.flying = false;
      channel.milliseconds = performance.now() - started;
      if (value.error) channel.failed = { key: wanted.key, error: value.error };
      if (channel.wanted === wanted) channel.wanted = null;
      onarrival(channel);
      pump(channel);
    });
  }

  function want(channel, name, query, key, hovering) {
    if (channel.wanted?.key === key) return;
    channel.wanted = { name, query, key };
    clearTimeout(channel.timer);
    channel.timer = null;
    if (hovering) {
      channel.timer = setTimeout(() => {
        channel.timer = null;
        pump(channel);
      }, HOVER_MS);
    } else pump(channel);
  }

  // The answer if it is here, else the channel's last one (`fresh` false) while the new one is on its way.
  function resource(channelName, name, query, { hovering = false, group = "" } = {}) {
    if (!channels.has(channelName)) channels.set(channelName, { name: channelName, last: null, group: null, wanted: null });
    const channel = channels.get(channelName);
    const key = name + JSON.stringify(query);
    if (channel.group !== group) Object.assign(channel, { group, last: null });
    if (kept.has(key)) {
      channel.last = kept.get(key);
      channel.wanted = null;
      return { value: channel.last, fresh: true, error: null };
    }
    if (channel.failed?.key === key) return { value: null, fresh: true, error: channel.failed.error };
    want(channel, name, query, key, hovering);
    return { value: channel.last, fresh: false, error: null };
  }

  return { resource, fetchOnce };
}
