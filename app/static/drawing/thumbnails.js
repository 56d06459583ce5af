// Small maps: a grid of values in "tide", a crop of a picture, a picture with its map.

import { isDark, sizeCanvas } from "../core/dom.js";
import { tide } from "../core/colour.js";
import { edges, fit } from "../core/geometry.js";
import { paintCells } from "./stage.js";

/** @import { Cells, Numbers, Size } from "../core/types.d.ts" */

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Numbers} values
 * @param {Size} grid rows and columns
 * @param {Size} box
 * @param {number} [exponent]
 * @param {number | null} [end] of the scale; the largest value's where not said
 */
export function paintGrid(canvas, values, [rows, columns], box, exponent = 1, end = null) {
  const shape = fit([columns, rows], box);
  const { context, width, height } = sizeCanvas(canvas, Math.round(shape.width), Math.round(shape.height));
  const [xs, ys] = [edges(columns, width), edges(rows, height)];
  const most = end || largest(values) || 1;
  for (let index = 0; index < rows * columns; index += 1) {
    const [x, y] = [index % columns, Math.floor(index / columns)];
    const [red, green, blue] = tide((values[index] / most) ** exponent, isDark());
    context.fillStyle = `rgb(${red} ${green} ${blue})`;
    context.fillRect(xs[x], ys[y], xs[x + 1] - xs[x], ys[y + 1] - ys[y]);
  }
}

/** @param {Numbers} values */
function largest(values) {
  let most = 0;
  for (const value of values) most = Math.max(most, value);
  return most;
}

// Part of a picture, enlarged without smoothing: box in pixels of the original.
/**
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLImageElement} image
 * @param {Size} size
 * @param {number[]} box
 * @param {Size} side
 */
export function paintCrop(canvas, image, size, [x1, y1, x2, y2], side) {
  const paper = sizeCanvas(canvas, side[0], side[1]);
  const [sx, sy] = [image.naturalWidth / size[0], image.naturalHeight / size[1]];
  paper.context.imageSmoothingEnabled = false;
  paper.context.drawImage(image, x1 * sx, y1 * sy, (x2 - x1) * sx, (y2 - y1) * sy, 0, 0, paper.width, paper.height);
  return paper;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLImageElement} image
 * @param {Size} size
 * @param {Cells} cells
 * @param {Size} box
 */
export function paintSmallMap(canvas, image, size, cells, box) {
  const shape = fit(size, box);
  const { context, width, height } = sizeCanvas(canvas, Math.round(shape.width), Math.round(shape.height));
  context.filter = `saturate(${isDark() ? 0.4 : 0.45}) brightness(${isDark() ? 0.46 : 0.56})`;
  context.drawImage(image, 0, 0, width, height);
  context.filter = "none";
  paintCells(context, width, height, cells);
}
