// What lies on the picture in Answer: a row's map, a column, or the difference of both models' maps; and its scale.

import { say } from "../../language/i18n.js";
import { count, percent } from "../../language/numbers.js";
import { drawnGrid, drawnValues } from "../../drawing/ladder.js";
import { chosenCells, chosenRegion, frameOf, placeLines } from "../../drawing/places.js";

/** @import { Attended, Context, Decoded, Grid, Letter } from "../../core/types.d.ts" */
/** @import { MapAgreement, Media, Reading, Run, Selection } from "../../core/types.d.ts" */

/** @typedef {Decoded<Reading>} Read */

/**
 * The difference of both maps where there is one: without it the server leaves these out.
 * @typedef {Required<Decoded<MapAgreement>>} Compared
 */

/**
 * What the scale beside a row's map is told.
 * @typedef {object} RowShown
 * @property {Run} run
 * @property {Media} media
 * @property {Attended} map
 * @property {Selection} selection
 * @property {number} most
 * @property {Pin} pin
 * @property {Framed} region
 */

/** @typedef {ReturnType<typeof chosenCells>} Pin */

/** @typedef {ReturnType<typeof chosenRegion>} Framed */

/** @param {Grid} grid */
const cellsIn = (grid) => grid.reduce((product, size) => product * size, 1);
/** @param {string} unit */
const inOne = (unit) => (unit === "patch" ? say(" of the row, in one patch") : say(" of the row, in one token"));
/** @param {string} unit */
const holdIt = (unit) => (unit === "patch" ? say(" patches hold it") : say(" tokens hold it"));
/** @param {number} value */
export const points = (value) => `${value > 0 ? "+" : value < 0 ? "−" : ""}${percent(Math.abs(value))}`;

/** @param {number[]} cells @param {Grid} grid @param {number} frame */
function inFrame(cells, [, rows, columns], frame) {
  const size = rows * columns;
  return cells.filter((cell) => Math.floor(cell / size) === frame).map((cell) => cell % size);
}

/** @param {Framed} region @param {Pin} pin */
function labelOf(region, pin) {
  if (region) return { text: region.text, place: region.corner };
  return pin ? { text: pin.text, place: pin.place } : null;
}

// A row: the map, the contour of half of it, what is pinned or framed.
/** @param {Attended} map @param {Selection} selection @param {number} most */
export function rowOver(map, selection, most) {
  const grid = drawnGrid(map);
  const frame = frameOf(selection, grid);
  const values = drawnValues(map);
  const pin = chosenCells(selection, map.unit, grid, values);
  const region = chosenRegion(selection, map);
  const spec = {
    quiet: true,
    cells: { values, grid, max: most, offset: frame * grid[1] * grid[2], signed: map.mode === "neutral" },
    contour: { cells: inFrame(map.half, grid, frame), grid },
    outlines: (region ?? pin)?.outlines ?? [],
    label: labelOf(region, pin),
  };
  return { spec, pin, region };
}

/** @param {Attended} map @param {number} most @returns {string[][]} */
function headLines(map, most) {
  const { neutral_share: neutral, removed, removed_here: here } = map;
  if (map.mode === "neutral" && neutral !== undefined)
    return [
      [
        points(most),
        say(" of its image attention, in one cell, against “{question}”", { question: map.neutral_question }),
      ],
      [
        "",
        say("share on this picture {share}, neutral {neutral}", {
          share: percent(map.share),
          neutral: percent(neutral),
        }),
      ],
    ];
  const lines = [[percent(most), inOne(map.unit)]];
  if (map.mode === "sinks" && removed !== undefined && here !== undefined)
    lines.push([percent(removed), say(" of the row set aside, {here} on this picture", { here: percent(here) })]);
  if (map.shares_all - map.share > 1e-7)
    lines.push(["", say("{share} of it on this picture", { share: percent(map.share) })]);
  return lines;
}

/** @param {Attended} map @param {Pin} pin @param {Framed} region @returns {string[][]} */
function pinnedLines(map, pin, region) {
  if (region) return region.share === null ? [] : [[percent(region.share), say(" of the row in the region")]];
  if (!pin || pin.sum === null) return [];
  const value = map.mode === "neutral" ? points(pin.sum) : percent(pin.sum);
  const unit = map.mode === "neutral" ? say(" more than the neutral row") : say(" of the row");
  return [
    ["", say("at {cell}", { cell: pin.text })],
    [value, unit],
  ];
}

/** @param {Context} ctx @param {Letter} letter @param {RowShown} given */
export function rowScale(ctx, letter, { run, media, map, selection, most, pin, region }) {
  const half = map.mode === "neutral" ? say("half of what is more") : say("half of the image share");
  const held = [
    say("{some} of {all}", { some: count(map.half.length), all: count(cellsIn(drawnGrid(map))) }),
    holdIt(map.unit),
  ];
  const bottom = [...pinnedLines(map, pin, region), ...placeLines(ctx, letter, run, media, selection)];
  const end = map.mode === "neutral" ? ["", points(-most)] : ["", "0"];
  return {
    top: headLines(map, most),
    middle: [["", half], held],
    bottom: [...bottom, end],
    signed: map.mode === "neutral",
  };
}

// A column: what the rows of visual tokens give to the key. Qwen-VL's are adapter queries, which lie nowhere.
/** @param {Media} media @param {Selection} selection @param {Read} reading @param {boolean} places */
export function columnOver(media, selection, reading, places) {
  const unit = places ? "token" : "patch";
  const grid = places ? media.token_grid : media.patch_grid;
  const pin = chosenCells(selection, unit, grid, null);
  const region = chosenRegion(selection, null);
  const most = reading.tokens.reduce((largest, value) => (value > largest ? value : largest), 0);
  const spec = {
    quiet: true,
    cells: places
      ? { values: reading.tokens, grid, max: most, offset: frameOf(selection, grid) * grid[1] * grid[2] }
      : null,
    contour: null,
    outlines: (region ?? pin)?.outlines ?? [],
    label: labelOf(region, pin) ?? { text: say("key, read by the rows below"), place: null },
  };
  return { spec, most };
}

/** @param {boolean} places @param {number} most */
export function columnScale(places, most) {
  const top = places
    ? [[percent(most), say(" of the row of one visual token, on the key")]]
    : [["", say("The rows of visual tokens are adapter queries here, no places: nothing to draw on the picture.")]];
  return { top, middle: [], bottom: places ? [["", "0"]] : [], bare: !places };
}

/**
 * Whether both maps have something on the picture, so that they can be compared.
 * @param {Decoded<MapAgreement>} found
 * @returns {found is Compared}
 */
export const isCompared = (found) => found.iou !== null && found.iou !== undefined;

// Both models' maps, first minus second, on their common grid.
/** @param {Compared} found @param {Selection} selection @param {boolean} fresh */
export function differenceOver(found, selection, fresh) {
  const [rows, columns] = found.difference.shape;
  const region = chosenRegion(selection, null);
  return {
    quiet: true,
    cells: { values: found.difference, grid: [1, rows, columns], max: found.max, signed: true, lines: found },
    contour: null,
    outlines: region?.outlines ?? [],
    label: fresh ? null : { text: say("of the locked word: lock this one to compare"), place: null },
  };
}

/** @param {Compared} found @param {boolean} first */
export function differenceScale(found, first) {
  const most = found.max.toFixed(1);
  const top = first
    ? [
        [`+${most}`, say(" even shares more in A")],
        ["", say("teal: A looks there more")],
      ]
    : [
        [`+${most}`, say(" even shares more in A")],
        ["", say("rose: B looks there more")],
      ];
  const half = say("{a} px in A, {b} px in B hold half", {
    a: count(found.half_pixels[0]),
    b: count(found.half_pixels[1]),
  });
  return { top, middle: [["", half]], bottom: [["", `−${most}`]], signed: true };
}
