// The server's answers to the page, by the name of the question. Written by `python -m app.views.typescript` from the
// Python types in app/views: change them there.

export type Choice = number | "mean";

/** Plain, or with gaps: its English template and what fills them. `said` of i18n.js puts it into words. */
export type Sentence = string | { template: string; values: Record<string, Sentence | number | boolean | null> };

/** What the page says about a model. */
export interface ModelCard {
  letter: string;
  name: string;
  family: string;
  title: string;
  size_label: string;
  parameters: number;
  trained: boolean;
  weights_note: string;
}

/** What was asked with, as far as it was set, and the pixel limits that were in force. */
export interface RunSettings {
  min_pixels: number | null;
  max_pixels: number | null;
  max_new_tokens?: number | null;
  temperature?: number | null;
  top_p?: number | null;
  top_k?: number | null;
  repetition_penalty?: number | null;
  seed?: number | null;
}

/** One turn of the conversation: its media by index, and what this model answered. */
export interface AskedTurn {
  question: string;
  media: number[];
  answer: string;
}

/** One link of the chain from pixels to tokens. */
export interface Step {
  label: string;
  value: string;
}

/** A pixel limit that decided a size, and what it did. */
export interface LimitEffect {
  name: string;
  value: number | null;
  effect: Sentence;
}

/** Totals of a prompt and its answer, the steps and the sentence of each media, and the first limit that bites. */
export interface Account {
  patches: number;
  visual_tokens: number;
  prompt_tokens: number;
  answer_tokens: number;
  largest_position: number;
  last_position: number;
  context: number;
  steps: Step[][];
  sentence: string[];
  limit: LimitEffect | null;
}

/** A limit that changed the number or the size of a clip's frames. */
export interface Clamp {
  name: string;
  sentence: Sentence;
}

/** Which frames of a clip a model was shown, and every limit that changed their number or size. */
export interface ClipSampling {
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

/** A picture or clip of a run, with its place in the prompt. */
export interface MediaPayload {
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
  sampling: ClipSampling | null;
  marks_each: number;
  marks: number;
  first_token: number;
  first_position: number[];
}

/** The tokens of prompt and answer, one list per fact. */
export interface Tokens {
  id: number[];
  text: string[];
  kind: string[];
  section: string[];
  media: (number | null)[];
  cell: (number[] | null)[];
}

/** A token the model could have said, and how likely it held it, before temperature and the like. */
export interface Alternative {
  id: number;
  text: string;
  probability: number;
}

/** One button of the answer; probabilities are those of its first token, its row the one that predicted that. */
export interface Word {
  text: string;
  label: string;
  tokens: number[];
  row: number;
  special: boolean;
  share: number;
  probability: number;
  alternatives: Alternative[];
}

/** How many layers and heads a site has. */
export interface SiteSize {
  layers: number;
  heads: number;
}

/** How many heads Qwen-VL's adapter has, and how many queries per picture. */
export interface AdapterSize {
  heads: number;
  queries: number;
}

/** Where attention happens; the merger of Qwen2-VL is no adapter with queries. */
export interface Sites {
  language: SiteSize;
  vision: SiteSize;
  adapter: AdapterSize | null;
}

/** What a run keeps: bytes of queries and keys, and of which layers. */
export interface KeptPayload {
  bytes: number;
  note: string;
}

/** The word, layer and head that the views show first. */
export interface Start {
  word: number;
  layer: number;
  head: number;
}

/** Everything about a run that does not depend on a choice of row. */
export interface RunPayload {
  id: string;
  letter: string;
  model: ModelCard;
  notes: (string | Sentence)[];
  created: number;
  question: string;
  answer: string;
  stopped: boolean;
  seconds: Record<string, number>;
  lens_seconds: number;
  settings: RunSettings;
  conversation: AskedTurn[];
  system: string;
  account: Account;
  media: MediaPayload[];
  tokens: Tokens;
  answer_start: number;
  positions: number[][];
  words: Word[];
  sites: Sites;
  kept: KeptPayload;
  start: Start;
}

/** A figure as Plotly draws it: its traces and its layout, in Plotly's own words. */
export interface Figure {
  data: Record<string, unknown>[];
  layout: Record<string, unknown>;
}

/** Of one media what the table of files shows; "filled" is the resized area over the ceiling. */
export interface PlannedMedia {
  name: string;
  size: number[];
  resized: number[];
  limit: string | null;
  patch_grid: number[];
  token_grid: number[];
  tokens: number;
  frames: number | null;
  clamps: string[];
  filled: number | null;
}

/** One line of the table. */
export interface PlannerRow {
  family: string;
  parameters: number;
  derived: boolean;
  patches: number;
  visual_tokens: number;
  template_tokens: number;
  text_tokens: number | null;
  prompt_tokens: number;
  context: number;
  train_length: number | null;
  sentence: string;
  share_of_context: number;
  flops: Record<string, number>;
  attention_bytes: Record<string, number>;
  tokens: number;
  positions: number;
  prompt_positions: number;
  kv_bytes: number;
  kept_bytes: number;
  weight_bytes: number;
  total_bytes: number;
  steps: string[][];
  limits: string[];
  notes: string[];
  suggestions: string[];
  media: PlannedMedia[];
  resized: number[] | null;
  letter: number[] | null;
  limit: string | null;
  filled: number | null;
  model: string;
}

/** A line of the table where a model takes these files not at all. */
export interface RefusedRow {
  model: string;
  error: string;
}

/** The models under one pair of limits: see `plan_page`. */
export interface PlannerGroup {
  key: string;
  min_pixels: number | null;
  max_pixels: number | null;
  rows: (PlannerRow | RefusedRow)[];
}

/** What a toolchain's defaults make of one media. */
export interface ToolchainMedia {
  name: string | null;
  resized: number[];
  frames: number | null;
  tokens: number;
  limit: string | null;
}

/** What one toolchain's defaults do with the file that is shown; but for the first three only where it takes it. */
export interface PlannedToolchain {
  key: string;
  says: string;
  error: string | null;
  prompt_tokens?: number;
  context?: number;
  media?: ToolchainMedia[];
  letter?: number[];
}

/** A range of visual tokens that a source suggests for a purpose. */
export interface SuggestedTokens {
  low: number;
  high: number;
  purpose: string;
  source: string;
}

/** The whole table, and what stands beside it. */
export interface PlannerPage {
  groups: PlannerGroup[];
  toolchains: PlannedToolchain[];
  suggested: SuggestedTokens[];
  files: string[];
}

/** A part of a picture as a model receives it: see `crop`. */
export interface Crop {
  crop: string;
  box: number[];
  arrive: number[];
  region: number[];
  resized: number[];
}

/** A picture as a data URL. */
export interface Picture {
  picture: string;
}

/** Every file by every model, as text. */
export interface PlannerTable {
  csv: string;
  json: string;
}

/** Places of a picture in all three spaces, and as a model writes them; "sees" is the resized size. */
export interface ConvertedPlaces {
  original: number[];
  resized: number[];
  thousandths: number[];
  written: number[];
  size: number[];
  sees: number[];
}

/** An array: base64 of little-endian float32, and its shape. */
export interface Packed {
  f32: string;
  shape: number[];
}

/** One row of the language model on the picture, and where the rest of it goes. */
export interface MapRow {
  max: number;
  max_index: number;
  removed?: number;
  removed_here?: number;
  sink_keys?: number[];
  neutral_share?: number;
  neutral_question?: string;
  row: number;
  rows: number[];
  layer: Choice;
  head: Choice;
  media: number;
  share: number;
  shares_all: number;
  grid: number[];
  token_grid: number[];
  unit: string;
  mode: "raw" | "sinks" | "neutral";
  values: Packed;
  tokens: Packed;
  keys: Packed;
  half: number[];
  sections: Record<string, number>;
  sections_mean: Record<string, number>;
  sinks: Record<string, number>;
  sinks_mean: Record<string, number>;
  sentence: string;
}

/** The share of a row that falls on the media, (layers, heads). */
export interface Shares {
  row: number;
  values: Packed;
}

/** What one adapter query reads: a row over the patches of its own picture or frame, which sums to 1. */
export interface AdapterRow {
  max: number;
  max_index: number;
  media: number;
  query: number;
  head: Choice;
  frame: number;
  grid: number[];
  values: Packed;
  entropy: number;
  half: number[];
  sentence: string;
}

/** All adapter queries of one picture or frame, (queries, patches), and the entropy of each. */
export interface AdapterSheet {
  media: number;
  head: Choice;
  frame: number;
  values: Packed;
  entropy: number[];
}

/** One step. */
export interface Stage {
  name: string;
  title: string;
  words: string[];
  shape: number[];
  axes: string[];
  parameters: number | null;
  seconds: number | null;
}

/** What Qwen2-VL did to a step of Qwen-VL. */
export interface Change {
  mark: string;
  words: string;
  source: string;
}

/** A run's stages, seconds by part and the pass they were timed in, and what changed between families. */
export interface Pipeline {
  stages: Stage[];
  times: Record<string, number>;
  pass: string;
  changes: Record<string, Change>;
}

/** One box of an answer; "original" and "resized" are in pixels: left, top, right, bottom. */
export interface WrittenBox {
  phrase: string | null;
  text: string;
  problem: string | null;
  tokens: number[];
  written: number[] | null;
  coordinates: number[][];
  original: number[] | null;
  resized: number[] | null;
}

/** The boxes of an answer, in the order it writes them. */
export interface Boxes {
  boxes: WrittenBox[];
}

/** One temporal patch: its t id, and when its frames are shown. */
export interface TubeTime {
  position: number;
  seconds: number[];
}

/** What follows a media by one rule. */
export interface Resumes {
  rule: "paper" | "transformers-5" | "1-D";
  first: number;
  last: number;
  after: number;
  overlapping: number;
}

/** Each tube's t id and seconds, and by each rule where the text goes on and what overlaps. */
export interface ClipTime {
  tubes: TubeTime[];
  resumes: Resumes[];
}

/** What a clip would cost by one preset's limits: [frames, width, height, tokens] for each duration. */
export interface PresetCosts {
  name: string;
  budget: number;
  costs: number[][];
}

/** What a clip would cost if it lasted otherwise; "here" is its own duration and number of tokens. */
export interface ClipLonger {
  seconds: number[];
  presets: PresetCosts[];
  trained: number;
  here: number[];
}

/** Frames side by side in one picture; "width" is that of one frame. */
export interface Filmstrip {
  picture: string;
  width: number;
  height: number;
}

/** How far the two convolutions of one frame are apart. */
export interface ConvolutionComparison {
  patches: number;
  channels: number;
  largest: number;
  difference: number;
}

/** An effect: the word's probability and the answer's log-probability, before and after a place was taken away. */
export interface CausesTold {
  index: number;
  before: number;
  after: number;
  answer_before: number;
  answer_after: number;
  likeliest: Alternative[];
  unit: string;
  hidden: number[];
  pixels: number;
  tool: string;
  cells: number[];
  picture?: string;
  received?: string;
  received_size?: number[];
}

/** The word's probability ("y") over the part of the cells that is painted away ("x"), and the area under it. */
export interface DrawnCurve {
  x: number[];
  y: number[];
  area: number;
}

/** The mean and the range of curves in random orders, and the area under each. */
export interface CurveBand {
  x: number[];
  mean: number[];
  low: number[];
  high: number[];
  areas: number[];
}

/** The curves of the map's order, of the reversed one, and of random ones; None until there are any. */
export interface CurvePair {
  map: DrawnCurve | null;
  reverse: DrawnCurve | null;
  random: CurveBand | null;
}

/** How far the curves are; all but "state" is there from the first step on. */
export interface CausesCurves {
  state: string;
  because?: Sentence | null;
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

/** Several maps at once, and the shares of each token among them, by "queries". */
export interface MapsAhead {
  maps: MapRow[];
  queries: number[];
  shares: Shares[];
}

/** The figures of one row for every layer and head, (layers, heads) each; see `Run.statistics`. */
export interface Statistics {
  row: number;
  share: Packed;
  entropy: Packed;
  distance: Packed;
  sinks: Packed;
  even_entropy: number;
  even_distance: number;
}

/** For every patch the adapter queries that read it most, and their weights, (patches, 5), the strongest first. */
export interface PatchReaders {
  queries: Packed;
  weights: Packed;
}

/** What every row gives to a token, or to cells of a map. */
export interface Reading {
  values: Packed;
  tokens: Packed;
  strongest: number[];
}

/** Whether two maps agree (`analysis.map_agreement`); "iou" is None where one of them has nothing on the picture. */
export interface MapAgreement {
  iou: number | null;
  js_distance: number | null;
  half_pixels?: number[];
  xs?: Packed;
  ys?: Packed;
  difference?: Packed;
  max?: number;
}

/** How many pairs of queries overlap by at least this much, and how many queries are in one. */
export interface Alike {
  overlap: number;
  pairs: number;
  queries: number;
}

/** `Run.query_statistics` of one frame and head, with the queries in every order. */
export interface AdapterStatistics {
  entropy: Packed;
  half: number[];
  nearest: number[];
  overlap: Packed;
  orders: Record<string, number[]>;
  coverage: number;
  alike: Alike;
}

/** `Run.code_similarity`: "keys" (queries, patches) and "queries" (queries, queries), with their grids. */
export interface AdapterCode {
  keys: Packed;
  queries: Packed;
  grid: number[];
  query_grid: number[];
}

/** One step of Qwen2-VL's merger: what it is, what goes in and comes out (rows, width), and its published tensor. */
export interface MergerStep {
  name: string;
  comes_in: number[];
  goes_out: number[];
  weight: number[];
  published: string;
}

/** The steps from four patches to a visual token, with the shapes of this model's weights. */
export interface Merger {
  steps: MergerStep[];
}

/** For every answer token, by layer, the likeliest word of the row that predicts it, and its own chance. */
export interface LensTable {
  texts: string[][];
  top: Packed;
  said: Packed;
  norms: Record<string, Packed>;
}

/** The five likeliest words that one token's state reads as after each layer, (layers, 5). */
export interface LensToken {
  token: number;
  texts: string[][];
  probabilities: Packed;
  norms: Packed;
}

/** The chance of one word for every visual token of a media by layer, (layers, tokens), and where it is largest. */
export interface LensWord {
  id: number;
  text: string;
  media: number;
  values: Packed;
  layer: number;
  cell: number;
  most: number;
}

/** What decided the resized size of a media. */
export interface SizeRule {
  name: "squash" | "max_pixels" | "min_pixels" | "factor";
  value: number | null;
  stretch: number[];
  free: number[] | null;
  free_tokens: number | null;
  threshold: number | null;
  aspect: number;
  largest_aspect: number;
}

/** A frame as it turns back from the model's input. */
export interface Rebuilt {
  picture: string;
  resized: string;
  frames: number;
  values: number;
  differing: number;
  maximum: number;
  mean: number;
  rule: SizeRule;
}

/** The ids of every token under a rule, (3, tokens), and per axis the spans that an earlier media overtook. */
export interface PositionsBy {
  rule: "paper" | "transformers-5" | "1-D";
  positions: number[][];
  overtaken: number[][][];
  largest: number;
}

/** Of the language model's rotary embedding, as a run used it. */
export interface FrequencyFacts {
  wavelengths: number[];
  sections: number[];
  theta: number;
  alpha: number;
  head_dim: number;
}

/** Tokens that a media takes with the marks around it, and how many ids they spend on the axis that spends most. */
export interface PositionCost {
  tokens: number;
  ids: number;
}

/** One test of the paper's table 8, with 1-D and with multimodal ids. */
export interface ReportedScore {
  test: string;
  about: string;
  one: number;
  multimodal: number;
  gain: number;
}

/** Table 8 of the paper: each test, the means about pictures and about clips, and how many went which way. */
export interface Reported {
  scores: ReportedScore[];
  means: Record<string, number[]>;
  outcome: number[];
}

/** Frequencies, the cost in ids of a run's media and of others, and what the authors report of multimodal ids. */
export interface PositionFacts {
  frequencies: FrequencyFacts;
  media: PositionCost[];
  others: Record<string, PositionCost>;
  reported: Reported;
}

/** What one model makes of the picture. */
export interface ModelCost {
  resized: number[];
  patch_grid: number[];
  token_grid: number[];
  tokens: number;
}

/** Resized size, patch grid and visual tokens of a picture, by published model. */
export interface TourCost {
  size: number[];
  models: Record<string, ModelCost>;
}

/** Mean distance, entropy and share on itself of every layer and head, (layers, heads), of one frame's patches. */
export interface VisionHeads {
  distance: Packed;
  entropy: Packed;
  own: Packed;
  even_distance: number;
  even_entropy: number;
  queries: number;
  start: number[];
}

/** How alike the position code holds a patch and every other of its frame, (rows, columns), -1 to 1. */
export interface VisionPlaces {
  place: number;
  grid: number[];
  values: Packed;
  least: number;
  most: number;
  stretched: number | null;
}

/** Where one patch looks, or, with "column", the weight it has in every patch's row. */
export interface VisionRow {
  max: number;
  max_index: number;
  media: number;
  patch: number;
  place: number;
  layer: number;
  head: Choice;
  column: boolean;
  grid: number[];
  values: Packed;
  half: number[];
  own: number;
  total: number;
  distance: number;
  entropy: number;
  even: number;
}

/** What the page needs of a file to show it and to ask about it. */
export interface PlannedFile {
  id: string;
  name: string | null;
  size: number[];
  kind: string;
  frames?: number;
  fps?: number;
}

/** Finished runs to show, by letter; of a page saved as one file with the selection, as its address writes it. */
export interface RunsMessage {
  kind: "runs";
  turn: string;
  runs: Record<string, string>;
  outside: boolean;
  sentence: string | Sentence | null;
  line?: string;
}

/** A button under a failure: its words, and what the page does when it is pressed. */
export interface WayOut {
  label: string;
  action: string;
}

/** What went wrong as the page says it. */
export interface Failure {
  title: string;
  sentence: string | Sentence;
  way_out: WayOut | null;
}

/** The state of one model's column while it answers; each update holds all that came before. */
export interface Update {
  letter: string;
  state: string;
  step: string;
  progress: number;
  pieces: string[];
  run: string | null;
  error: Failure | null;
}

/** How the answers of one turn go: the last update of each letter. */
export interface AskingMessage {
  kind: "asking";
  turn: string;
  outside: boolean;
  finished: boolean;
  A?: Update;
  B?: Update;
}

/** The answer to each question that the page asks, by the question's name. */
export interface Answers {
  run: RunPayload;
  example: Record<string, string>;
  figure: Figure;
  planner_plan: PlannerPage;
  planner_crop: Crop;
  planner_picture: Picture;
  planner_table: PlannerTable;
  planner_convert: ConvertedPlaces;
  map: MapRow;
  shares: Shares;
  adapter: AdapterRow;
  adapter_sheet: AdapterSheet;
  picture: Picture;
  resized: Picture;
  pipeline: Pipeline;
  boxes: Boxes;
  clip_time: ClipTime;
  clip_longer: ClipLonger;
  filmstrip: Filmstrip;
  twins: ConvolutionComparison;
  causes: CausesTold;
  causes_curves: CausesCurves;
  maps_ahead: MapsAhead;
  statistics: Statistics;
  patch_readers: PatchReaders;
  reading: Reading;
  agreement: MapAgreement;
  adapter_statistics: AdapterStatistics;
  adapter_code: AdapterCode;
  merger: Merger;
  lens: LensTable;
  lens_token: LensToken;
  lens_word: LensWord;
  rebuilt: Rebuilt;
  token_pixels: Picture;
  positions_by: PositionsBy;
  position_facts: PositionFacts;
  tour_cost: TourCost;
  vision_heads: VisionHeads;
  vision_places: VisionPlaces;
  vision_row: VisionRow;
}
