// A stand-in for the server in a page that was saved as one file: it answers from what the file holds.
//
// The file holds values (each once, though two questions may share it) and, under each question in one canonical
// writing, the number of its value. What is not there is said in one sentence.

import { say } from "../language/i18n.js";

/** @import { Query, Server } from "../core/types.d.ts" */

const NOT_HERE =
  "This file does not hold that: it keeps what its page showed and the rows around it. Ask the app itself.";

// JSON with sorted names, so that a question is found however it was put together.
/**
 * @param {unknown} value
 * @returns {string}
 */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return `{${fields
    .sort(([one], [two]) => (one < two ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`)
    .join(",")}}`;
}

// A picture of another size than the one in the file is the same picture.
/** @param {Query} asked */
const sizeless = (asked) => ({ ...asked, side: undefined });

/**
 * @param {{ names: string[], answers: Record<string, number>, values: unknown[] }} held
 * @returns {Server}
 */
export function standIn({ names, answers, values }) {
  const found = new Map(Object.entries(answers));
  const answer = (/** @type {string} */ name) => async (/** @type {Query} */ asked) => {
    const at = found.get(name + canonical(asked)) ?? found.get(name + canonical(sizeless(asked)));
    return at === undefined ? { error: say(NOT_HERE) } : values[at];
  };
  return /** @type {Server} */ (Object.fromEntries(names.map((name) => [name, answer(name)])));
}
