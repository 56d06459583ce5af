// What Python tells the rail: see app/page/events.py and app/costs. It comes as the value of a Gradio component, with no
// TypedDict in Python as yet, so that no test holds these to it.

import type { ClipSampling, Sentence } from "../core/types.d.ts";

/** One setting with which a question fits. */
export interface Offer {
  keep?: string;
  dtype?: string;
  nframes?: number;
  fps?: number;
  pictures?: number;
  max_pixels?: number;
}

/** What a picture or clip becomes. */
export interface PlannedMedia {
  name: string;
  kind: "image" | "video";
  size: number[];
  resized: number[];
  token_grid: number[];
  tokens: number;
  limit: string | null;
  effect: Sentence | null;
  note: Sentence | null;
  sampling: ClipSampling | null;
}

/** What a model would cost before it is asked. */
export interface Forecast {
  family: string;
  media: PlannedMedia[];
  prompt_tokens: number;
  context: number;
  fits: boolean;
  sentence: Sentence | null;
  shorter: Offer | null;
  refusal: { sentence: Sentence; offer: Offer | null } | null;
  weights: number;
  bytes_a_value: number;
  loaded: boolean;
  keeps: number;
  kept: Record<string, number[]>;
  cache: number;
  work: number;
  seconds: { read: number; token: number; replay: number; measured: boolean };
}

export type Forecasts = Record<string, Forecast>;

/** min_pixels and max_pixels, as the rail's fields hold them. */
export interface PixelBudget {
  min: number;
  max: number;
}

/** What is known of the question as it stands in the rail: the news "inspector-draft". */
export interface Draft {
  question: string;
  thumbnail: string | null;
  budget: PixelBudget;
  forecast: Forecasts;
  clips: boolean;
  follows: boolean;
  stale: Sentence | null;
  kept_otherwise: boolean;
  error?: Sentence;
}

/** A picture or clip of the question in the rail. */
export interface MediaItem {
  name: string;
  kind: "image" | "video";
  size: number[];
  thumbnail: string;
  locked: boolean;
  note?: Sentence | null;
}

export interface ClipItem extends MediaItem {
  seconds: number;
  frames: number;
}

/** Which frames of a clip are taken; null for the preset's. */
export interface ClipOptions {
  preset?: string;
  fps?: number | null;
  nframes?: number | null;
  pictures?: number | null;
}

/** A chip of the top bar. */
export interface Example {
  name: string;
  label: string;
  kind: string;
  question: string;
  thumbnail: string | null;
}

/** What the top bar shows; `demo` where the shipped checkpoints are on show. */
export interface Bar {
  examples?: Example[];
  selected?: string | null;
  badge?: Sentence;
  demo?: boolean;
  measured?: MeasuredTable | null;
}

/** How often the weights are right: a table in words. */
export interface MeasuredTable {
  columns: Sentence[];
  rows: Sentence[][];
  notes: Sentence[];
}

/** A model that can be chosen; of one typed as a hub id no more than that is known. */
export interface OfferedModel {
  label: string;
  title?: string;
  size_label?: string;
}

/** The model of a column, and the number format of its weights. */
export interface ChosenModel {
  label: string;
  dtype: string;
}
