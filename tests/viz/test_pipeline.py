"""Columns of steps hold their words, bars of time their milliseconds."""

from __future__ import annotations

import pytest
from matplotlib.text import Text

from viz.pipeline import pipeline_columns, time_bars

ROWS = [
    {"title": "Picture", "words": ["600 × 400"], "shape": (), "parameters": None, "seconds": 0.004},
    {"title": "Squashed", "words": [], "shape": (1, 1024), "parameters": 12_345, "seconds": None},
]


def test_every_step_is_printed_beside_its_twin() -> None:
    titles, marks = ["one", "two"], ["kept", "new"]
    figure = pipeline_columns([ROWS, ROWS], steps=["File", "Resize"], titles=titles, marks=marks, caption="Words.")
    said = [text.get_text() for text in figure.findobj(Text)]
    for words in ("Squashed", "600 × 400", "4.0 ms", "1 × 1,024", "12,345 parameters"):
        assert said.count(words) == 2
    assert {"File", "kept", "Resize", "new", "one", "two", "Words."} <= set(said)


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="2 steps"):
        pipeline_columns([ROWS[:1]], steps=["File", "Resize"])


def test_bars_are_milliseconds_in_order() -> None:
    figure = time_bars({"A": {"vision": 0.25}, "B": {"vision": 0.1, "rest": 0.002}}, names={"vision": "t", "rest": "r"})
    assert [trace.name for trace in figure.data] == ["t", "r"]
    assert list(figure.data[0].x) == [250.0, 100.0]
    assert list(figure.data[1].x) == [0.0, 2.0]
