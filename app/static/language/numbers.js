// Numbers as the page writes them: commas, a space before %, one decimal for shares and two below 2 %.

import { say } from "./i18n.js";

/** @param {number} value */
export const count = (value) => Math.round(value).toLocaleString("en-US");

/** @param {number[]} size width and height */
export const times = (...size) => size.slice(0, 2).map(count).join(" × ");

// Never 0 or 100 for what is neither.
/** @param {number} share */
export function percent(share) {
  const value = share * 100;
  if (value > 0 && value < 0.005) return say("under 0.01 %");
  if (value >= 99.995 && value < 100) return say("over 99.99 %");
  const two = (value > 0 && value < 1.995) || (value >= 99.95 && value < 100);
  return `${value.toFixed(two ? 2 : 1)} %`;
}

// The same in the few signs of a matrix's cell.
/** @param {number} share */
export function cellNumber(share) {
  const value = share * 100;
  if (value > 0 && value < 0.005) return "<.01";
  if (value >= 99.995 && value < 100) return ">99.9";
  if (value >= 10 && value < 98.5) return value.toFixed(0);
  if (value === 100) return "100";
  if (value >= 98.5) return value.toFixed(value >= 99.95 ? 2 : 1);
  return value.toFixed(value > 0 && value < 0.05 ? 2 : 1);
}

// How many seconds a clip lasts: one decimal, more below a second, commas from a thousand.
/** @param {number} value */
export const lasting = (value) =>
  value < 1
    ? Number(value.toPrecision(2)).toString()
    : value.toLocaleString("en-US", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** @param {number} value */
export const seconds = (value) => (value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(1)} s`);

// A guess at a longer time: whole seconds to a minute and a half, then whole minutes.
/** @param {number} value */
export const roughly = (value) =>
  value < 90 ? say("about {n} s", { n: count(value) }) : say("about {n} min", { n: count(value / 60) });

/** @param {number} value */
export function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB"];
  let index = 0;
  while (value >= 1024 && index < units.length - 1) {
    value /= 1024;
    index += 1;
  }
  return `${index === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[index]}`;
}

/** @param {number} value */
export function parameters(value) {
  if (value >= 1e9) return `${(value / 1e9).toFixed(1)} B`;
  return `${(value / 1e6).toFixed(1)} M`;
}

/** @param {number} value */
export const pixels = (value) => `${Number(value.toFixed(1)).toLocaleString("en-US")}`;
