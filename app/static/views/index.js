// Every view of the inspector, in the order of the data's way through the model.
//
// A view is a folder whose view.js exports
//   NAME                              its tab's words
//   SITE                              where the attention it shows happens: "vision", "adapter" or "language"
//   createView(ctx)                   { root, stages, update(state, selection) }; called once for each language
//   status(ctx, state, selection)     parts of the status line: [text, bold, text] each
//   SHOWS                             optional: what of the selection it shows besides the word, in `shows` of ../state/view_registry.js
//   letGo(chosen)                     optional: what Esc leaves of its CHOICES; null where nothing of its own is chosen
//   CHOICES                           optional: { name: initial } of what is chosen in this view alone (numbers, words,
//                                     null or booleans); held in selection[<view>], written into the address
//   figure(ctx, state, selection, root)  optional: fills `root`, at the right of the tabs, with the view's one figure
// Its other files (parts, styles, Chinese in zh.js) lie beside it; what two views use lies in ../drawing.

import * as adapter from "./adapter/view.js";
import * as answer from "./answer/view.js";
import * as boxes from "./boxes/view.js";
import * as causes from "./causes/view.js";
import * as layers from "./layers/view.js";
import * as patches from "./patches/view.js";
import * as pipeline from "./pipeline/view.js";
import * as positions from "./positions/view.js";
import * as vision from "./vision/view.js";

/** @type {Record<string, import("../core/types.d.ts").View>} */
export const VIEWS = {
  pipeline,
  patches,
  positions,
  adapter,
  vision,
  answer,
  layers,
  causes,
  boxes,
};
