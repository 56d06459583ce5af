// The merge microscope: the four patches of one visual token, enlarged, and how they fold into it.

import { el, refill, setText } from "../../core/dom.js";
import { cellAt, cellBox } from "../../core/geometry.js";
import { say } from "../../language/i18n.js";
import { count } from "../../language/numbers.js";
import { mergeOf, numbersOf } from "../../drawing/patch_orders.js";

/** @import { Media, Place, Rebuilt, Run } from "../../core/types.d.ts" */

/** @typedef {{ row: number, column: number }} Cell */

/**
 * What the microscope looks at; the image is the token's own pixels, null while they are on their way.
 * @typedef {{ run: Run, index: number, frame: number, keys: Place | null, image: HTMLImageElement | null }} Looked
 */

const SIDE = 66; // CSS pixels of one patch
const FOLD_MS = 600;
const STEPS = ["apart", "joined", "token"];

// Where each patch stands at a step: as on the picture, end to end in a line, as one token.
/** @param {string} step @param {number} at */
function standing(step, at) {
  const [x, y] = [at % 2, Math.floor(at / 2)];
  if (step === "apart") return `translate(${x * (SIDE + 3)}px, ${y * (SIDE + 3)}px)`;
  const small = "scale(.5)";
  if (step === "joined") return `translate(${at * (SIDE / 2 + 1)}px, ${SIDE * 0.75}px) ${small}`;
  return `translate(${(x + 1) * (SIDE / 2)}px, ${(y + 1) * (SIDE / 2)}px) ${small}`;
}

function createFold() {
  const patches = [0, 1, 2, 3].map((at) => {
    const canvas = el("canvas", { width: 14, height: 14 });
    const number = el("b", {});
    return { canvas, number, root: el("div", { class: "fold-patch", "data-part": "fold-patch" }, canvas, number), at };
  });
  const token = el("span", { class: "fold-token" });
  const root = el(
    "div",
    { class: "fold", "data-part": "fold", "data-step": "apart" },
    ...patches.map((patch) => patch.root),
    token,
  );
  const stand = (/** @type {string} */ step) => {
    root.dataset.step = step;
    patches.forEach((patch) => (patch.root.style.transform = standing(step, patch.at)));
  };
  stand("apart");

  // Once, on request: 600 ms, or one step a press where motion is to be reduced.
  function play() {
    const now = STEPS.indexOf(root.dataset.step ?? STEPS[0]);
    if (now === STEPS.length - 1) return stand("apart");
    if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) return stand(STEPS[now + 1]);
    stand("token");
    patches.forEach((patch) =>
      patch.root.animate(
        STEPS.map((step) => ({ transform: standing(step, patch.at) })),
        { duration: FOLD_MS, easing: "ease-in-out" },
      ),
    );
    return undefined;
  }
  return { root, patches, token, stand, play };
}

/** @param {Run} run @param {number} index @param {Media} media @param {Cell} cell @param {number} frame */
function facts(run, index, media, cell, frame) {
  const merge = mergeOf(media);
  const first = numbersOf(run, index, [cell.row * merge, cell.column * merge], frame);
  const place = media.first_token + first.token;
  const side = media.resized[0] / media.patch_grid[2];
  const box = cellBox(cell.row, cell.column, media.size, media.token_grid).map(Math.round);
  const ids = run.positions.map((lane) => count(lane[place])).join(", ");
  return [
    [say("token"), say("{token}, cell ({row}, {column})", { token: count(first.token), ...cell })],
    [say("its rows"), say("{from} to {to}", { from: count(first.row), to: count(first.row + merge * merge - 1) })],
    [say("values a row"), `3 × 2 × ${side} × ${side} = ${count(6 * side * side)}`],
    [say("in the prompt"), count(place)],
    [say("its ids t, h, w"), `(${ids})`],
    [
      say("on the original"),
      say("{left}, {top} to {right}, {bottom}", { left: box[0], top: box[1], right: box[2], bottom: box[3] }),
    ],
  ];
}

export function createMicroscope() {
  const fold = createFold();
  const button = el("button", {
    type: "button",
    class: "fold-button",
    "data-part": "fold-button",
    onclick: () => press(),
  });
  const list = el("dl", { class: "facts" });
  const root = el("div", { class: "microscope" }, fold.root, list);

  function caption() {
    const last = fold.root.dataset.step === "token";
    setText(button, last ? say("Unfold") : say("▶ Fold into one token"));
  }
  function press() {
    fold.play();
    caption();
  }

  // `image` is the token's own pixels, as its rows of the model's input turn back into them.
  /** @param {HTMLImageElement} image */
  function paint(image) {
    fold.patches.forEach(({ canvas, at }) => {
      const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
      const [width, height] = [image.naturalWidth / 2, image.naturalHeight / 2];
      context.clearRect(0, 0, canvas.width, canvas.height);
      context.drawImage(
        image,
        (at % 2) * width,
        Math.floor(at / 2) * height,
        width,
        height,
        0,
        0,
        canvas.width,
        canvas.height,
      );
    });
  }

  let last = "";
  /** @type {HTMLImageElement | null} */
  let painted = null;
  return {
    root,
    button,
    /** @param {Looked} looked */
    update({ run, index, frame, keys, image }) {
      const media = run.media[index];
      const cell = cellAt(keys ?? [0.5, 0.5], media.token_grid);
      const stamp = [run.id, index, frame, cell.index].join();
      caption();
      fold.root.classList.toggle("late", !image);
      if (image && painted !== image) {
        painted = image;
        paint(image);
      }
      if (stamp === last) return;
      last = stamp;
      fold.stand("apart");
      caption();
      const merge = mergeOf(media);
      const { token } = numbersOf(run, index, [cell.row * merge, cell.column * merge], frame);
      setText(fold.token, say("token {token}", { token: count(token) }));
      fold.patches.forEach(({ number, at }) => {
        const numbers = numbersOf(
          run,
          index,
          [cell.row * merge + Math.floor(at / merge), cell.column * merge + (at % merge)],
          frame,
        );
        setText(number, count(numbers.row));
      });
      refill(list, facts(run, index, media, cell, frame), () =>
        facts(run, index, media, cell, frame).map(([name, value]) =>
          el("div", {}, el("dt", { text: name }), el("dd", { text: value })),
        ),
      );
    },
  };
}

// The proof: the resized picture, less the one rebuilt from the model's input.
export function createProof() {
  const [before, after] = [el("img", { alt: "" }), el("img", { alt: "" })];
  const [figure, words] = [el("b", {}), el("p", {})];
  const sum = el(
    "div",
    { class: "proof-sum" },
    before,
    el("span", { text: "−" }),
    after,
    el("span", { text: "=" }),
    figure,
    words,
  );
  const title = el("h3", {});
  const root = el("div", { class: "proof", "data-part": "proof" }, title, sum);
  return {
    root,
    /** @param {string} tensor @param {Rebuilt | null} answer */
    update(tensor, answer) {
      setText(title, say("Rebuilt from {tensor}", { tensor }));
      root.hidden = !answer;
      if (!answer) return;
      if (before.src !== answer.resized) [before.src, after.src] = [answer.resized, answer.picture];
      setText(figure, `${count(answer.differing)}`);
      figure.title = say("values that differ, of {values}", { values: count(answer.values) });
      setText(words, proofWords(answer));
    },
  };
}

/** @param {number} value */
const small = (value) => (value === 0 ? "0" : value < 0.001 ? value.toExponential(1) : value.toFixed(3));

/** @param {Rebuilt} answer */
function proofWords({ values, differing, maximum, mean }) {
  return say(
    "{differing} of {values} values differ. Before rounding: at most {maximum} of an 8-bit step, {mean} on average.",
    { differing: count(differing), values: count(values), maximum: small(maximum), mean: small(mean) },
  );
}
