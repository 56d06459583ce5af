"""Effects and curves as figures: bars as long as the probabilities, lines through the points, bands round them all."""

from __future__ import annotations

import numpy as np
import pytest

from viz.causes import deletion_curves, deletion_curves_interactive, effects_side_by_side

PICTURE = np.full((60, 90, 3), 120, dtype=np.uint8)
X = (0.0, 0.5, 1.0)
RANDOM = [(X, (0.9, 0.5, 0.1)), (X, (0.9, 0.7, 0.1))]


def test_bars_are_as_long_as_the_probabilities() -> None:
    cells = np.zeros((4, 6), dtype=bool)
    cells[1, 2] = True
    figure = effects_side_by_side(
        [(0.999, 0.02), (0.5, 0.75)],
        pictures=[PICTURE, PICTURE],
        cells=[cells, np.zeros((4, 6), dtype=bool)],
        titles=["A", "B"],
        names=("as it was", "hidden"),
    )
    bars = [axes for axes in figure.axes if len(axes.patches) == 2]
    assert [axes.patches[1].get_width() for axes in bars] == [0.999, 0.02, 0.5, 0.75]
    said = [text.get_text() for text in figure.texts]
    assert {"99.9 %", "2.0 %", "50.0 %", "75.0 %", "as it was", "hidden"} <= set(said)
    x, y = figure.axes[0].lines[-1].get_data()
    assert (min(x), max(x), min(y), max(y)) == (30, 45, 15, 30)  # the cell in pixels of the picture


def test_pictures_are_stretched_to_the_originals_shape() -> None:
    squashed = np.zeros((50, 50, 3), dtype=np.uint8)
    figure = effects_side_by_side([(1, 0)], pictures=[squashed], size=(200, 100))
    box = figure.axes[0].get_position()
    width, height = figure.get_size_inches()
    assert box.width * width / (box.height * height) == pytest.approx(2)


def test_curves_stand_beneath_the_bars_and_insertion_is_deletion_backwards() -> None:
    values = np.array([[0.9, 0.2, 0.1], [0.9, 0.8, 0.1], [0.9, 0.5, 0.1], [0.9, 0.7, 0.1]])
    figure = effects_side_by_side([(0.9, 0.1)], pictures=[PICTURE], painted=[X], curves=[values])
    deletion, insertion = [axes for axes in figure.axes if len(axes.lines) == 3]
    assert [list(line.get_ydata()) for line in deletion.lines] == [[0.9, 0.6, 0.1], [0.9, 0.2, 0.1], [0.9, 0.8, 0.1]]
    assert list(insertion.lines[1].get_ydata()) == [0.1, 0.8, 0.9]  # the reversed order, backwards
    said = [text.get_text() for text in figure.texts]
    assert "deletion 0.350, random 0.550" in said
    assert "insertion 0.650, random 0.550" in said


def test_a_chart_holds_its_lines_and_the_range_of_random_ones() -> None:
    curves = {"deletion": {"map": (X, (0.9, 0.2, 0.1)), "reversed": (X, (0.9, 0.8, 0.1))}, "insertion": {"map": (X, X)}}
    figure = deletion_curves(curves, random={"deletion": RANDOM})
    deletion, insertion = figure.axes
    assert [list(line.get_ydata()) for line in deletion.lines] == [[0.9, 0.6, 0.1], [0.9, 0.2, 0.1], [0.9, 0.8, 0.1]]
    shade = deletion.collections[0].get_paths()[0].vertices
    assert {(0.5, 0.5), (0.5, 0.7)} <= {(round(x, 6), round(y, 6)) for x, y in shade}
    assert [list(line.get_ydata()) for line in insertion.lines] == [list(X)]
    assert deletion.get_ylim() == (0, 1)


def test_on_screen_the_mean_and_the_range_are_those_of_the_random_lines() -> None:
    figure = deletion_curves_interactive({"map": (X, (0.9, 0.2, 0.1))}, random=RANDOM)
    band, mean, line = figure.data
    assert list(band.y) == [0.9, 0.7, 0.1, 0.1, 0.5, 0.9]
    assert list(mean.y) == pytest.approx([0.9, 0.6, 0.1])
    assert list(line.y) == [0.9, 0.2, 0.1]


def test_too_many_are_refused() -> None:
    with pytest.raises(ValueError, match="one or two effects"):
        effects_side_by_side([], pictures=[])
    with pytest.raises(ValueError, match="one chart or two"):
        deletion_curves({})
