// What the two families differ in, asked of a run and never of a column: any model may stand in A or in B.

/** @import { Media, Run } from "./types.d.ts" */

/** @param {Run} run */
export const hasAdapter = (run) => run.model.family === "qwen-vl";

// The grid of the cells that a map of this run is drawn in: patches where queries are no places, else visual tokens.
/** @param {Run} run @param {Media} media */
export const ownGrid = (run, media) => (hasAdapter(run) ? media.patch_grid : media.token_grid);

/** @param {Run} run */
export const ownUnit = (run) => (hasAdapter(run) ? "patch" : "token");
