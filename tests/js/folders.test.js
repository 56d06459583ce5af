// What the layout promises: each folder imports only folders beneath it, no view imports another, and no files import
// each other in a circle.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";

const STATIC = path.resolve(import.meta.dirname, "../../app/static");
const BENEATH = {
  language: [],
  core: ["language"],
  state: ["core", "language"],
  drawing: ["state", "core", "language"],
  views: ["drawing", "state", "core", "language"],
  rail: ["state", "core", "language"],
  planner: ["rail", "state", "core", "language"],
  tour: ["views", "state", "core", "language"],
  shell: ["tour", "rail", "views", "drawing", "state", "core", "language"],
  frozen: ["shell", "state", "core", "language"],
};
const JOINED = "language/chinese.js"; // the one table of what every folder says in Chinese

const files = fs.readdirSync(STATIC, { recursive: true }).filter((name) => name.endsWith(".js"));

const importsOf = (file) =>
  [...fs.readFileSync(path.join(STATIC, file), "utf8").matchAll(/^(?:import|export)\b[^;"]*"(\.[^"]+)";/gm)].map(
    ([, name]) => path.join(path.dirname(file), name),
  );

const imports = new Map(files.map((file) => [file, importsOf(file)]));

test("every import names a file that is there", () => {
  const found = [...imports].flatMap(([file, names]) => names.map((name) => [file, name]));
  assert.ok(found.length > 300);
  for (const [file, name] of found) assert.ok(imports.has(name), `${file} imports ${name}`);
});

test("a folder imports only folders beneath it, and a view no other view", () => {
  const wrong = [];
  for (const [file, names] of imports)
    for (const name of names) {
      if (file === JOINED) continue;
      const [from, to] = [file, name].map((each) => each.split(path.sep));
      const across = from[0] === "views" && to[0] === "views" && from.length === 3 && from[1] !== to[1];
      if (across || (from[0] !== to[0] && !BENEATH[from[0]].includes(to[0]))) wrong.push(`${file} -> ${name}`);
    }
  assert.deepEqual(wrong, []);
});

test("no files import each other in a circle", () => {
  const [done, open] = [new Set(), []];
  const walk = (file) => {
    if (open.includes(file)) assert.fail([...open.slice(open.indexOf(file)), file].join(" -> "));
    if (done.has(file)) return;
    open.push(file);
    imports.get(file).forEach(walk);
    open.pop();
    done.add(file);
  };
  files.forEach(walk);
  assert.equal(done.size, files.length);
});

test("every style sheet lies in a folder that the page links", () => {
  const folders = fs
    .readdirSync(STATIC, { recursive: true })
    .filter((name) => name.endsWith(".css"))
    .map((name) => name.split(path.sep)[0]);
  for (const folder of folders) assert.ok(folder in BENEATH, folder);
});
