"""What a script is told of a run."""

from __future__ import annotations

from pathlib import Path

import qwenvl
from qwenvl.inference.report import row_report

PICTURE = str(Path(__file__).parents[2] / "app" / "examples" / "shapes.png")


def test_a_row_before_the_picture_has_none_of_it() -> None:
    run = qwenvl.load("tiny-qwen2-vl").run(
        [{"role": "user", "content": [{"type": "image", "image": PICTURE}, {"type": "text", "text": "Hi?"}]}],
        answer="a",
    )
    first = int(run.visual[0][0])
    assert row_report(run, "language", layer=0, query=first - 1)["share"] == 0
    assert 0 < row_report(run, "language", layer=0, query=first)["share"] <= 1
