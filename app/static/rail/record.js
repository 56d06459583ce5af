// A clip from the camera: recorded by the browser itself, then given to the question as any other file. Nothing leaves
// this machine.

import { el, setText } from "../core/dom.js";
import { say } from "../language/i18n.js";
import { giveFiles } from "./media.js";

/** @import { Gradio } from "../core/types.d.ts" */

const MOST_SECONDS = 30;
const KINDS = ["video/webm;codecs=vp9", "video/webm;codecs=vp8", "video/webm", "video/mp4"];

const kindOf = () => KINDS.find((kind) => window.MediaRecorder?.isTypeSupported(kind));

/** @type {Record<string, string>} */
const REFUSED = {
  NotAllowedError: "The camera was not allowed; allow it in the browser, or give a file.",
  NotFoundError: "There is no camera here; give a file.",
};

/** @param {HTMLElement} element @param {Gradio<unknown>} gradio */
export function mount(element, { signal }) {
  /** @type {MediaStream | null} */
  let stream = null;
  /** @type {MediaRecorder | null} */
  let recorder = null;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;
  const video = el("video", { muted: true, playsinline: true, "aria-label": say("What the camera sees") });
  const clock = el("span", {});
  /** @param {string} text @param {() => void} act */
  const button = (text, act) => el("button", { type: "button", class: "link", text, onclick: act });
  const open = button(say("Record a clip"), start);
  const note = el("p", { class: "bites", role: "alert", hidden: true });
  const panel = el(
    "div",
    { hidden: true },
    video,
    el(
      "div",
      { class: "recorder-row" },
      button(say("Use the recording"), () => recorder?.stop()),
      clock,
      button(say("Cancel"), end),
    ),
  );
  element.replaceChildren(el("div", { class: "recorder" }, open, note, panel));
  open.hidden = !kindOf() || !navigator.mediaDevices;
  signal?.addEventListener("abort", end);

  /** @param {string | null} sentence */
  function tell(sentence) {
    note.hidden = !sentence;
    setText(note, sentence ? say(sentence) : "");
  }

  // Let the camera go; what was recorded and not used is forgotten.
  function end() {
    clearInterval(timer);
    if (recorder) recorder.onstop = null;
    if (recorder?.state === "recording") recorder.stop();
    stream?.getTracks().forEach((track) => track.stop());
    [stream, recorder] = [null, null];
    video.srcObject = null;
    panel.hidden = true;
    open.hidden = false;
  }

  async function start() {
    tell(null);
    let opened;
    try {
      opened = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 640 } }, audio: false });
    } catch (error) {
      tell(REFUSED[error instanceof Error ? error.name : ""] ?? "The camera could not be opened; give a file.");
      return;
    }
    stream = opened;
    video.srcObject = opened;
    video.play();
    panel.hidden = false;
    open.hidden = true;
    record(opened);
  }

  /** @param {MediaStream} filmed */
  function record(filmed) {
    /** @type {Blob[]} */
    const parts = [];
    const begun = Date.now();
    const recording = new MediaRecorder(filmed, { mimeType: kindOf() });
    recorder = recording;
    recording.ondataavailable = ({ data }) => data.size && parts.push(data);
    recording.onstop = () => {
      const ending = recording.mimeType.includes("mp4") ? "mp4" : "webm";
      const file = new File(parts, `recording.${ending}`, { type: recording.mimeType });
      end();
      giveFiles("#replace-media", [file]);
    };
    recording.start(500);
    timer = setInterval(() => {
      const seconds = (Date.now() - begun) / 1000;
      setText(clock, say("{seconds} of {most} s", { seconds: seconds.toFixed(1), most: MOST_SECONDS }));
      if (seconds >= MOST_SECONDS) recorder?.stop();
    }, 100);
  }
}
