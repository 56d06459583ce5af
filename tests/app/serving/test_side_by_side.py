"""Both models' updates in one stream, which ends when both have ended and stops both when it is closed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

from app.asking.conversation import Conversation, Settings
from app.serving.side_by_side import ask_both


class Scripted:
    """A session whose letters answer as they were told; counts the iterators that were closed."""

    letters = ("A", "B")

    def __init__(self, counts: dict[str, int], pause: float = 0.0) -> None:
        self.counts = counts
        self.pause = pause
        self.closed = threading.Semaphore(0)

    def ask(
        self, visitor: str, letter: str, conversation: Conversation, settings: Settings, model: Any
    ) -> Iterator[dict[str, Any]]:
        try:
            for number in range(self.counts[letter]):
                time.sleep(self.pause)
                yield {"letter": letter, "number": number}
        finally:
            self.closed.release()


def test_every_letter_ends_with_its_own_last_update() -> None:
    session = Scripted({"A": 3, "B": 5}, pause=0.01)
    *_, last = ask_both(session, "me", Conversation(), Settings())  # type: ignore[arg-type]
    assert {letter: update["number"] for letter, update in last.items()} == {"A": 2, "B": 4}


def test_a_letter_that_says_nothing_does_not_hold_the_other_up() -> None:
    *_, last = ask_both(Scripted({"A": 0, "B": 1}), "me", Conversation(), Settings())  # type: ignore[arg-type]
    assert set(last) == {"B"}


def test_closing_it_closes_both() -> None:
    session = Scripted({"A": 10_000, "B": 10_000}, pause=0.002)
    updates = ask_both(session, "me", Conversation(), Settings())  # type: ignore[arg-type]
    next(updates)
    updates.close()
    assert session.closed.acquire(timeout=60)
    assert session.closed.acquire(timeout=60)
