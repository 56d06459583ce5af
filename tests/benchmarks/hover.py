"""How fast the page answers a hover: `python -m tests.benchmarks.hover` prints a table.

The page runs in this process over the shipped checkpoints, on a picture of 1,024 patches for Qwen2-VL, and a headless
Chromium points at things. A time runs from the pointer's event to the animation frame in which the new map is painted
and nothing is awaited any more; frames come every 16.7 ms.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from app.page.page import launch
from app.serving.session import Session
from tests.support.kept import keep

ANSWER = "a purple triangle, a yellow cross and a green diamond on a cyan background"
READY = "() => { const s = window.__inspector?.state; return s && s.runs.A && s.runs.B && !s.busy; }"

# Points at each of some targets in turn; milliseconds to each one's painted map.
TIMED = """async ({ kind, letter, times }) => {
  const inspector = window.__inspector;
  const frame = () => new Promise(requestAnimationFrame);
  const event = (node, name, more) =>
    node.dispatchEvent(new PointerEvent(name, { bubbles: true, pointerType: "mouse", ...more }));
  const at = (node, x, y) => {
    const box = node.getBoundingClientRect();
    return { clientX: box.left + x * box.width, clientY: box.top + y * box.height };
  };
  const targets = {
    word: (turn) => {
      const words = document.querySelectorAll(`.head-card[data-letter="${letter}"] .word`);
      event(words[(turn * 3) % words.length], "pointerover");
    },
    place: (turn) => {
      const stage = document.querySelector(`.stage[data-letter="${letter}"]`);
      event(stage, "pointermove", at(stage, ((turn * 7) % 31) / 31 + 0.01, ((turn * 5) % 29) / 29 + 0.01));
    },
    cell: (turn) => {
      const cells = document.querySelectorAll(`.detail-cell[data-letter="${letter}"] .matrix-cell`);
      event(cells[(turn * 3) % cells.length], "pointerover");
    },
    token: (turn) => {
      const ribbon = document.querySelector(`.ribbon-cell[data-letter="${letter}"] .ribbon`);
      event(ribbon, "pointermove", at(ribbon, ((turn * 11) % 97) / 97 + 0.003, 0.5));
    },
  };
  const found = [];
  for (let turn = 1; turn <= times; turn += 1) {
    const start = performance.now();
    targets[kind](turn);
    do await frame();
    while (!inspector.settled() && performance.now() - start < 5000);
    found.push(performance.now() - start);
    await new Promise((done) => setTimeout(done, 30));
  }
  inspector.actions.hoverPlace(null);
  return found;
}"""


def measure(page: Any, kind: str, letter: str, times: int) -> list[float]:
    return page.evaluate(TIMED, {"kind": kind, "letter": letter, "times": times})


def report(name: str, times: list[float]) -> None:
    ordered = sorted(times)
    late = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    print(f"| {name:<46} | {statistics.median(ordered):6.1f} | {late:6.1f} | {max(ordered):6.1f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=60)
    parser.add_argument("--chromium", default=os.environ.get("CHROMIUM", "/usr/bin/chromium"))
    options = parser.parse_args()
    session = Session()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "picture.png"
        Image.effect_noise((448, 448), 80).convert("RGB").save(path)
        ids = keep(session, {"A": ANSWER, "B": ANSWER}, [path])
        app, url, _ = launch(session, prepare=False, prevent_thread_lock=True, quiet=True)
        browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.goto(f"{url}?a={ids['A']}&b={ids['B']}")
        page.wait_for_function(READY)
        page.wait_for_timeout(2000)  # what is sent ahead arrives
        patches = session.store.get(ids["B"]).run.media[0].num_patches
        print(f"{patches:,} patches in B, {session.store.get(ids['A']).run.media[0].num_patches:,} in A; milliseconds")
        print(f"| {'hover':<46} | median |    p95 |    max |\n|{'-' * 48}|{'-' * 8}|{'-' * 8}|{'-' * 8}|")
        for letter in "AB":
            report(f"{letter}: a word, sent ahead", measure(page, "word", letter, options.times))
            report(f"{letter}: a place on the picture", measure(page, "place", letter, options.times))
            report(f"{letter}: a cell of the matrix, sent ahead", measure(page, "cell", letter, options.times))
            report(f"{letter}: a token of the prompt, from the server", measure(page, "token", letter, options.times))
        browser.close()
        app.get_blocks().close()


if __name__ == "__main__":
    main()
