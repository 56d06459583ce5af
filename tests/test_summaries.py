"""Results are shown in a few lines, whatever they hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qwenvl.summaries import LINES, Summary, described, html_table, shortened


@dataclass(repr=False)
class Many(Summary):
    """More fields than are shown."""

    one: object = 1
    two: object = "a\nb " * 200
    three: object = None
    four: object = None
    five: object = None
    six: object = None
    seven: object = None
    eight: object = None


def test_more_than_eight_lines_are_counted() -> None:
    lines = repr(Many(np.zeros((1000, 1000), dtype=np.float32))).splitlines()
    assert len(lines) == LINES
    assert lines[:2] == ["Many", "  one: float32 (1000, 1000)"]
    assert lines[-1] == "  ... and 2 more"
    assert max(map(len, lines)) < 120


def test_values_are_shortened_and_escaped() -> None:
    assert shortened("a  b\nc") == "a b c"
    assert shortened("abcdef", 4) == "abc…"
    assert described([1] * 1234) == "1,234 entries"
    assert described((1, 2)) == "(1, 2)"
    assert "&lt;script&gt;" in html_table("<script>", [("<script>", "<script>")])
    assert "<script>" not in html_table("<script>", [("<script>", "<script>")])
