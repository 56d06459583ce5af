// The page in Chinese: one table a part of the page, from the English sentence to the Chinese one, gaps by name.

import adapter from "../views/adapter/zh.js";
import bar from "../rail/zh_topbar.js";
import boxes from "../views/boxes/zh.js";
import causes from "../views/causes/zh.js";
import drawing from "../drawing/zh.js";
import exported from "../shell/zh_export.js";
import inspector from "../shell/zh.js";
import models from "../rail/zh_models.js";
import layers from "../views/layers/zh.js";
import page from "../shell/zh_page.js";
import patches from "../views/patches/zh.js";
import pipeline from "../views/pipeline/zh.js";
import positions from "../views/positions/zh.js";
import planner from "../planner/zh.js";
import rail from "../rail/zh.js";
import server from "./zh_server.js";
import tour from "../tour/zh.js";
import vision from "../views/vision/zh.js";
import answer from "../views/answer/zh.js";

export const ZH = Object.assign(
  {},
  planner,
  adapter,
  bar,
  boxes,
  causes,
  drawing,
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
  answer,
);
