"""The table of goals: every figure has the goal that is meant for it, and says whether it is reached."""

from __future__ import annotations

import pytest

from tests.benchmarks.goals import goal_of, is_reached, medians, table


@pytest.mark.parametrize(
    ("figure", "kind", "value"),
    [
        ("2B's widths, bfloat16, 256 visual tokens: reading over transformers", "at most", 1.0),
        ("ms of a row: vision, 16,384 patches, bfloat16", "at most", 10.0),
        ("ms of a row: 7B, language, 4,128 keys, float32", "at most", 2.0),
        ("peak of a traced pass over a plain one, 1,024 visual tokens", "at most", 1.15),
        ("a picture of 448 x 448: transformers over ours", "at least", 1.8),
        ("s of --help", "at most", 0.4),
        ("s from the start to the first page", "at most", 5.0),
    ],
)
def test_each_figure_has_its_goal(figure: str, kind: str, value: float) -> None:
    assert goal_of(figure) == (kind, value)
    better, worse = (value * 0.9, value * 1.1) if kind == "at most" else (value * 1.1, value * 0.9)
    assert is_reached(figure, better) is True
    assert is_reached(figure, worse) is False


def test_a_figure_without_a_goal_is_told_without_one() -> None:
    assert goal_of("ms of a frame, 1920 x 1080 to 420 x 224") is None


def test_the_table_says_goal_before_and_now() -> None:
    before = medians([{"s of a plan": 2.4}, {"s of a plan": 2.2}, {"s of a plan": 9.0}])
    lines = table(before, {"s of a plan": 0.2, "ms of a frame": 17.0}).splitlines()
    assert lines[2:] == ["| s of a plan | ≤ 0.4 | 2.4 | 0.2 | reached |", "| ms of a frame |  |  | 17 |  |"]
