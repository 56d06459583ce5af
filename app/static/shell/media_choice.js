// Which picture of the question is looked at; with a word chosen, how much of its row falls on each.

import { el, refill } from "../core/dom.js";
import { say } from "../language/i18n.js";
import { percent } from "../language/numbers.js";
import { LETTERS } from "../state/selection.js";

/** @import { Context, Letter, Numbers, Part, Run, State } from "../core/types.d.ts" */

// Which part of a row falls on each media: sums over the row's visual tokens.
/** @param {Run} run @param {Numbers} keys */
function mediaShares(run, keys) {
  const shares = run.media.map(() => 0);
  keys.forEach((value, index) => {
    const media = run.tokens.media[index];
    if (media !== null && media !== undefined) shares[media] += value;
  });
  return shares;
}

/** @param {Context} ctx @param {State} state @param {Letter} letter */
function sharesOf(ctx, state, letter) {
  const run = state.runs[letter];
  const keys = run && ctx.mapResources(letter).map?.keys;
  return keys ? mediaShares(run, keys) : null;
}

/** @param {Context} ctx @returns {Part} */
export function createMediaChoice(ctx) {
  const root = el("div", {
    class: "media-choice",
    "data-part": "media-choice",
    role: "group",
    "aria-label": say("Picture"),
    hidden: true,
  });
  return {
    root,
    update(state, selection) {
      const run = state.runs.A || state.runs.B;
      root.hidden = !run || run.media.length < 2;
      if (!run || root.hidden) return;
      const shares =
        selection.view === "answer"
          ? LETTERS.flatMap((letter) => {
              const list = sharesOf(ctx, state, letter);
              return list ? [{ letter, list }] : [];
            })
          : [];
      refill(root, [run.id, selection.media, shares], () =>
        run.media.map((media, index) =>
          el(
            "button",
            {
              type: "button",
              "aria-pressed": String(index === selection.media),
              title: media.name,
              onclick: () => ctx.actions.pickMedia(index),
            },
            el("span", { text: say(media.kind === "video" ? "Clip {n}" : "Picture {n}", { n: index + 1 }) }),
            ...shares.map(({ letter, list }) => el("small", { text: `${letter} ${percent(list[index] || 0)}` })),
          ),
        ),
      );
    },
  };
}
