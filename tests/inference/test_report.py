"""What a script is told of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

import qwenvl
from qwenvl.errors import RunError
from qwenvl.inference.report import row_report
from tests.support.tiny import mixed_run

PICTURE = str(Path(__file__).parents[2] / "app" / "examples" / "shapes.png")


def test_a_row_before_the_picture_has_none_of_it() -> None:
    run = qwenvl.load("tiny-qwen2-vl").run(
        [{"role": "user", "content": [{"type": "image", "image": PICTURE}, {"type": "text", "text": "Hi?"}]}],
        answer="a",
    )
    first = int(run.visual[0][0])
    assert row_report(run, "language", layer=0, query=first - 1)["share"] == 0
    assert 0 < row_report(run, "language", layer=0, query=first)["share"] <= 1


def test_a_report_is_of_one_row() -> None:
    run = mixed_run("tiny-qwen-vl")
    with pytest.raises(RunError, match=r"^Say which query of 'language': a number from 0\.$"):
        row_report(run, "language", query=None, layer=0)  # type: ignore[arg-type] # as a script may post it
