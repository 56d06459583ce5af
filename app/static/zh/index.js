// The page in Chinese: one table a part of the page, from the English sentence to the Chinese one, gaps by name.

import adapter from "./adapter.js";
import bar from "./bar.js";
import boxes from "./boxes.js";
import causes from "./causes.js";
import exported from "./export.js";
import inspector from "./inspector.js";
import models from "./models.js";
import layers from "./layers.js";
import page from "./page.js";
import patches from "./patches.js";
import pipeline from "./pipeline.js";
import positions from "./positions.js";
import planner from "./planner.js";
import rail from "./rail.js";
import server from "./server.js";
import tour from "./tour.js";
import vision from "./vision.js";
import video from "./video.js";

export const ZH = Object.assign(
  {},
  planner,
  adapter,
  bar,
  boxes,
  causes,
  exported,
  inspector,
  models,
  layers,
  page,
  patches,
  pipeline,
  positions,
  rail,
  server,
  tour,
  vision,
  video,
);
