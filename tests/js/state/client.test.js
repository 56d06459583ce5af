import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Client, decode, weigh } from "../../../app/static/state/client.js";

let now = 0;

beforeEach(() => {
  now = 1000;
  mock.timers.enable({ apis: ["setTimeout"] });
  mock.method(performance, "now", () => now);
});

afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

// A server that answers when it is told to.
function slowServer() {
  const asked = [];
  const map = (query) =>
    new Promise((resolve, reject) => asked.push({ query, resolve: (value) => resolve(value), reject }));
  return { asked, map };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

const packed = (values, shape) => ({ f32: Buffer.from(new Float32Array(values).buffer).toString("base64"), shape });

test("long arrays come as base64 and keep their values and shape, wherever they stand", () => {
  const found = decode({ a: [{ b: packed([1, -0.5, 3e-8], [1, 3]) }], text: "x", none: null });
  assert.deepEqual([...found.a[0].b], [1, -0.5, Math.fround(3e-8)]);
  assert.deepEqual(found.a[0].b.shape, [1, 3]);
  assert.deepEqual([found.text, found.none], ["x", null]);
});

test("an answer weighs at least what its arrays and texts take", () => {
  assert.ok(weigh({ values: new Float32Array(1000) }) >= 4000);
  assert.ok(weigh("x".repeat(100)) >= 200);
});

test("what is here is not asked for again", async () => {
  const client = new Client({ map: async ({ query }) => ({ row: query }) }, () => {});
  assert.deepEqual(await client.fetchOnce("map", { query: 3 }), { row: 3 });
  assert.deepEqual(await client.fetchOnce("map", { query: 3 }), { row: 3 });
  assert.equal(client.asked, 1);
  assert.equal(client.has("map", { query: 3 }), true);
  assert.equal(client.has("map", { query: 4 }), false);
});

test("an error of the server is an answer, and is asked for anew", async () => {
  let times = 0;
  const client = new Client({ map: async () => ({ error: `refused ${(times += 1)}` }) }, () => {});
  assert.deepEqual(await client.fetchOnce("map", {}), { error: "refused 1" });
  assert.deepEqual(await client.fetchOnce("map", {}), { error: "refused 2" });
});

test("a server that does not answer is told in a sentence", async () => {
  const client = new Client({ map: () => Promise.reject(new Error("gone")) }, () => {});
  assert.match((await client.fetchOnce("map", {})).error, /^The server did not answer/);
});

test("of several waiting questions of a channel only the latest is sent", async () => {
  const server = slowServer();
  const arrived = [];
  const client = new Client(server, (channel) => arrived.push(channel.name));
  for (const query of [1, 2, 3]) client.resource("map A", "map", { query });
  assert.deepEqual(
    server.asked.map(({ query }) => query.query),
    [1],
  );
  server.asked[0].resolve({ row: 1 });
  await settled();
  assert.deepEqual(
    server.asked.map(({ query }) => query.query),
    [1, 3],
  );
  server.asked[1].resolve({ row: 3 });
  await settled();
  assert.equal(server.asked.length, 2);
  assert.deepEqual(arrived, ["map A", "map A"]);
  assert.equal(client.idle(), true);
  assert.deepEqual(client.resource("map A", "map", { query: 3 }), { value: { row: 3 }, fresh: true, error: null });
});

test("the last answer stands, not fresh, until the new one is here", async () => {
  const server = slowServer();
  const client = new Client(server, () => {});
  client.resource("map A", "map", { query: 1 });
  server.asked[0].resolve({ row: 1 });
  await settled();
  client.resource("map A", "map", { query: 1 });
  assert.deepEqual(client.resource("map A", "map", { query: 2 }), { value: { row: 1 }, fresh: false, error: null });
  assert.equal(client.idle(), false);
});

test("the last answer of another group is none of a channel's", async () => {
  const server = slowServer();
  const client = new Client(server, () => {});
  client.resource("map A", "map", { query: 1 }, { group: "first" });
  server.asked[0].resolve({ row: 1 });
  await settled();
  client.resource("map A", "map", { query: 1 }, { group: "first" });
  assert.equal(client.resource("map A", "map", { query: 2 }, { group: "second" }).value, null);
});

test("channels do not wait for each other", () => {
  const server = slowServer();
  const client = new Client(server, () => {});
  client.resource("map A", "map", { query: 1 });
  client.resource("map B", "map", { query: 2 });
  assert.equal(server.asked.length, 2);
});

test("a failed question is not asked in a circle", async () => {
  const server = slowServer();
  const client = new Client(server, () => {});
  client.resource("map A", "map", { query: 1 });
  server.asked[0].resolve({ error: "no" });
  await settled();
  assert.deepEqual(client.resource("map A", "map", { query: 1 }), { value: null, fresh: true, error: "no" });
  assert.equal(server.asked.length, 1);
});

test("a pointer that passes by asks once it stands", async () => {
  const server = slowServer();
  const client = new Client(server, () => {});
  client.resource("map A", "map", { query: 1 }, { hovering: true });
  assert.equal(server.asked.length, 1);
  server.asked[0].resolve({ row: 1 });
  await settled();
  now += 10;
  client.resource("map A", "map", { query: 2 }, { hovering: true });
  client.resource("map A", "map", { query: 3 }, { hovering: true });
  assert.equal(server.asked.length, 1);
  mock.timers.tick(16);
  assert.deepEqual(
    server.asked.map(({ query }) => query.query),
    [1, 3],
  );
});

test("answers not used for longest go first once there are too many", async () => {
  const client = new Client({ map: async ({ query }) => ({ row: query }) }, () => {});
  for (let query = 0; query < 800; query += 1) await client.fetchOnce("map", { query });
  await client.fetchOnce("map", { query: 0 }); // used again
  await client.fetchOnce("map", { query: 800 });
  assert.equal(client.has("map", { query: 0 }), true);
  assert.equal(client.has("map", { query: 1 }), false);
});

test("all answers together keep to their room, and what was dropped takes none", () => {
  const client = new Client({}, () => {});
  for (let query = 0; query < 6; query += 1) client.keep(`map ${query}`, { values: new Float32Array(4 << 20) });
  assert.deepEqual([...client.kept.keys()], ["map 3", "map 4", "map 5"]);
  assert.ok(client.bytes <= 64 << 20);
  for (const key of client.kept.keys()) client.drop(key);
  assert.equal(client.bytes, 0);
});

test("answers that came in one are each kept as if asked for", () => {
  const client = new Client({}, () => {});
  client.keepAll("map", [
    [{ query: 1 }, { row: 1 }],
    [{ query: 2 }, { row: 2 }],
  ]);
  assert.deepEqual(client.resource("map A", "map", { query: 2 }).value, { row: 2 });
});
