// What the Adapter view says of itself: how to read it, and its status line.

import { hasAdapter } from "../../core/families.js";
import { cellAt, cellsOf, rowAndColumn } from "../../core/geometry.js";
import { say } from "../../language/i18n.js";
import { count, percent } from "../../language/numbers.js";
import { LETTERS } from "../../state/selection.js";
import { weightsNote } from "../../drawing/honest.js";
import { sumInRegion } from "../../drawing/places.js";
import { placeIn, reading } from "./asked.js";
import { readersOf } from "./contact_sheet.js";
import { headName } from "./queries.js";

/** @import { Found } from "./asked.js" */
/** @import { Context, HonestItems, Selection, State, StatusParts } from "../../core/types.d.ts" */

/**
 * @param {State} state
 * @param {Selection} selection
 * @returns {HonestItems}
 */
export function honest(state, selection) {
  const runs = LETTERS.map((letter) => state.runs[letter]);
  if (!runs.some((run) => run && hasAdapter(run)))
    return [
      [
        say("Plotted"),
        say(
          "The token grid over the original picture, and the four patches of the chosen token in the order they are joined.",
        ),
      ],
      [say("Normalised"), say("Nothing: indices, and shapes of this model's weights.")],
      [say("Not shown"), say("What the two linear layers make of four patches.")],
    ];
  const { query, head } = selection.adapter;
  const most = Math.max(...runs.map((run) => run?.sites.adapter?.heads ?? 0));
  const read =
    most === 1 ? say("its one head") : head === "mean" ? say("the heads averaged") : say("head {head}", { head });
  return [
    [say("Plotted"), say("Cross-attention of query {query}: one softmax over all patches, {read}.", { query, read })],
    [
      say("Normalised"),
      say("Each map to its own maximum, so a faint map is a flat one. Printed shares are of the query's row."),
    ],
    [say("Not shown"), `${say("What a query writes: this is what it reads.")} ${weightsNote(runs)}`],
  ];
}

// What of the query's row lies in a region, and who reads the chosen patches most.
/** @param {Found} found @param {Selection} selection */
function readWords(found, selection) {
  const { sheet, media, map } = found;
  if (!sheet || !map) return [];
  const grid = [1, ...media.patch_grid.slice(1)];
  const cells = cellsOf({ ...selection, frame: 0 }, grid);
  const inside = sumInRegion(selection, map);
  if (!cells.length) return inside ? [inside.text] : [];
  const [row, at] = rowAndColumn(cells[0], grid);
  const { all, half } = readersOf(sheet, cells);
  const values = {
    row,
    column: at,
    n: count(cells.length),
    query: all[0][0],
    share: percent(all[0][1]),
    half: count(half),
    queries: count(all.length),
  };
  const read =
    cells.length > 1
      ? say("{n} patches read most by query {query}: {share} of its row; {half} of {queries} queries give half", values)
      : say(
          "patch ({row}, {column}) read most by query {query}: {share} of its row; {half} of {queries} queries give half",
          values,
        );
  return inside ? [inside.text, read] : [read];
}

// What the status line says of this view.
/** @param {Context} ctx @param {State} state @param {Selection} selection @returns {StatusParts} */
export function status(ctx, state, selection) {
  const found = { A: reading(ctx, state, selection, "A"), B: reading(ctx, state, selection, "B") };
  const place = placeIn(found, selection);
  const parts = LETTERS.flatMap((letter) => {
    const [run, own] = [state.runs[letter], found[letter]];
    const media = run?.media[selection.media];
    if (!media) return [];
    if (!hasAdapter(run)) {
      const { row, column: at } = cellAt(place, media.token_grid);
      return [
        [
          "",
          letter,
          ` ${say("at that place token ({row}, {column}), four patches, no attention", { row, column: at })}`,
        ],
      ];
    }
    if (!own?.map) return [];
    const { map, head } = own;
    const all = own.adapter.heads;
    const heads = head === "mean" && all > 1 ? say("mean of {heads} heads", { heads: all }) : headName(head, all);
    const read = selection.keys || selection.region ? readWords(own, selection) : [];
    if (read.length) return [["", letter, ` ${[heads, ...read].join(", ")}`]];
    const values = { heads, most: percent(map.max), half: count(map.half.length), patches: count(map.values.length) };
    return [
      [
        "",
        letter,
        ` ${say("{heads}, at most {most} of the row in one patch, {half} of {patches} patches hold half", values)}`,
      ],
    ];
  });
  const queries = LETTERS.some((letter) => found[letter]);
  return [
    queries
      ? [`${say("adapter query")} `, String(selection.adapter.query)]
      : [say("the merger: four patches make one token")],
    ...parts,
  ];
}
