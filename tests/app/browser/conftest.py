"""The page, served in this process over the shipped checkpoints, and a visitor who drives it in Chromium."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from app.asking.conversation import Conversation, Settings
from app.page.page import launch
from app.serving.session import Session
from viz.theme import overlay

ANSWERED = """(before) => {
  const { busy, runs } = window.__inspector.state;
  return !busy && runs.A && runs.B && runs.A.id !== before.A && runs.B.id !== before.B;
}"""
READY = "() => { const s = window.__inspector?.state; return s && s.runs.A && s.runs.B && !s.busy; }"
TIMEOUT = 60_000
RENDERER_NOISE = ("GPU stall due to ReadPixels", "willReadFrequently")

# Colour of the pixel in the middle of every cell that the browser painted, row by row.
READ_CELLS = """([letter, rows, columns, layer]) => {
  const { xs, ys, overlay, base } = window.__inspector.drawn[letter].drawn;
  const canvas = layer === "base" ? base : overlay;
  const context = canvas.getContext("2d");
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
  const found = [];
  for (let row = 0; row < rows; row += 1)
    for (let column = 0; column < columns; column += 1) {
      const x = Math.floor((xs[column] + xs[column + 1]) / 2);
      const y = Math.floor((ys[row] + ys[row + 1]) / 2);
      found.push(...pixels.slice(4 * (y * canvas.width + x), 4 * (y * canvas.width + x) + 4));
    }
  return found;
}"""


class Visitor:
    """A page in a browser, with everything it asked of the network and said on the console."""

    def __init__(self, page: Any, url: str, session: Session) -> None:
        self.page = page
        self.url = url
        self.session = session
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.set_default_timeout(TIMEOUT)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, said: Any) -> None:
        """Note a complaint, but for those of the browser's software renderer about plotly's 3-D drawing."""
        if said.type in ("error", "warning") and not any(noise in said.text for noise in RENDERER_NOISE):
            self.complaints.append(said.text)

    @property
    def outside(self) -> list[str]:
        """Requests that left this machine's server."""
        return [url for url in self.requests if not url.startswith((self.url, "data:", "blob:"))]

    def open(self, query: str = "") -> None:
        self.page.goto(self.url + query)
        self.wait()

    def wait(self) -> None:
        """Until both answers stand."""
        self.page.wait_for_function(READY)

    def upload(self, *paths: Path, button: str = "Replace") -> None:
        self.page.get_by_test_id(f"{button}-upload-button").set_input_files([str(path) for path in paths])
        self.page.wait_for_function(
            "(name) => [...document.querySelectorAll('[data-part~=media-name], [data-part~=rail-error]')]"
            ".some((element) => element.textContent.includes(name))",
            arg=paths[-1].name,
        )

    def ask(self, question: str | None = None) -> None:
        """Ask both models and wait for the answers."""
        if question is not None:
            self.page.fill("#question textarea", question)
        before = self.state("selection.run")
        self.page.click("#ask")
        self.answered(before)

    def answered(self, before: dict[str, str]) -> None:
        """Until both columns show other runs than before."""
        self.page.wait_for_function(ANSWERED, arg=before)

    def until(self, selector: str, words: str) -> None:
        """Wait until an element of this selector says these words, and no others."""
        self.page.wait_for_function(
            "([selector, words]) => [...document.querySelectorAll(selector)].some((e) => e.textContent === words)",
            arg=[selector, words],
        )

    def state(self, path: str) -> Any:
        return self.page.evaluate(f"() => window.__inspector.state.{path}")

    def select(self, **patch: Any) -> None:
        """Change the selection as a gesture would, then wait for both maps."""
        self.page.evaluate("(patch) => window.__inspector.select(patch)", patch)
        self.settle()

    def settle(self) -> None:
        """Until the maps on screen are those of the selection, and every answer that a view asked for is drawn."""
        self.page.wait_for_function("() => window.__inspector.quiet()")

    def address(self) -> str:
        """The address once it says the selection: it follows when the page has stood still for a moment."""
        self.page.wait_for_function("() => window.__inspector.addressed()")
        return str(self.page.url)

    def view(self, name: str) -> None:
        self.page.get_by_role("tab", name=name).click()
        self.page.wait_for_function("(name) => window.__inspector.state.selection.view === name", arg=name.lower())
        self.settle()

    def part(self, name: str, letter: str | None = None) -> Any:
        """A part of the page by its `data-part`, of one model's column if a letter is given."""
        return self.page.locator(f"[data-part~={name}]" + (f'[data-letter="{letter}"]' if letter else ""))

    def word(self, letter: str, index: int) -> Any:
        return self.part("head-card", letter).locator(f'[data-part~=word][data-word="{index}"]')

    def run(self, letter: str) -> Any:
        """The library's own run that this column shows."""
        return self.session.store.get(self.state(f"selection.run.{letter}")).run

    def painted(self, letter: str, grid: tuple[int, int], layer: str = "overlay") -> NDArray[np.float64]:
        """RGBA of every cell as the browser drew it, (rows, columns, 4), 0..1."""
        values = self.page.evaluate(READ_CELLS, [letter, *grid, layer])
        return np.asarray(values, dtype=float).reshape(*grid, 4) / 255

    def sentence(self) -> str:
        """The status line."""
        return str(self.page.locator("#inspector [data-part~=status-sentence]").inner_text())


def assert_painted(drawn: NDArray[np.float64], values: Any, maximum: float) -> None:
    """What the browser drew is the map, cell for cell: its opacity everywhere, its colour where it can be seen."""
    expected = overlay(np.asarray(values, dtype=float), maximum=maximum)
    np.testing.assert_allclose(drawn[..., 3], expected[..., 3], atol=1.5 / 255)
    seen = expected[..., 3] > 0.2
    np.testing.assert_allclose(drawn[seen][:, :3], expected[seen][:, :3], atol=6 / 255)


@pytest.fixture(scope="session")
def painted_as() -> Callable[..., None]:
    return assert_painted


@pytest.fixture(scope="session")
def served(tiny_session: Session) -> Iterator[str]:
    """Address of the page."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    app, url, _ = launch(tiny_session, prepare=False, server_port=port, prevent_thread_lock=True, quiet=True)
    yield url
    app.get_blocks().close()


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def context(browser: Any) -> Iterator[Any]:
    """One browser profile for all visitors, so that the page's scripts are fetched and compiled once."""
    context = browser.new_context(color_scheme="light")
    yield context
    context.close()


@pytest.fixture
def visit(context: Any, served: str, tiny_session: Session) -> Iterator[Callable[..., Visitor]]:
    """Open a page, on which nothing is loaded yet: `visit(width=1440, height=1000)`."""
    with contextlib.ExitStack() as stack:

        def arrive(width: int = 1440, height: int = 1000) -> Visitor:
            page = context.new_page()
            stack.callback(page.close)
            page.set_viewport_size({"width": width, "height": height})
            return Visitor(page, served, tiny_session)

        yield arrive


@pytest.fixture
def visitor(visit: Callable[..., Visitor]) -> Visitor:
    """A visitor on a desktop, the first screen loaded."""
    arrived = visit()
    arrived.open()
    return arrived


@pytest.fixture
def kept(tiny_session: Session) -> Callable[..., dict[str, str]]:
    """Look inside given answers, keep the runs, answer their ids: `kept({"A": "the cat", "B": "the dog"}, picture)`."""

    def keep(answers: dict[str, str], *pictures: Path, question: str = "What is this?") -> dict[str, str]:
        conversation = Conversation().asking(question, [str(path) for path in pictures])
        ids = {}
        for letter, answer in answers.items():
            pipeline = tiny_session.pipeline(letter)
            settings = Settings(max_pixels=448 * 448)
            run = pipeline.run(conversation.messages(letter), answer=answer, max_pixels=settings.max_pixels)
            finished = tiny_session._finish(letter, pipeline, run, conversation, settings)
            ids[letter] = tiny_session.store.pin(finished)
        return ids

    return keep


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo of a visitor's own: no example, and of a size that both models must change."""
    ramp = np.linspace(0, 255, 300 * 420).reshape(300, 420)
    pixels = np.stack([ramp, ramp[::-1], np.full_like(ramp, 90)], axis=-1).astype(np.uint8)
    path = tmp_path / "photo.png"
    Image.fromarray(pixels).save(path)
    return path
