// What elements, stages and charts are made from.

import type { Choice, Floats, Grid, Letter, Numbers, Place, Region, Run, Size } from "./types.d.ts";

// --- elements: see core/dom.js ---

/** An attribute as it is set: nothing, null and false leave it out, true sets it empty. */
export type Attribute = string | number | boolean | null | undefined;
export type Style = Record<string, string | number>;
/** By "on" and the event's name. */
export type Listeners<Target> = {
  [Name in keyof HTMLElementEventMap as `on${Name}`]?:
    ((event: HTMLElementEventMap[Name] & { readonly currentTarget: Target }) => unknown) | Attribute;
};
/** What an element is made with; `text` is its content. */
export type Attributes<Target> = Listeners<Target> & { style?: Style } & Record<
    string,
    Attribute | Style | ((event: never) => unknown)
  >;
export type Child = Node | string | null | undefined;
/** A group of buttons of which one is chosen. */
export type Segmented = HTMLDivElement & { choose(value: unknown): void };
/** A canvas made ready to be drawn on, in device pixels. */
export interface Paper {
  context: CanvasRenderingContext2D;
  /** Device pixels per CSS pixel. */
  ratio: number;
  width: number;
  height: number;
}

// --- what lies on a stage and in charts: see drawing/ ---

/** A map as a stage draws it: values per cell of a grid, from `offset` on, or between `lines` of its own. */
export interface Cells {
  values: Numbers;
  grid: Grid;
  max: number;
  offset?: number;
  signed?: boolean;
  lines?: { xs: Numbers; ys: Numbers } | null;
}

/** A rectangle on the picture, as a query or a key. */
export interface Outline {
  box: Region;
  kind: string;
}

/** Words on the picture, at a place or in its corner. */
export interface Label {
  text: string;
  place?: Place | null;
}

/** Everything that lies on a stage: see drawing/stage.js. */
export interface StageSpec {
  image: HTMLImageElement | null;
  size: Size;
  /** The room it must fit into, in CSS pixels. */
  box: Size;
  quiet?: boolean;
  cells?: Cells | null;
  /** The grid whose lines are drawn. */
  lines?: Grid | null;
  contour?: { cells: Iterable<number>; grid: Grid } | null;
  outlines?: Outline[];
  label?: Label | null;
  aria?: string;
  dimmed?: string | null;
  note?: string | null;
  frame?: number;
}

/** What a stage has drawn, for tests. */
export interface StageDrawn {
  xs?: number[];
  ys?: number[];
  overlay: HTMLCanvasElement;
  base: HTMLCanvasElement;
  spec: StageSpec;
}

export interface StageView {
  root: HTMLElement;
  drawn: StageDrawn | null;
  update(spec: StageSpec): void;
}

/** A column of a view: its stage, and its parts that stand beside the other column's. */
export interface Column {
  stage: StageView;
  /** Rows of the column by name. */
  cells?: Record<string, HTMLElement>;
}

/** [title, sentence] each: see drawing/honest.js. */
export type HonestItems = string[][];

/** A figure in bold and what it counts, either of which may be missing. */
export type FigureLine = readonly (string | null | undefined)[];

/** What gestures over a layer x head matrix do; hovering nothing is null. */
export interface MatrixGestures {
  letter: Letter;
  onhover(layer: Choice | null, head?: Choice): void;
  onpick(layer: Choice, head: Choice): void;
}

/** A row as the ribbon shows it, or with `swap` a column. */
export interface RibbonSpec {
  run: Run;
  row: number;
  keys: Floats;
  width: number;
  /** The tokens whose row it is, or the keys whose column it is; the row's own where not said. */
  marks?: number[];
  swap?: boolean;
}

export interface RibbonGestures {
  onhover(token: number | null): void;
  onpick(token: number, adding: boolean): void;
  onstep(by: number): void;
}

/** One curve over layers; values may hold NaN, where the line breaks off. */
export interface LayerLine {
  values: Numbers;
  /** A class of its line: "faint", "strong", "chosen" or "dashed", or one of a kind of token. */
  kind: string;
  label?: string | null;
  name?: string | null;
  head?: Choice;
}

export interface LayerCurvesSpec {
  width: number;
  lines: LayerLine[];
  top: number;
  reference?: { value: number; text: string } | null;
  chosen?: Choice | null;
  ticks: number[];
  /** Puts a value into words. */
  format(value: number): string;
  /** Names a layer. */
  layer(index: number): string;
}

/** A colour bar and the figures beside it: see drawing/scale.js. */
export interface ScaleSpec {
  height: number;
  flat: boolean;
  top: FigureLine[];
  middle: FigureLine[];
  bottom: FigureLine[];
  signed?: boolean;
  bare?: boolean;
}

/** How a line over the picture is drawn. */
export interface Pen {
  colour: string;
  width: number;
  dash?: number[];
}

/** What a stage is told of pointers and keys; places are of the original picture. */
export interface StageGestures {
  onhover?(place: Place | null): void;
  onpick?(place: Place, adding: boolean): void;
  onstep?(rows: number, columns: number): void;
  onregion?(region: Region | null, done: boolean): void;
  onstretch?(rows: number, columns: number): void;
  onenter?(): void;
}
