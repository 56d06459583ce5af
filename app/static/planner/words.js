// Names and numbers as the Planner writes them.

import { say } from "../language/i18n.js";
import { count } from "../language/numbers.js";
import { planner } from "./state.js";

/** @import { Size } from "../core/types.d.ts" */

/** @type {Record<string, string[]>} */
const NAMES = {
  "Qwen-VL-Chat": ["Qwen-VL-Chat", ""],
  "Qwen2-VL-2B": ["Qwen2-VL", "2B"],
  "Qwen2-VL-7B": ["Qwen2-VL", "7B"],
  "Qwen2-VL-72B": ["Qwen2-VL", "72B"],
};

/** @param {string} model */
export const nameParts = (model) => NAMES[model] ?? [model, ""];

/** @param {string} model */
export const fullName = (model) => nameParts(model).filter(Boolean).join(" ");

// Thousand millions of bytes or 2^30 of them, as the switch says; the unit stands in the table's foot.
/** @param {number} bytes */
export function memory(bytes) {
  const value = bytes / (planner.settings.unit === "GB" ? 1e9 : 2 ** 30);
  if (value === 0) return "0";
  if (value < 0.005) return say("under 0.01");
  return value < 1
    ? value.toFixed(2)
    : value.toLocaleString("en-US", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

/** @param {number} bytes */
export const memoryWithUnit = (bytes) => `${memory(bytes)} ${planner.settings.unit}`;

/** @param {number} value */
export function operations(value) {
  const [unit, size] = value >= 1e15 ? ["PFLOP", 1e15] : value >= 1e12 ? ["TFLOP", 1e12] : ["GFLOP", 1e9];
  const scaled = value / size;
  return `${scaled >= 100 ? count(scaled) : scaled.toFixed(scaled >= 10 ? 1 : 2)} ${unit}`;
}

/** @param {Size} size */
export const letterSize = ([width, height]) => {
  /** @param {number} value */
  const side = (value) => (value >= 9.95 ? Math.round(value) : value.toFixed(1));
  return `${side(width)} × ${side(height)} px`;
};
