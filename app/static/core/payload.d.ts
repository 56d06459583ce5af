// What the server sends to the page, as Python writes it (app/views/payload.py and the files beside it).

/** An array as base64 of little-endian float32, with its shape; `decode` of client.js turns it into `Floats`. */
export interface Packed {
  f32: string;
  shape: number[];
}

export type Choice = number | "mean";

/** A sentence as its English template and the values that fill its gaps. */
export interface Sentence {
  template: string;
  values: Record<string, string | number | Sentence>;
}

// --- a finished run ---

export interface Alternative {
  id: number;
  text: string;
  probability: number;
  label?: string;
  special?: boolean;
}

export interface Word {
  id?: number;
  text: string;
  label: string;
  tokens: number[];
  row: number;
  special: boolean;
  share: number;
  probability: number;
  alternatives: Alternative[];
}

export interface Clamp {
  name: string;
  sentence: string;
}

export interface Sampling {
  preset: string;
  total_frames: number;
  fps: number;
  seconds: number;
  indices: number[];
  times: number[];
  effective_fps: number;
  min_pixels: number | null;
  max_pixels: number | null;
  budget: number | null;
  clamps: Clamp[];
}

export interface Media {
  index: number;
  kind: "image" | "video";
  name: string;
  limit: string | null;
  size: number[];
  resized: number[];
  patch_grid: number[];
  token_grid: number[];
  frames: number;
  times: number[];
  note: string | null;
  sampling: Sampling | null;
  marks_each: number;
  marks: number;
  first_token: number;
  first_position: number[];
}

export interface ModelCard {
  title: string;
  family: "qwen-vl" | "qwen2-vl";
  size_label: string;
  parameters: number;
  trained: boolean;
  [more: string]: any;
}

export interface Account {
  patches: number;
  visual_tokens: number;
  prompt_tokens: number;
  answer_tokens: number;
  largest_position: number;
  last_position: number;
  context: number;
  [more: string]: any;
}

export interface Tokens {
  id: number[];
  text: string[];
  kind: ("text" | "special" | "image" | "video")[];
  section: string[];
  media: (number | null)[];
  cell: (number[] | null)[];
}

export interface Site {
  layers: number;
  heads: number;
}

export interface RunPayload {
  id: string;
  letter: string;
  model: ModelCard;
  created: number;
  question: string;
  answer: string;
  stopped: boolean;
  seconds: Record<string, number>;
  lens_seconds: number;
  settings: Record<string, any>;
  conversation: { question: string; media: number[]; answer: string | null }[];
  system: string | null;
  account: Account;
  media: Media[];
  tokens: Tokens;
  answer_start: number;
  positions: number[][];
  words: Word[];
  sites: { language: Site; vision: Site; adapter: { heads: number; queries: number } | null };
  kept: { bytes: number; note: string };
  start: { word: number; layer: number; head: number };
}

// --- rows of attention ---

export interface MapRow {
  row: number;
  rows: number[];
  layer: Choice;
  head: Choice;
  media: number;
  share: number;
  shares_all: number;
  grid: number[];
  token_grid: number[];
  unit: "patch" | "token";
  mode: "raw" | "sinks" | "neutral";
  values: Packed;
  tokens: Packed;
  keys: Packed;
  max: number;
  max_index: number;
  half: number[];
  sections: Record<string, number>;
  sections_mean: Record<string, number>;
  sinks: Record<string, number>;
  sinks_mean: Record<string, number>;
  sentence: string;
  removed?: number;
  removed_here?: number;
  sink_keys?: number[];
  neutral_share?: number;
  neutral_question?: string;
}

export interface Shares {
  row: number;
  values: Packed;
}

export interface MapsAhead {
  maps: MapRow[];
  queries: number[];
  shares: Shares[];
}

export interface Statistics {
  row: number;
  share: Packed;
  entropy: Packed;
  distance: Packed;
  sinks: Packed;
  even_entropy: number;
  even_distance: number;
}

export interface PatchReaders {
  queries: Packed;
  weights: Packed;
}

export interface Reading {
  values: Packed;
  tokens: Packed;
  strongest: number[];
}

export interface Agreement {
  iou: number | null;
  js_distance: number | null;
  half_pixels?: number[];
  xs?: Packed;
  ys?: Packed;
  difference?: Packed;
  max?: number;
}

// --- the adapter ---

export interface AdapterRow {
  media: number;
  query: number;
  head: Choice;
  frame: number;
  grid: number[];
  values: Packed;
  entropy: number;
  half: number[];
  max: number;
  max_index: number;
  sentence: string;
}

export interface AdapterSheet {
  media: number;
  head: Choice;
  frame: number;
  values: Packed;
  entropy: number[];
}

export interface Readers {
  media: number;
  head: Choice;
  patch: number;
  queries: number[];
  weights: Packed;
}

export interface AdapterStatistics {
  entropy: Packed;
  half: number[];
  nearest: number[];
  overlap: Packed;
  orders: Record<string, number[]>;
  coverage: number;
  alike: { overlap: number; pairs: number; queries: number[] };
}

export interface AdapterCode {
  keys: Packed;
  queries: Packed;
  grid: number[];
  query_grid: number[];
}

// --- the vision tower ---

export interface VisionRow {
  media: number;
  patch: number;
  place: number;
  layer: number;
  head: Choice;
  column: boolean;
  grid: number[];
  values: Packed;
  max: number;
  max_index: number;
  half: number[];
  own: number;
  total: number;
  distance: number;
  entropy: number;
  even: number;
}

export interface VisionHeads {
  distance: Packed;
  entropy: Packed;
  own: Packed;
  even_distance: number;
  even_entropy: number;
  queries: number;
}

export interface VisionPlaces {
  place: number;
  grid: number[];
  values: Packed;
  least: number;
  most: number;
  stretched: number | null;
}

// --- layers ---

export interface Lens {
  texts: string[][];
  top: Packed;
  said: Packed;
  norms: Record<string, Packed>;
}

export interface LensToken {
  token: number;
  texts: string[][];
  probabilities: Packed;
  norms: Packed;
}

export interface LensWord {
  id: number;
  text: string;
  media: number;
  values: Packed;
  layer: number;
  cell: number;
  most: number;
}

// --- positions, patches, clips, boxes, causes ---

export interface PositionsBy {
  rule: string;
  positions: number[][];
  overtaken: number[][][];
  largest: number;
}

export interface TokenPixels {
  picture: string;
}

export interface Picture {
  picture: string;
}

export interface Filmstrip {
  picture: string;
  width: number;
  height: number;
}

export interface ClipLonger {
  seconds: number[];
  presets: { name: string; budget: number; costs: number[][] }[];
  trained: number;
  here: number[];
}

export interface Box {
  phrase: string | null;
  text: string;
  problem: string | null;
  tokens: number[];
  written: number[] | null;
  coordinates: number[][];
  original: number[] | null;
  resized: number[] | null;
}

export interface Boxes {
  boxes: Box[];
}

export interface Curve {
  x: number[];
  y: number[];
  area: number;
}

export interface CurveBand {
  x: number[];
  mean: number[];
  low: number[];
  high: number[];
  areas: number[];
}

export interface CurvePair {
  map: Curve | null;
  reverse: Curve | null;
  random: CurveBand | null;
}

export interface CausesCurves {
  state: "none" | "failed" | "stopped" | "done" | "running";
  because?: string | null;
  done?: number;
  total?: number;
  cells?: number;
  fill?: string;
  plain?: number;
  empty?: number;
  seeds?: number;
  deletion?: CurvePair;
  insertion?: CurvePair;
}

/** The answer to each question that the page asks, by the question's name. */
export interface Answers {
  run: RunPayload;
  map: MapRow;
  maps_ahead: MapsAhead;
  shares: Shares;
  statistics: Statistics;
  patch_readers: PatchReaders;
  reading: Reading;
  agreement: Agreement;
  adapter: AdapterRow;
  adapter_sheet: AdapterSheet;
  readers: Readers;
  adapter_statistics: AdapterStatistics;
  adapter_code: AdapterCode;
  vision_row: VisionRow;
  vision_heads: VisionHeads;
  vision_places: VisionPlaces;
  lens: Lens;
  lens_token: LensToken;
  lens_word: LensWord;
  positions_by: PositionsBy;
  token_pixels: TokenPixels;
  picture: Picture;
  resized: Picture;
  filmstrip: Filmstrip;
  clip_longer: ClipLonger;
  boxes: Boxes;
  causes_curves: CausesCurves;
}
