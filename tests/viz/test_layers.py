"""The lens for print and curves for the screen: words, shades and heights are those that were given."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.text import Text

from viz.layers import chances_by_layer, lens_for_print
from viz.theme import tide

TOP = np.array([[0.2, 0.9], [0.5, 1.0]])
SAID = np.array([[0.1, 0.0], [0.4, 0.8]])


def test_every_cell_is_its_word_in_the_shade_of_its_chance() -> None:
    figure = lens_for_print(
        [TOP], texts=[[["one", "$two"], ["three", "four"]]], answers=[["red", "cat"]], said=[SAID], caption="Words."
    )
    table, chart = figure.axes
    shades = np.array([patch.get_facecolor()[:3] for patch in table.patches]).reshape(2, 2, 3)
    np.testing.assert_allclose(shades, tide(TOP) / 255, atol=1e-6)
    said = [text.get_text() for text in figure.findobj(Text)]
    assert {"one", "$two", "three", "four", "red", "cat", "Words."} <= set(said)
    np.testing.assert_array_equal([line.get_ydata() for line in chart.lines[:2]], SAID.T)
    np.testing.assert_array_equal(chart.lines[2].get_ydata(), SAID.mean(axis=1))


def test_arrays_that_do_not_fit_the_words_are_refused() -> None:
    with pytest.raises(ValueError, match="layers, 1"):
        lens_for_print([TOP], texts=[[[], []]], answers=[["red"]], said=[SAID])


def test_models_of_several_depths_run_from_first_to_last() -> None:
    figure = chances_by_layer({"A": [0.1, 0.5, 0.9], "B": [0.2, 0.3]})
    assert list(figure.data[0].x) == [0.0, 0.5, 1.0]
    assert list(figure.data[1].x) == [0.0, 1.0]
    assert list(figure.data[1].y) == [0.2, 0.3]
