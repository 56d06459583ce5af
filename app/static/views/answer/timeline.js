// A clip through time: its seconds, the frames that were taken, the tubes they are fused into, and how much of the
// chosen row falls on each tube; a scrubber that moves every picture of the page.

import { el, refill, svg } from "../../core/dom.js";
import { said, say } from "../../language/i18n.js";
import { count, lasting, percent } from "../../language/numbers.js";
import { cellInTime, framesOfCell, isClip, secondsOf, sharesInTime, timekeeper } from "../../state/time.js";
import { createScrubber } from "../../drawing/scrubber.js";
import { across, chart, text, upright } from "../../drawing/chart.js";

/** @import { Attended, Context, Filmstrip, Media, Run, Selection, State } from "../../core/types.d.ts" */

/** @typedef {{ x: number, y: number, width: number, height: number }} Box pixels of the drawing */

/** @typedef {"axis" | "frames" | "tubes" | "bars"} RowName */

/**
 * Where the rows of the drawing stand.
 * @typedef {{ narrow: boolean, x: number, y: Record<RowName, number>, width: number, height: number }} Layout
 */

const LABELS = 100; // pixels for the names of the rows, on a wide card
const NARROW = 560;
const THUMBS = 12;
const ROW = { axis: 26, frames: 46, tubes: 26, bars: 62 };
const GAP = 8;

// What fits beside one another: all frames, or as many as there is room for, evenly chosen.
/** @param {number} total @param {number} room @returns {number[]} */
function shownFrames(total, room) {
  const most = Math.max(2, Math.min(THUMBS, Math.floor(room / 54)));
  if (total <= most) return Array.from({ length: total }, (_, index) => index);
  return Array.from({ length: most }, (_, index) => Math.round((index * (total - 1)) / (most - 1)));
}

const CLOCK = [0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14_400]; // seconds

// A round step of at most eight to a clip: of decimals below a second, of the clock above.
/** @param {number} seconds @returns {number} */
function nice(seconds) {
  const scale = 10 ** Math.floor(Math.log10(seconds));
  const decimal = seconds < 1 || seconds > 30 * 3600;
  const steps = decimal ? [0.2, 0.5, 1, 2].map((part) => part * scale) : CLOCK;
  return steps.find((step) => seconds / step <= 8) ?? steps[steps.length - 1];
}

/** @param {{ x: number, y: number, width: number }} box @param {number} lasts */
function axis(box, lasts) {
  const step = nice(lasts);
  const at = (/** @type {number} */ seconds) => box.x + (box.width * seconds) / lasts;
  /** @type {SVGElement[]} */
  const nodes = [across(box.x, box.x + box.width, box.y, "chart-axis")];
  for (let tick = 0; tick <= lasts + 1e-9; tick += step) {
    nodes.push(upright(at(tick), box.y - 5, box.y, "chart-axis"));
    const last = lasts - tick < step / 2;
    if (!last)
      nodes.push(
        text(
          at(tick),
          box.y - 8,
          Number(tick.toPrecision(6)).toLocaleString("en-US", { maximumSignificantDigits: 6 }),
          "tick",
          tick ? "middle" : "start",
        ),
      );
  }
  nodes.push(text(box.x + box.width, box.y - 8, `${lasting(lasts)} s`, "tick", "end"));
  return { nodes, at };
}

/** @param {Box} box @param {Media} media @param {number[]} shown @param {(seconds: number) => number} at */
function frameRow(box, media, shown, at) {
  const width = box.width / shown.length;
  return shown.flatMap((frame, place) => {
    const middle = box.x + width * (place + 0.5);
    const seconds = media.times[frame];
    const leader =
      seconds === undefined
        ? []
        : [
            svg("polyline", {
              points: `${at(seconds)},${box.y - 16} ${at(seconds)},${box.y - 12} ${middle},${box.y - 2}`,
              class: "leader",
            }),
          ];
    return leader;
  });
}

/** @param {Box} box @param {number} cells @param {number} cell @returns {Box} */
function tubeBox(box, cells, cell) {
  const width = box.width / cells;
  const gap = Math.min(6, width * 0.12);
  return { x: box.x + cell * width + gap / 2, width: Math.max(1, width - gap), y: box.y, height: box.height };
}

/** @param {Box} box @param {Media} media @param {number} chosen */
function tubeRow(box, media, chosen) {
  const [cells, rows, columns] = media.token_grid;
  const [t] = media.first_position;
  const tubes = framesOfCell(media) > 1;
  return Array.from({ length: cells }, (_, cell) => {
    const place = tubeBox(box, cells, cell);
    const id = tubes ? `t ${t + cell}` : say("picture {n}", { n: cell + 1 });
    const group = svg(
      "g",
      { class: `tube${cell === chosen ? " chosen" : ""}`, "data-cell": cell },
      svg("rect", {
        x: place.x,
        y: place.y,
        width: place.width,
        height: place.height,
        rx: Math.min(5, place.width / 4),
      }),
      svg("title", {}, `${id} · ${secondsOf(media, cell)} · ${say("{n} tokens", { n: count(rows * columns) })}`),
    );
    if (place.width > 30) group.append(text(place.x + 8, place.y + 17, id, tubes ? "id-t" : "tube-name"));
    if (place.width > 108)
      group.append(
        text(
          place.x + place.width - 8,
          place.y + 17,
          say("{n} tokens", { n: count(rows * columns) }),
          "tube-tokens",
          "end",
        ),
      );
    return group;
  });
}

/** @param {Box} box @param {number[]} shares @param {number} chosen */
function barRow(box, shares, chosen) {
  const most = Math.max(...shares, 1e-12);
  const base = box.y + box.height;
  return shares.flatMap((share, cell) => {
    const place = tubeBox(box, shares.length, cell);
    const height = Math.max(1, (share / most) * (box.height - 18));
    const name = `bar${cell === chosen ? " chosen" : ""}`;
    const words = place.width > 44 || cell === chosen ? [percent(share)] : [];
    const middle = Math.min(box.x + box.width - 22, Math.max(box.x + 22, place.x + place.width / 2));
    return [
      svg("rect", { x: place.x, y: base - height, width: place.width, height, class: name, "data-cell": cell }),
      across(place.x, place.x + place.width, base - height, `${name} edge`),
      ...words.map((word) =>
        text(middle, base - height - 5, word, `share${cell === chosen ? " chosen" : ""}`, "middle"),
      ),
    ];
  });
}

// How many frames were taken, and how many of them there is room to draw.
/** @param {number} frames @param {number} drawn */
function taken(frames, drawn) {
  const words = { n: count(frames), drawn: count(drawn) };
  return drawn < frames ? say("{n}, {drawn} drawn", words) : say("{n} sampled", words);
}

/** @param {Record<RowName, number>} rows @param {Media} media @param {boolean} narrow @param {number} drawn */
function rowNames(rows, media, narrow, drawn) {
  if (narrow) return [];
  const { sampling } = media;
  const frames = sampling ? sampling.indices.length : media.frames;
  const tubes = framesOfCell(media) > 1;
  /** @param {number} y @param {string} name @param {string} [rest] */
  const two = (y, name, rest) => [text(0, y, name, "row-name"), ...(rest ? [text(0, y + 14, rest, "row-note")] : [])];
  return [
    ...two(rows.axis - 6, say("seconds")),
    ...two(
      rows.frames + 16,
      taken(frames, drawn),
      sampling?.total_frames
        ? say("of {total}, {rate} a second", {
            total: count(sampling.total_frames),
            rate: short(sampling.effective_fps),
          })
        : "",
    ),
    ...two(
      rows.tubes + 11,
      tubes
        ? say("{n} tubes", { n: count(media.token_grid[0]) })
        : say("{n} pictures", { n: count(media.token_grid[0]) }),
      tubes ? say("two frames each") : say("no time"),
    ),
    ...two(rows.bars + ROW.bars - 22, say("attention"), say("share of the row")),
  ];
}

/** @param {number} width @returns {Layout} */
function layOut(width) {
  const narrow = width < NARROW;
  const x = narrow ? 0 : LABELS;
  const axis = 18;
  const frames = axis + 18;
  const tubes = frames + ROW.frames + GAP;
  const bars = tubes + ROW.tubes + 4;
  return { narrow, x, y: { axis, frames, tubes, bars }, width: width - x - 2, height: bars + ROW.bars + 2 };
}

/** @param {number} value */
const short = (value) => Number(value.toPrecision(3)).toLocaleString("en-US", { maximumSignificantDigits: 3 });

// How fast frames pass: in the file, to the model, and as tubes.
/** @param {Media} media */
function rates(media) {
  if (!media.sampling) return say("{n} frames, as they were given", { n: count(media.frames) });
  const { fps, effective_fps: rate } = media.sampling;
  const tubes = rate / framesOfCell(media);
  const words = { fps: short(fps), rate: short(rate), tubes: short(tubes) };
  const begin = say("{fps} frames a second in the file, {rate} a second to the model", words);
  return framesOfCell(media) > 1 ? begin + say(", as tubes {tubes} a second", words) : begin;
}

/** @param {Context} ctx */
export function createTimeline(ctx) {
  const title = el("h3", { text: say("From clip to tubes to attention") });
  const rate = el("span", {});
  const clamps = el("div", { class: "clamps" });
  const drawing = el("div", { class: "timeline-drawing" });
  const film = el("div", { class: "film", "aria-hidden": "true" });
  const scrubber = createScrubber(ctx);
  const root = el(
    "section",
    { class: "card timeline", "data-part": "timeline", hidden: true },
    el("div", { class: "title-line", "data-part": "title-line" }, title, rate),
    el("div", { class: "timeline-box" }, drawing, film),
    scrubber.root,
    clamps,
  );

  const go = (/** @type {number} */ frame) => ctx.store.select({ frame });
  /** @param {Event} event */
  const cellOf = (event) =>
    event.target instanceof Element ? event.target.closest("[data-cell]")?.getAttribute("data-cell") : null;
  drawing.addEventListener("click", (event) => cellOf(event) && go(Number(cellOf(event))));
  drawing.addEventListener("pointerover", (event) => {
    const cell = cellOf(event);
    if (event.pointerType === "mouse" && cell) ctx.store.preview({ frame: Number(cell) });
  });
  drawing.addEventListener("pointerleave", () => ctx.store.preview(null));

  /** @param {Run} run @param {Media} media @param {Attended | null} map @param {number} chosen */
  function draw(run, media, map, chosen) {
    const width = Math.floor(drawing.clientWidth || 600);
    const place = layOut(width);
    const lasts = media.sampling?.seconds ?? Math.max(1, (media.times.at(-1) ?? 0) + (media.times[1] ?? 1));
    const shown = shownFrames(media.frames, place.width);
    const asked = { run: run.id, media: media.index, frames: shown, height: 88 };
    const strip = ctx.client.resource("film", "filmstrip", asked, {
      group: `${run.id} ${media.index} ${shown.length}`,
    }).value;
    const key = [
      run.id,
      media.index,
      map?.row,
      map?.layer,
      map?.head,
      map?.rows?.join(),
      chosen,
      width,
      Boolean(strip),
    ];
    refill(film, [key, strip?.width], () => filmNodes(strip, media, shown, place));
    refill(drawing, [key, document.documentElement.lang], () => {
      const { nodes, at } = axis({ x: place.x, y: place.y.axis, width: place.width }, lasts);
      const row = (/** @type {RowName} */ name) => ({
        x: place.x,
        y: place.y[name],
        width: place.width,
        height: ROW[name],
      });
      return chart({ width, height: place.height, label: rates(media) }, [
        ...nodes,
        ...frameRow(row("frames"), media, shown, at),
        ...tubeRow(row("tubes"), media, chosen),
        ...(map ? barRow(row("bars"), sharesInTime(run, media, map), chosen) : []),
        ...rowNames(place.y, media, place.narrow, shown.length),
      ]);
    });
  }

  return {
    root,
    /** @param {State} state @param {Selection} selection */
    update(state, selection) {
      const letter = timekeeper(state, selection);
      const run = letter && state.runs[letter];
      const media = run?.media[selection.media];
      root.hidden = !isClip(media);
      scrubber.update(state, selection);
      if (!letter || !run || !media || root.hidden) return undefined;
      const { map } = ctx.mapResources(letter);
      const chosen = cellInTime(state, selection, letter);
      rate.textContent = `${letter} · ${rates(media)}`;
      refill(clamps, media.sampling?.clamps ?? [], () => clampNodes(media));
      return draw(run, media, selection.query[letter] === null ? null : map, chosen);
    },
  };
}

const SLIM = 48; // pixels of a frame below which its label stands across it

// Each frame in its own shape in the middle of its place; its label may be wider than it.
/** @param {Filmstrip | null} strip @param {Media} media @param {number[]} shown @param {Layout} place */
function filmNodes(strip, media, shown, place) {
  const each = place.width / shown.length;
  const drawn = strip ? (strip.width * ROW.frames) / strip.height : each;
  const width = Math.min(each - 4, drawn);
  /** @param {number} frame @param {number} index */
  const node = (frame, index) => {
    const seconds = media.times[frame];
    const left = place.x + each * index + (each - width) / 2;
    const box = el(
      "div",
      {
        class: `film-frame${width < SLIM ? " slim" : ""}`,
        style: { left: `${left}px`, width: `${width}px`, top: `${place.y.frames}px` },
      },
      seconds === undefined ? null : el("span", { text: `${seconds.toFixed(2)} s` }),
    );
    if (strip) {
      box.style.backgroundImage = `url("${strip.picture}")`;
      box.style.backgroundSize = `${drawn * shown.length}px ${ROW.frames}px`;
      box.style.backgroundPosition = `${(width - drawn) / 2 - index * drawn}px 0`;
    }
    return box;
  };
  return shown.map(node);
}

/** @param {Media} media */
const clampNodes = (media) =>
  (media.sampling?.clamps ?? []).map((clamp) => el("span", { class: "clamp amber", text: said(clamp.sentence) }));
