"""One question on its own thread: the reader hears of every end, also of a thread that dies."""

from __future__ import annotations

import pytest

from app.asking.asking import Asking
from app.asking.model_choice import ModelChoice


def asking() -> Asking:
    return Asking("ann", "A", ModelChoice("tiny-qwen-vl"))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # it is what is tried
def test_a_thread_that_dies_is_told() -> None:
    def work(asked: Asking) -> None:
        asked.tell("reading", "reading the question", 0.1)
        raise SystemExit  # ends a thread without a word

    updates = list(asking().read(work))
    assert [update["state"] for update in updates][-1] == "error"
    error = updates[-1]["error"]
    assert error is not None
    assert error["title"] == "No answer this time."


def test_what_was_told_before_the_end_is_read_first() -> None:
    def work(asked: Asking) -> None:
        asked.pieces.append("a")
        asked.tell("answering", "answering", 0.5)
        asked.tell("done", "done", 1.0, run="x")

    updates = list(asking().read(work))
    assert (updates[-1]["state"], updates[-1]["run"], updates[-1]["pieces"]) == ("done", "x", ["a"])
