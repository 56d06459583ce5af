"""A visitor leaves the page open and asks fifty questions: `python -m tests.benchmarks.staying` prints what is held.

After every tenth question, with words, places and heads hovered in between: the JavaScript heap after a collection, the
answers the page keeps, the runs the server keeps, and the server's own memory (resident, of this process).
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from app.asking.store import RunStore
from app.page.page import launch
from app.serving.session import Session

READY = "() => { const s = window.__inspector?.state; return s && s.runs.A && s.runs.B && !s.busy; }"
ANSWERED = """(before) => {
  const { busy, runs } = window.__inspector.state;
  return !busy && runs.A && runs.B && runs.A.id !== before.A && runs.B.id !== before.B;
}"""
WANDER = """async () => {
  const rest = () => new Promise((done) => setTimeout(done, 25));
  const over = (node) => node.dispatchEvent(new PointerEvent("pointerover", { bubbles: true, pointerType: "mouse" }));
  const some = (selector) => [...document.querySelectorAll(selector)].slice(0, 12);
  for (const node of [...some(".head-card .word"), ...some(".matrix-cell")]) { over(node); await rest(); }
  for (let x = 1; x < 9; x += 1) { window.__inspector.actions.hoverPlace([x / 10, x / 10]); await rest(); }
  window.__inspector.actions.hoverPlace(null);
}"""


def resident() -> float:
    """MiB of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def heap(page: Any, devtools: Any) -> float:
    """MiB of the page's JavaScript heap after a collection."""
    devtools.send("HeapProfiler.collectGarbage")
    return page.evaluate("() => performance.memory.usedJSHeapSize") / (1 << 20)


def ask(page: Any, question: str) -> None:
    page.fill("#question textarea", question)
    before = page.evaluate("() => window.__inspector.state.selection.run")
    page.click("#ask")
    page.wait_for_function(ANSWERED, arg=before)
    page.evaluate(WANDER)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=50)
    parser.add_argument("--chromium", default=os.environ.get("CHROMIUM", "/usr/bin/chromium"))
    options = parser.parse_args()
    session = Session(store=RunStore(visitor_bytes=64 << 20, total_bytes=128 << 20))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "picture.png"
        Image.effect_noise((448, 308), 80).convert("RGB").save(path)
        app, url, _ = launch(session, prepare=False, prevent_thread_lock=True, quiet=True)
        arguments = ["--no-sandbox", "--enable-precise-memory-info"]
        browser = playwright.chromium.launch(executable_path=options.chromium, args=arguments)
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.set_default_timeout(120_000)
        devtools = page.context.new_cdp_session(page)
        page.goto(url)
        page.wait_for_function(READY)
        page.get_by_test_id("Replace-upload-button").set_input_files(str(path))
        page.wait_for_timeout(1500)
        print("MiB; the store may keep 64 for one visitor\n| asked | JS heap | page keeps | store keeps | resident |")
        print("|-------|---------|------------|-------------|----------|")
        for number in range(options.questions + 1):
            if number:
                ask(page, f"What is shown here, number {number}?")
            if number % 10 == 0:
                kept = page.evaluate("() => window.__inspector.client.bytes") / (1 << 20)
                store = session.store.num_bytes / (1 << 20)
                print(
                    f"| {number:5} | {heap(page, devtools):7.1f} | {kept:10.1f} | {store:11.1f} | {resident():8.0f} |",
                    flush=True,
                )
        browser.close()
        app.get_blocks().close()


if __name__ == "__main__":
    main()
