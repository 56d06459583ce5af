"""Curves of flow as a figure: every point where its number is, both models on one scale."""

from __future__ import annotations

import numpy as np
import pytest

from viz.flow import flow_curves

A = {"image → last": [-0.5, -0.9, 0.1, 0.0], "question → last": [0.0, 0.0, -0.2, np.nan]}
B = {"image → last": [0.3, 0.2, 0.1]}


@pytest.mark.parametrize("dark", [False, True])
def test_lines_go_through_the_numbers_on_one_scale(dark: bool) -> None:
    figure = flow_curves([A, B], titles=["A", "B"], subtitles=["red, 1 layer", "red, 1 layer"], dark=dark)
    first, second = figure.axes
    for axes, lines in ((first, A), (second, B)):
        drawn = {line.get_label(): line for line in axes.lines if not str(line.get_label()).startswith("_")}
        assert set(drawn) == set(lines)
        for name, values in lines.items():
            assert np.array_equal(drawn[name].get_ydata(), values, equal_nan=True)
            assert list(drawn[name].get_xdata()) == list(range(len(values)))
    assert first.get_ylim() == second.get_ylim()
    low, high = first.get_ylim()
    assert low < -0.9 and high > 0.3  # noqa: PT018
    styles = {line.get_label(): line.get_linestyle() for line in first.lines}
    assert styles["image → last"] != styles["question → last"]  # never colour alone
    assert {"A", "B", "red, 1 layer"} <= {text.get_text() for text in figure.texts}


def test_too_many_models_or_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="one model or two, not 3"):
        flow_curves([A, B, B])
    with pytest.raises(ValueError, match="one model or two, not 0"):
        flow_curves([])
    with pytest.raises(ValueError, match="at most 5 pairs, not 6"):
        flow_curves([{str(number): [0.0] for number in range(6)}])


def test_a_model_without_numbers_yet_is_drawn_empty() -> None:
    figure = flow_curves([{"image → last": [np.nan, np.nan]}])
    assert len(figure.axes) == 1
