// Time in a clip: which of its cells in time, and which of its frames, each model shows at one moment.
//
// `selection.frame` counts the temporal cells (Qwen2-VL's tubes, or frames where a model sees them one by one) of the
// run that sees the clip in the most detail; the other run shows whatever it saw nearest to that moment.

import { say } from "../language/i18n.js";
import { LETTERS } from "./selection.js";

/** @import { Attended, Floats, Letter, Media, Run, Selection, State } from "../core/types.d.ts" */

/** @type {(media: Media | null | undefined) => media is Media} */
export const isClip = (media) => Boolean(media && media.patch_grid[0] > 1);

/** @param {Media} media */
const cells = (media) => media.patch_grid[0];

// Frames that were kept for one temporal cell: two of a tube, one of a frame taken as a picture.
/** @param {Media} media */
export const framesOfCell = (media) => Math.max(1, Math.round(media.frames / cells(media)));

/** @param {Media} media @param {number} cell */
export const firstFrameOf = (media, cell) => Math.min(media.frames - 1, cell * framesOfCell(media));

// Seconds at which a temporal cell begins; its place in the clip, 0 to 1, where no times are known.
/** @param {Media} media @param {number} cell */
function moment(media, cell) {
  const known = media.times.length === media.frames;
  return known ? media.times[firstFrameOf(media, cell)] : cell / Math.max(1, cells(media) - 1);
}

/**
 * The letter of the run that `selection.frame` counts in: of the leading tubes, else the most cells.
 * @param {State} state
 * @param {Selection} selection
 * @returns {Letter | null}
 */
export function timekeeper(state, selection) {
  const seen = LETTERS.flatMap((letter) => {
    const media = state.runs[letter]?.media[selection.media];
    return media ? [{ letter, media }] : [];
  });
  const tubes = seen.find(({ media }) => isClip(media) && framesOfCell(media) > 1);
  const most = seen.reduce((best, one) => (cells(one.media) > cells(best.media) ? one : best), seen[0]);
  return (tubes ?? most)?.letter ?? null;
}

/** @param {Media} media */
const momentsOf = (media) => Array.from({ length: cells(media) }, (_, cell) => moment(media, cell));

/** @param {State} state @param {Selection} selection @param {Letter} letter */
const mediaOf = (state, selection, letter) => state.runs[letter]?.media[selection.media];

// The temporal cell that a model shows of a media; 0 of a still.
/** @param {State} state @param {Selection} selection @param {Letter} letter */
export function cellInTime(state, selection, letter) {
  const media = mediaOf(state, selection, letter);
  if (!isClip(media)) return 0;
  const keeper = timekeeper(state, selection) ?? letter;
  const leading = mediaOf(state, selection, keeper) ?? media;
  const frame = Math.max(0, Math.min(selection.frame, cells(leading) - 1));
  if (keeper === letter || !isClip(leading)) return Math.min(frame, cells(media) - 1);
  const now = moment(leading, frame);
  const away = momentsOf(media).map((seconds) => Math.abs(seconds - now));
  return away.indexOf(Math.min(...away));
}

// A media's moment in the selection's own count: what to select to see a cell of a model.
/** @param {State} state @param {Selection} selection @param {Letter} letter @param {number} cell */
export function frameFor(state, selection, letter, cell) {
  const keeper = timekeeper(state, selection);
  const [own, leading] = [letter, keeper ?? letter].map((one) => mediaOf(state, selection, one));
  if (keeper === letter || !own || !leading) return cell;
  const now = moment(own, cell);
  const away = momentsOf(leading).map((seconds) => Math.abs(seconds - now));
  return away.indexOf(Math.min(...away));
}

/** @type {WeakMap<Attended, { cell: number, slice: Attended }>} the last one of each map */
const slices = new WeakMap();

// One temporal cell of a map, as the map of a still; its strongest cell is that cell's own.
/**
 * @param {Attended} map
 * @param {number} cell
 * @returns {Attended}
 */
export function atCell(map, cell) {
  if (map.grid[0] === 1) return map;
  const kept = slices.get(map);
  if (kept?.cell === cell) return kept.slice;
  const part = (/** @type {Floats} */ values, /** @type {number[]} */ grid) => {
    const [, rows, columns] = grid;
    const size = rows * columns;
    return Object.assign(values.slice(cell * size, (cell + 1) * size), { shape: [1, rows, columns] });
  };
  const [values, tokens] = [part(map.values, map.grid), part(map.tokens, map.token_grid)];
  const own = map.unit === "patch" ? values : tokens;
  /** @param {number[]} grid */
  const still = (grid) => [1, ...grid.slice(1)];
  const slice = {
    ...map,
    values,
    tokens,
    grid: still(map.grid),
    token_grid: still(map.token_grid),
    max_index: own.indexOf(own.reduce((most, value) => Math.max(most, value), 0)),
  };
  slices.set(map, { cell, slice });
  return slice;
}

/** @type {WeakMap<Attended, number[]>} shares of a map, which is of one media of one run */
const summed = new WeakMap();

// The part of a row that falls on each temporal cell of a media: sums over the row itself, whatever is drawn of it.
/**
 * @param {Run} run
 * @param {Media} media
 * @param {Attended} map
 * @returns {number[]}
 */
export function sharesInTime(run, media, map) {
  const kept = summed.get(map);
  if (kept) return kept;
  const shares = Array.from({ length: cells(media) }, () => 0);
  map.keys.forEach((value, index) => {
    const cell = run.tokens.cell[index];
    if (cell && run.tokens.media[index] === media.index) shares[cell[0]] += value;
  });
  summed.set(map, shares);
  return shares;
}

// When the frames of a temporal cell are shown, in words; "" where no times are known.
/** @param {Media} media @param {number} cell */
export const secondsOf = (media, cell) => {
  const first = firstFrameOf(media, cell);
  const known = media.times.slice(first, first + framesOfCell(media));
  return known.map((seconds) => `${seconds.toFixed(2)} s`).join(say(" and "));
};

// A temporal cell in words: its id or number, and its seconds.
/** @param {Media} media @param {number} cell */
export const momentName = (media, cell) =>
  framesOfCell(media) > 1 ? `t ${media.first_position[0] + cell}` : say("picture {n}", { n: cell + 1 });

/** @param {Media} media @param {number} cell */
export function momentWords(media, cell) {
  const id = momentName(media, cell);
  const when = secondsOf(media, cell);
  return when ? `${id} · ${when}` : id;
}
