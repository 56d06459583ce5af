"""A script that goes away before its answer lets the model go, as a page that is closed does."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import gradio as gr
import httpx
import pytest

from app.serving.api import register_api
from app.serving.session import Session
from qwenvl.inference.generate import generate

WAIT = 60.0  # seconds, on the busiest machine


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < deadline, "nothing happened for a minute"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def url(tiny_session: Session) -> Iterator[str]:
    with gr.Blocks(analytics_enabled=False) as blocks:
        register_api(tiny_session)
    _, url, _ = blocks.launch(prevent_thread_lock=True, quiet=True)
    yield url
    blocks.close(verbose=False)


@pytest.mark.parametrize("named", [True, False])
def test_a_closed_connection_ends_the_question(
    named: bool, url: str, tiny_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, said = threading.Event(), list[int]()

    def endless(*given: Any, **more: Any) -> Iterator[int]:
        """The model says its tokens over and over, slowly."""
        first = next(iter(generate(*given, **more)))
        while len(said) < 100_000:
            said.append(first)
            begun.set()
            time.sleep(0.01)
            yield first

    monkeypatch.setattr("qwenvl.inference.pipeline.generate", endless)
    body: dict[str, Any] = {"data": [[], "Hi?", "B", 2000, 0], **({"session_hash": "ann"} if named else {})}
    event = httpx.post(f"{url}gradio_api/call/ask", json=body).json()["event_id"]
    with httpx.stream("GET", f"{url}gradio_api/call/ask/{event}", timeout=WAIT):
        assert begun.wait(WAIT)
        assert tiny_session._asked
    wait_until(lambda: not tiny_session._asked)
    count = len(said)
    time.sleep(0.3)
    assert len(said) <= count + 1
