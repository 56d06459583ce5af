// Time in a clip: which of its cells in time, and which of its frames, each model shows at one moment.
//
// `selection.frame` counts the temporal cells (Qwen2-VL's tubes, or frames where a model sees them one by one) of the
// run that sees the clip in the most detail; the other run shows whatever it saw nearest to that moment.

import { say } from "../language/i18n.js";
import { LETTERS } from "./selection.js";

/** @import { Attended, Letter, Media, Run, Selection, State } from "../core/types.d.ts" */

export const isClip = (media) => Boolean(media) && media.patch_grid[0] > 1;

/** @param {Media} media */
const cells = (media) => media.patch_grid[0];

// Frames that were kept for one temporal cell: two of a tube, one of a frame taken as a picture.
/** @param {Media} media */
export const framesOfCell = (media) => Math.max(1, Math.round(media.frames / cells(media)));

/** @param {Media} media */
export const firstFrameOf = (media, cell) => Math.min(media.frames - 1, cell * framesOfCell(media));

// Seconds at which a temporal cell begins; its place in the clip, 0 to 1, where no times are known.
/** @param {Media} media */
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
  const seen = LETTERS.map((letter) => ({ letter, media: state.runs[letter]?.media[selection.media] })).filter(
    ({ media }) => media,
  );
  const tubes = seen.find(({ media }) => isClip(media) && framesOfCell(media) > 1);
  const most = seen.reduce((best, one) => (!best || cells(one.media) > cells(best.media) ? one : best), null);
  return (tubes ?? most)?.letter ?? null;
}

/** @param {Media} media */
const momentsOf = (media) => Array.from({ length: cells(media) }, (_, cell) => moment(media, cell));

// The temporal cell that a model shows of a media; 0 of a still.
/** @param {State} state @param {Selection} selection @param {Letter} letter */
export function cellInTime(state, selection, letter) {
  const media = state.runs[letter]?.media[selection.media];
  if (!isClip(media)) return 0;
  const keeper = timekeeper(state, selection);
  const leading = state.runs[keeper].media[selection.media];
  const frame = Math.max(0, Math.min(selection.frame, cells(leading) - 1));
  if (keeper === letter || !isClip(leading)) return Math.min(frame, cells(media) - 1);
  const now = moment(leading, frame);
  const away = momentsOf(media).map((seconds) => Math.abs(seconds - now));
  return away.indexOf(Math.min(...away));
}

// A media's moment in the selection's own count: what to select to see a cell of a model.
/** @param {State} state @param {Selection} selection @param {Letter} letter */
export function frameFor(state, selection, letter, cell) {
  const keeper = timekeeper(state, selection);
  if (keeper === letter) return cell;
  const now = moment(state.runs[letter].media[selection.media], cell);
  const away = momentsOf(state.runs[keeper].media[selection.media]).map((seconds) => Math.abs(seconds - now));
  return away.indexOf(Math.min(...away));
}

const slices = new WeakMap(); // map -> { cell, slice }: the last one of each

// One temporal cell of a map, as the map of a still; its strongest cell is that cell's own.
/** @param {Attended} map */
export function atCell(map, cell) {
  if (map.grid[0] === 1) return map;
  if (slices.get(map)?.cell === cell) return slices.get(map).slice;
  const part = (values, grid) => values.slice(cell * grid[1] * grid[2], (cell + 1) * grid[1] * grid[2]);
  const [values, tokens] = [part(map.values, map.grid), part(map.tokens, map.token_grid)];
  const own = map.unit === "patch" ? values : tokens;
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

const summed = new WeakMap(); // map -> shares, the map being of one media of one run

// The part of a row that falls on each temporal cell of a media: sums over the row itself, whatever is drawn of it.
/** @param {Run} run @param {Media} media @param {Attended} map */
export function sharesInTime(run, media, map) {
  if (summed.has(map)) return summed.get(map);
  const shares = Array.from({ length: cells(media) }, () => 0);
  map.keys.forEach((value, index) => {
    if (run.tokens.media[index] === media.index) shares[run.tokens.cell[index][0]] += value;
  });
  summed.set(map, shares);
  return shares;
}

// When the frames of a temporal cell are shown, in words; "" where no times are known.
/** @param {Media} media */
export const secondsOf = (media, cell) => {
  const first = firstFrameOf(media, cell);
  const known = media.times.slice(first, first + framesOfCell(media));
  return known.map((seconds) => `${seconds.toFixed(2)} s`).join(say(" and "));
};

// A temporal cell in words: its id or number, and its seconds.
/** @param {Media} media */
export const momentName = (media, cell) =>
  framesOfCell(media) > 1 ? `t ${media.first_position[0] + cell}` : say("picture {n}", { n: cell + 1 });

/** @param {Media} media */
export function momentWords(media, cell) {
  const id = momentName(media, cell);
  const when = secondsOf(media, cell);
  return when ? `${id} · ${when}` : id;
}
