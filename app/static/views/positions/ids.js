// The ids of visual tokens on the picture: a token's row and column of ids, and the cell it stands for.

import { el, refill, setText, sizeCanvas } from "../../core/dom.js";
import { cellAt, edges, fit } from "../../core/geometry.js";
import { hasAdapter } from "../../core/families.js";
import { say } from "../../language/i18n.js";
import { count } from "../../language/numbers.js";
import { axis } from "../../drawing/ribbon.js";
import { tokensOf } from "./lanes.js";

/** @import { Ruled } from "./choosing.js" */
/** @import { Media, Run, Size } from "../../core/types.d.ts" */

const TALL = 168;

// The token of a media's cell, or -1: by what the tokens say of themselves, since frames may have labels between them.
/** @param {Run} run @param {Media} media @param {number[]} cell */
export function tokenAt(run, media, [frame, row, column]) {
  const [, rows, columns] = media.token_grid;
  const guess = media.first_token + (frame * rows + row) * columns + column;
  /** @param {number} index */
  const fits = (index) => {
    const cell = run.tokens.cell[index];
    return (
      run.tokens.media[index] === media.index && cell && cell[0] === frame && cell[1] === row && cell[2] === column
    );
  };
  return fits(guess) ? guess : run.tokens.id.findIndex((_, index) => fits(index));
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLImageElement} image
 * @param {Media} media
 * @param {number[] | null} cell
 * @param {Size} box
 * @param {boolean} places
 */
function paint(canvas, image, media, cell, box, places) {
  const shape = fit(media.size, box);
  const { context, width, height, ratio } = sizeCanvas(canvas, Math.round(shape.width), Math.round(shape.height));
  context.filter = "saturate(.45) brightness(.62)";
  context.drawImage(image, 0, 0, width, height);
  context.filter = "none";
  const [, rows, columns] = media.token_grid;
  const [xs, ys] = [edges(columns, width), edges(rows, height)];
  context.fillStyle = "rgb(255 255 255 / .22)";
  xs.slice(1, -1).forEach((x) => context.fillRect(x, 0, 1, height));
  ys.slice(1, -1).forEach((y) => context.fillRect(0, y, width, 1));
  if (!cell) return;
  const [, row, column] = cell;
  if (places) {
    context.fillStyle = "rgb(60 190 100 / .55)";
    context.fillRect(0, ys[row], width, ys[row + 1] - ys[row]);
    context.fillStyle = "rgb(150 110 250 / .55)";
    context.fillRect(xs[column], 0, xs[column + 1] - xs[column], height);
  }
  context.strokeStyle = "#ff9840";
  context.lineWidth = 2.5 * ratio;
  context.strokeRect(xs[column], ys[row], xs[column + 1] - xs[column], ys[row + 1] - ys[row]);
}

/** @param {number[]} lane @param {number} first @param {number} number */
function range(lane, first, number) {
  const ids = lane.slice(first, first + number);
  const [low, high] = [ids.reduce((a, b) => Math.min(a, b)), ids.reduce((a, b) => Math.max(a, b), 0)];
  return low === high ? count(low) : say("{from} to {to}", { from: count(low), to: count(high) });
}

/** @param {number[][]} positions @param {number} token @param {number[]} cell */
function threeIds(positions, token, cell) {
  const [t, h, w] = positions.map((lane) => count(lane[token]));
  return [
    axis("t"),
    ` ${say("{id} in the whole frame", { id: t })}, `,
    axis("h"),
    ` ${say("{id} along row {row}", { id: h, row: cell[1] })}, `,
    axis("w"),
    ` ${say("{id} down column {column}", { id: w, column: cell[2] })}.`,
  ];
}

// What the ids of the media, or of the chosen cell, are.
/** @param {Omit<Ruled, "overtaken">} ruled @param {Media} media @param {number | null} token @param {number[] | null} cell */
function idsOf({ run, positions, rule }, media, token, cell) {
  const number = tokensOf(media);
  if (hasAdapter(run)) {
    if (!cell || token === null)
      return [
        say("No places: {ids} follow the order of the queries, here laid on the grid of their code.", {
          ids: range(positions[0], media.first_token, number),
        }),
      ];
    return [
      say("Id {id}: query {query} is coded at this place, and may read any.", {
        id: count(positions[0][token]),
        query: cell[1] * media.token_grid[2] + cell[2],
      }),
    ];
  }
  if (rule === "1-D" && cell && token !== null)
    return [say("Id {id} on all three axes: the place in the picture is lost.", { id: count(positions[0][token]) })];
  if (cell && token !== null) return threeIds(positions, token, cell);
  return ["t", "h", "w"]
    .flatMap(
      (name, at) =>
        /** @type {(string | HTMLElement)[]} */ ([
          at ? ", " : "",
          axis(name),
          ` ${range(positions[at], media.first_token, number)}`,
        ]),
    )
    .concat(".");
}

/**
 * @typedef {object} IdsSpec
 * @property {Ruled} shown
 * @property {Media} media
 * @property {number | null} token the chosen one
 * @property {number} frame
 * @property {HTMLImageElement | null} image
 * @property {number} width
 */

/** @param {{ onhover(token: number | null): void, onpick(token: number): void }} gestures */
export function createIds({ onhover, onpick }) {
  const canvas = el("canvas", { class: "ids-picture", "data-part": "ids-picture" });
  const words = el("p", {});
  const root = el("div", { class: "ids-box" }, canvas, words);
  /** @type {{ shown: Ruled, media: Media, frame: number } | null} */
  let current = null;
  /** @param {MouseEvent} event */
  const under = (event) => {
    if (!current) return null;
    const box = canvas.getBoundingClientRect();
    const place = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height].map((value) =>
      Math.min(0.9999, Math.max(0, value)),
    );
    const { row, column } = cellAt(place, current.media.token_grid);
    return tokenAt(current.shown.run, current.media, [current.frame, row, column]);
  };
  canvas.addEventListener("pointermove", (event) => event.pointerType === "mouse" && onhover(under(event)));
  canvas.addEventListener("pointerleave", () => onhover(null));
  canvas.addEventListener("click", (event) => onpick(under(event) ?? -1));
  /** @type {{ stamp: string, image: HTMLImageElement } | null} */
  let last = null;
  return {
    root,
    update(/** @type {IdsSpec} */ { shown, media, token, frame, image, width }) {
      const { run, positions, rule } = shown;
      const mine = token !== null && run.tokens.media[token] === media.index ? run.tokens.cell[token] : null;
      current = { shown, media, frame: mine ? mine[0] : frame };
      const stamp = [run.id, media.index, mine, rule, width, document.body.className].join();
      if (image && (last?.stamp !== stamp || last.image !== image)) {
        last = { stamp, image };
        paint(canvas, image, media, mine, [width, TALL], !hasAdapter(run) && rule !== "1-D");
      }
      setText(canvas, "");
      refill(words, [run.id, media.index, rule, mine && token], () =>
        idsOf({ run, positions, rule }, media, token, mine),
      );
    },
  };
}
