// A stand-in for the server in a page that was saved as one file: it answers from what the file holds.
//
// The file holds values (each once, though two questions may share it) and, under each question in one canonical
// writing, the number of its value. What is not there is said in one sentence.

import { say } from "../language/i18n.js";

const NOT_HERE =
  "This file does not hold that: it keeps what its page showed and the rows around it. Ask the app itself.";

// JSON with sorted names, so that a question is found however it was put together.
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const names = Object.keys(value).filter((name) => value[name] !== undefined);
  return `{${names
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`)
    .join(",")}}`;
}

// A picture of another size than the one in the file is the same picture.
const sizeless = (asked) => ({ ...asked, side: undefined });

export function standIn({ names, answers, values }) {
  const found = new Map(Object.entries(answers));
  const answer = (name) => async (asked) => {
    const at = found.get(name + canonical(asked)) ?? found.get(name + canonical(sizeless(asked)));
    return at === undefined ? { error: say(NOT_HERE) } : values[at];
  };
  return Object.fromEntries(names.map((name) => [name, answer(name)]));
}
