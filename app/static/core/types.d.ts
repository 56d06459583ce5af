// The page's own types. What the server sends stands in payload.d.ts, as Python writes it.

import type { StageSpec, StageView } from "./drawn.d.ts";
import type {
  Answers,
  Choice,
  Failure,
  MapRow,
  MediaPayload,
  ModelCard,
  Packed,
  RunPayload,
  Sentence,
  Shares,
  Update,
} from "./payload.d.ts";

export type * from "./drawn.d.ts";
export type * from "./payload.d.ts";
export type Media = MediaPayload;
export type { Client } from "../state/client.js";

/** What gestures do: see actions.js. */
export type Actions = ReturnType<typeof import("../state/actions.js").createActions>;

// --- geometry ---

/** [width, height] */
export type Size = readonly number[];
/** [frames, rows, columns] */
export type Grid = readonly number[];
/** [x, y] in 0..1 of the original picture. */
export type Place = number[];
/** [left, top, right, bottom] in 0..1 of the original picture. */
export type Region = number[];
/** Red, green and blue, 0 to 255. */
export type Colour = readonly number[];

/** A long array from the server, rows first. */
export type Floats = Float32Array & { shape: number[] };

export type Numbers = Float32Array | readonly number[];

/** A payload once its arrays are decoded. */
export type Decoded<T> = T extends Packed ? Floats : T extends object ? { [K in keyof T]: Decoded<T[K]> } : T;

export type Run = Decoded<RunPayload>;
export type Attended = Decoded<MapRow>;

// --- the selection and the state ---

export type Letter = "A" | "B";
export type Both<T> = Record<Letter, T>;
export type ViewName =
  "pipeline" | "patches" | "positions" | "adapter" | "vision" | "answer" | "layers" | "causes" | "boxes";

/** A rectangle of the picture in thousandths of its sides: see rectangle.js. */
export type Rectangle = { left: number | null; top: number | null; right: number | null; bottom: number | null };

/** What each view lets one choose in it alone: its CHOICES. */
export interface ViewChoices {
  pipeline: { stage: string | null };
  patches: { order: string };
  positions: { rule: string; shown: string; of: Letter; axis: string };
  adapter: { order: string; against: string };
  vision: {
    layerA: Choice | null;
    headA: Choice | null;
    layerB: Choice | null;
    headB: Choice | null;
    statistic: string;
  };
  answer: { mode: MapRow["mode"]; scale: string; statistic: string };
  layers: { layerA: number | null; layerB: number | null; word: string };
  causes: Rectangle & {
    tool: string;
    shape: string;
    strokes: string;
    fill: string;
    rows: string;
    through: string;
    from_A: number | null;
    to_A: number | null;
    from_B: number | null;
    to_B: number | null;
    beneath: boolean;
  };
  boxes: Rectangle & { beneath: boolean };
}

export type CausesChoices = ViewChoices["causes"];
export type BoxesChoices = ViewChoices["boxes"];

/** The choices of all views under their names in the selection. */
export type OfViews = { [Name in ViewName as `of_${Name}`]: ViewChoices[Name] };

/** What a choice may be: it stands in the address. */
export type Chosen = string | number | boolean | null;

/** The choices of one view whichever it is. */
export type Choices = Record<string, Chosen>;

export interface Selection extends OfViews {
  /** Ids of the runs on show. */
  run: Both<string | null>;
  view: ViewName;
  /** Whose word was pointed at. */
  model: Letter;
  site: string;
  layer: Both<Choice>;
  head: Both<Choice>;
  /** Token index of the word in question, by model. */
  query: Both<number | null>;
  /** Whether this model's word was chosen by hand, not by following the other model's. */
  own: Both<boolean>;
  /** More tokens, whose rows are averaged with that of the word in question. */
  also: Both<number[]>;
  media: number;
  adapter: { query: number; head: Choice };
  /** A place on the original picture. */
  keys: Place | null;
  /** More places, whose cells are summed with that one's. */
  places: Place[];
  region: Region | null;
  /** Query and key have changed roles: a column in place of a row. */
  swap: boolean;
  frame: number;
}

/** An answer in the making. */
export type Live = Update;

export interface State {
  runs: Both<Run | null>;
  models: Both<ModelCard | null>;
  live: Both<Live | null>;
  failed: Both<Failure | null>;
  selection: Selection;
  /** What hovering adds to the selection, until the pointer leaves. */
  preview: Partial<Selection> | null;
  /** One scale for both maps. */
  shared: boolean;
  /** The column on a phone. */
  shown: Letter;
  /** What a key could not do here, until something else is done. */
  remark: string | null;
  /** A run that is gone, or the like. */
  notice: Sentence | null;
  /** That the question has changed since. */
  stale: Sentence | null;
  busy: boolean;
  /** Whether the pictures are none that the shipped checkpoints were trained to describe. */
  outside?: boolean;
  /** The question that is being answered. */
  turn?: string;
  /** Words are played one after another. */
  playing?: boolean;
  /** The rule by which ids go on after a clip. */
  idRule?: string;
  /** One scale for all tubes of a clip, or each its own. */
  tubeScale?: string;
}

export interface Store {
  readonly state: State;
  set(patch: Partial<State>): void;
  select(patch: Partial<Selection>): void;
  preview(patch: Partial<Selection> | null): void;
  redraw(): void;
  drawnState(): State | null;
  subscribe(listener: (state: State) => void): unknown;
}

/** What parts of the page tell each other: see state/news.js. */
export interface News {
  "inspector-draft": import("../rail/types.d.ts").Draft;
  "inspector-row": Channel;
  "inspector-runs": { runs: Run[] };
}

// --- asking the server ---

/** A question, as it goes to the server: JSON. */
export type Query = object;

export type Name = keyof Answers;

/** The sentence that stands in for an answer. */
export interface Refused {
  error: Sentence;
}

export type Server = { [Asked in Name]: (query: Query) => Promise<Answers[Asked] | Refused> };

/** An answer that is here (`fresh`), or the last one while the new one is on its way. */
export interface Resource<T> {
  value: T | null;
  fresh: boolean;
  error: Sentence | null;
}

export type Answer<Asked extends Name> = Decoded<Answers[Asked]>;

/** An answer, or why there is none. */
export type Told<Asked extends Name> = Answer<Asked> | Refused;

export interface Channel {
  name: string;
  group: string | null;
  /** The last answer, to whatever was asked. */
  last: Answer<Name> | null;
  wanted: Wanted | null;
  failed?: { key: string; error: Sentence };
  timer?: ReturnType<typeof setTimeout>;
  flying?: boolean;
  /** When it asked last. */
  asked?: number;
  /** How long the last answer took. */
  milliseconds?: number;
}

export interface Wanted {
  name: Name;
  query: Query;
  key: string;
}

// --- what a view is given and what it gives ---

/** What every view draws from: see shell/context.js. */
export interface Context {
  store: Store;
  client: import("../state/client.js").Client;
  actions: Actions;
  frozen: boolean;
  current?: ViewDrawing;
  /** Views that were looked at since these runs came: see shell/export.js. */
  visited?: Set<string>;
  run(letter: Letter): Run | null;
  stageBox(cell: HTMLElement, size: Size, tall: number): { inner: number[]; flat: boolean };
  vacant(cell: HTMLElement, letter: Letter, tall: number, run?: Run | null): StageSpec;
  mediaChoice(): Part;
  picture(kind: PictureKind, run: string, media: number, frame?: number | null): HTMLImageElement | null;
  mapResources(letter: Letter): MapResources;
  sendAhead(letter: Letter): void;
  shares(letter: Letter): Decoded<Shares> | null;
  statistics(letter: Letter): Answer<"statistics"> | null;
  patchReaders(letter: Letter): Answer<"patch_readers"> | null;
  reading(letter: Letter): Resource<Answer<"reading">> & { cells?: number[]; key?: number | null };
  agreement(): Resource<Answer<"agreement">> | null;
}

export type PictureKind = "picture" | "resized";

export interface MapResources {
  media: Media | null;
  image: HTMLImageElement | null;
  map: Attended | null;
  late: string | null;
  error: Sentence | null;
  fresh: boolean;
}

/** A part of a view that follows the state. */
export interface Part {
  root: HTMLElement;
  update(state: State, selection: Selection): void;
}

/** Parts of the status line: [text, bold, text] each. */
export type StatusParts = string[][];

export interface ViewDrawing {
  root: HTMLElement;
  stages?: Partial<Both<StageView>>;
  update(state: State, selection: Selection): void;
}

/** A file view.js below views/: see views/index.js. */
export interface View {
  NAME: string;
  SITE: string;
  SHOWS?: string[];
  CHOICES?: Choices;
  createView(ctx: Context): ViewDrawing;
  status(ctx: Context, state: State, selection: Selection): StatusParts;
  letGo?(chosen: OfViews[keyof OfViews]): Choices | null;
  /** What of one run this view shows beside resolved.js, for an export. */
  shown?(state: State, letter: Letter, ctx: Context): Record<string, unknown>;
  figure?(ctx: Context, state: State, selection: Selection, root: HTMLElement): void;
}

// --- Gradio's components ---

/** What Gradio hands to a component of ours: see core/component.js. */
export interface Gradio<Props> {
  props: Props;
  server: Server;
  trigger?(event: string, detail?: unknown): void;
  watch(key: string, act: () => void): void;
  signal?: AbortSignal;
}

declare global {
  interface Window {
    Plotly?: import("../views/positions/plot3d.js").Plotly;
    /** What is on screen, for tests and for the curious. */
    __inspector?: object;
  }
  interface WindowEventMap {
    "inspector-offer": CustomEvent<import("../rail/types.d.ts").Offer>;
    "inspector-draft": CustomEvent<News["inspector-draft"]>;
    "inspector-example": CustomEvent<{ name: string }>;
    "inspector-runs": CustomEvent<News["inspector-runs"]>;
    "inspector-row": CustomEvent<Channel>;
  }
}
