import assert from "node:assert/strict";
import { test } from "node:test";

import "../page.js";

const { bytes, cellNumber, count, lasting, parameters, percent, roughly, seconds, times } =
  await import("../../../app/static/language/numbers.js");

const table = (name, write, rows) =>
  test(name, () => rows.forEach(([value, expected]) => assert.equal(write(value), expected)));

table("shares are never 0 or 100 for what is neither", percent, [
  [0, "0.0 %"],
  [0.00001, "under 0.01 %"],
  [0.0001, "0.01 %"],
  [0.0199, "1.99 %"],
  [0.02, "2.0 %"],
  [0.5, "50.0 %"],
  [0.9994, "99.9 %"],
  [0.9996, "99.96 %"],
  [0.99999, "over 99.99 %"],
  [1, "100.0 %"],
]);

table("a matrix's cell holds a share in few signs", cellNumber, [
  [0, "0.0"],
  [0.00001, "<.01"],
  [0.0004, "0.04"],
  [0.05, "5.0"],
  [0.123, "12"],
  [0.985, "98.5"],
  [0.9996, "99.96"],
  [0.99999, ">99.9"],
  [1, "100"],
]);

table("numbers have commas", count, [
  [1234.4, "1,234"],
  [2_208_985_600, "2,208,985,600"],
]);

table("memory is in binary units", bytes, [
  [0, "0 B"],
  [1023, "1023 B"],
  [1536, "1.5 KiB"],
  [5 << 20, "5.0 MiB"],
  [300 << 20, "300 MiB"],
  [5 * 2 ** 40, "5120 GiB"],
]);

table("times are in ms below a second", seconds, [
  [0.0042, "4 ms"],
  [0.9996, "1000 ms"],
  [1, "1.0 s"],
  [75.25, "75.3 s"],
]);

table("guesses at longer times are round", roughly, [
  [4.4, "about 4 s"],
  [89, "about 89 s"],
  [90, "about 2 min"],
]);

table("durations of clips", lasting, [
  [0.25, "0.25"],
  [1, "1.0"],
  [3600, "3,600.0"],
]);

table("counts of parameters", parameters, [
  [9_656_935_168, "9.7 B"],
  [1_234_567, "1.2 M"],
]);

test("sizes", () => {
  assert.equal(times(1920, 1080), "1,920 × 1,080");
});
