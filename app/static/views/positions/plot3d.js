// The interactive 3-D plot of (t, h, w): plotly's own bundled script, served by this page, drawing a figure made in viz.

import { said } from "../../language/i18n.js";
import { el, isDark, token } from "../../core/dom.js";

/** @import { Context, Run } from "../../core/types.d.ts" */

/**
 * What of Plotly is used, and what it makes of an element.
 * @typedef {object} Plotly
 * @property {(box: HTMLElement, data: object[], layout: object, config: object) => Promise<unknown>} react
 */

/** @typedef {{ points: { customdata?: unknown }[] }} PlotEvent */

/** @typedef {HTMLDivElement & { on(name: string, act: (event: PlotEvent) => void): void }} Plotted */

/** @type {Promise<Plotly> | null} */
let script = null;

/** @returns {Promise<Plotly>} */
function loadPlotly() {
  if (window.Plotly) return Promise.resolve(window.Plotly); // a page saved as one file brings it along
  script ??= new Promise((resolve, reject) => {
    const node = el("script", { src: new URL("plotly.min.js", document.baseURI).href });
    node.onload = () => (window.Plotly ? resolve(window.Plotly) : reject(new Error("plotly")));
    node.onerror = () => reject(new Error("plotly"));
    document.head.append(node);
  });
  return script;
}

const CONFIG = {
  displaylogo: false,
  responsive: true,
  modeBarButtonsToRemove: ["toImage", "orbitRotation", "resetCameraLastSave3d"],
};

/** @param {Run} run @param {number} index */
const chosen = (run, index) => ({
  type: "scatter3d",
  mode: "markers",
  name: "chosen",
  showlegend: false,
  hoverinfo: "skip",
  x: [run.positions[2][index]],
  y: [run.positions[1][index]],
  z: [run.positions[0][index]],
  marker: { size: 13, symbol: "square-open", color: token("--q"), line: { width: 4, color: token("--q") } },
});

/** @param {Context} ctx @param {{ onhover(token: number | null): void, onpick(token: number): void }} gestures */
export function createPlot3d(ctx, { onhover, onpick }) {
  const box = /** @type {Plotted} */ (el("div", { class: "plot3d", "data-part": "plot3d" }));
  const note = el("p", { class: "faint", text: "Drawing the plot." });
  const root = el("div", { class: "plot3d-frame" }, box, note);
  /** @type {string | null} */
  let drawn = null;
  let listening = false;

  function listen() {
    if (listening) return;
    listening = true;
    /** @type {(act: (token: number) => void) => (event: PlotEvent) => void} */
    const withToken = (act) => (event) => {
      const token = event.points[0]?.customdata;
      if (typeof token === "number" && Number.isInteger(token)) act(token);
    };
    box.on("plotly_hover", withToken(onhover));
    box.on("plotly_unhover", () => onhover(null));
    box.on("plotly_click", withToken(onpick));
  }

  /** @param {Run} run @param {number | null} query @param {string} key */
  async function draw(run, query, key) {
    const answer = await ctx.client.fetchOnce("figure", { run: run.id, name: "positions_3d", dark: isDark() });
    if ("error" in answer) {
      note.textContent = said(answer.error);
      return;
    }
    const Plotly = await loadPlotly();
    if (drawn !== key) return;
    const { data, layout } = answer;
    const marked = query !== null && query < run.answer_start ? [chosen(run, query)] : [];
    await Plotly.react(
      box,
      [...data, ...marked],
      { ...layout, autosize: true, height: box.clientHeight || 300 },
      CONFIG,
    );
    note.hidden = true;
    listen();
  }

  return {
    root,
    update(/** @type {Run} */ run, /** @type {number | null} */ query) {
      const key = [run.id, query, isDark()].join();
      if (drawn === key) return;
      drawn = key;
      draw(run, query, key).catch(() => {
        note.hidden = false;
        note.textContent =
          "The plot could not be drawn: this browser offers no WebGL. The lanes above hold the same ids.";
      });
    },
  };
}
