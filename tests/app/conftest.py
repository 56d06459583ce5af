"""The two tiny checkpoints that ship, loaded once for all tests of the app."""

from __future__ import annotations

import time
from typing import Any

import pytest

from app.asking.asking import Asking
from app.serving.session import Session

PAUSE = 0.03  # seconds a token


@pytest.fixture(scope="session")
def tiny_session() -> Session:
    """A session of the real tiny models; its store is shared by the tests that use it."""
    return Session()


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers at the pace of a large model, so that a stop finds one under way on any machine."""
    tell = Asking.tell

    def slowly(self: Asking, state: str, step: str, progress: float, **more: Any) -> None:
        if state == "answering":
            time.sleep(PAUSE)
        tell(self, state, step, progress, **more)

    monkeypatch.setattr(Asking, "tell", slowly)
