// The same questions put to both adapters: what a token costs, reads and repeats.

import { el, refill } from "../../core/dom.js";
import { hasAdapter } from "../../core/families.js";
import { say } from "../../language/i18n.js";
import { count, percent } from "../../language/numbers.js";
import { LETTERS } from "../../state/selection.js";

/** @import { Found } from "./asked.js" */
/** @import { Answer, Both, Media, Selection, State } from "../../core/types.d.ts" */

/** @param {Media} media */
export const tokensOf = (media) => media.token_grid.reduce((product, size) => product * size, 1);

/** @param {number[]} values */
const median = (values) => [...values].sort((one, two) => one - two)[Math.floor(values.length / 2)];

/** @param {Media} media @param {Answer<"adapter_statistics"> | null | undefined} statistics */
function answersOfQueries(media, statistics) {
  const measured = statistics
    ? [
        count(median(statistics.half)),
        percent(statistics.coverage),
        say("{queries} of {all}", { queries: count(statistics.alike.queries), all: count(statistics.half.length) }),
      ]
    : ["…", "…", "…"];
  return {
    title: say("cross-attention"),
    cells: [
      count(tokensOf(media)),
      say("all {patches}", { patches: count(media.patch_grid[1] * media.patch_grid[2]) }),
      ...measured,
      say("no, a learnt one"),
    ],
  };
}

/** @param {Media} media */
function answersOfMerger(media) {
  return {
    title: say("merger"),
    cells: [
      count(tokensOf(media)),
      say("exactly 4"),
      "2",
      say("all, each once"),
      say("none, by construction"),
      say("yes, 2 × 2 patches"),
    ],
  };
}

/** @param {number} overlap */
const questions = (overlap) => [
  say("Tokens for this picture"),
  say("Patches one token can read"),
  say("Patches that hold half of a token, median"),
  say("Patches in the half of some token"),
  say("Tokens alike to another (overlap of {overlap})", { overlap: `${Math.round(100 * overlap)} %` }),
  say("A token has a place of its own"),
];

// A column for each model that has a picture.
export function comparison() {
  const root = el("table", { class: "both" });
  return {
    root,
    /** @param {State} state @param {Selection} selection @param {Both<Found | null>} found */
    update(state, selection, found) {
      const columns = LETTERS.flatMap((letter) => {
        const run = state.runs[letter];
        const media = run?.media[selection.media];
        if (!media) return [];
        const answers = hasAdapter(run) ? answersOfQueries(media, found[letter]?.statistics) : answersOfMerger(media);
        return [{ letter, ...answers }];
      });
      const overlap = LETTERS.map((letter) => found[letter]?.statistics?.alike.overlap).find(Boolean) ?? 0.8;
      refill(root, columns, () => [
        el(
          "tr",
          {},
          el("th", { text: say("Same question, both adapters") }),
          ...columns.map(({ letter, title }) => el("th", { text: `${letter}, ${title}` })),
        ),
        ...questions(overlap).map((words, at) =>
          el("tr", {}, el("td", { text: words }), ...columns.map(({ cells }) => el("td", { text: cells[at] }))),
        ),
      ]);
    },
  };
}
