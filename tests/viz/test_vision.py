"""Vision for print and for the screen: what is drawn are the arrays that were given."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.text import Text

from viz.theme import overlay
from viz.vision import tower_distances, vision_for_print

PICTURE = np.full((40, 60, 3), 200, dtype=np.uint8)
DISTANCES = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 8.0]])
ROW = np.array([[0.1, 0.5, 0.1], [0.1, 0.1, 0.1]])


def test_print_draws_the_map_the_patch_and_every_head() -> None:
    figure = vision_for_print(
        [ROW], picture=PICTURE, patches=[4], distances=[DISTANCES], even=[5.0], chosen=[(1, 2)], caption="What it is."
    )
    map_axes, chart = figure.axes
    drawn = np.asarray(map_axes.images[-1].get_array())
    expected = np.round(255 * overlay(ROW)).astype(np.uint8)
    times = drawn.shape[0] // 2
    np.testing.assert_array_equal(drawn[::times, ::times], expected)
    box = map_axes.patches[-1].get_bbox()
    assert (box.x0, box.y0, box.width, box.height) == (20.0, 20.0, 20.0, 20.0)
    heights = [line.get_ydata() for line in chart.lines]
    for head in range(3):
        np.testing.assert_array_equal(heights[head], DISTANCES[:, head])
    np.testing.assert_array_equal(heights[3], DISTANCES.mean(axis=1))
    np.testing.assert_array_equal(heights[4], DISTANCES[:, 2])
    words = " ".join(text.get_text() for text in figure.findobj(Text))
    assert "half in 1 of 6 patches" in words
    assert "10.0 % on the patch itself" in words
    assert "What it is." in words


def test_maps_without_two_axes_are_refused() -> None:
    with pytest.raises(ValueError, match="rows, columns"):
        vision_for_print([ROW[0]], picture=PICTURE, patches=[0], distances=[DISTANCES], even=[1.0], chosen=[(0, 0)])


def test_the_screen_has_a_line_a_head_and_their_mean() -> None:
    figure = tower_distances(DISTANCES, even=5.0)
    assert [trace.name for trace in figure.data] == ["head 0", "head 1", "head 2", "mean"]
    assert list(figure.data[2].y) == [3.0, 8.0]
    assert list(figure.data[3].y) == [2.0, 14 / 3]
    assert figure.layout.shapes[0].y0 == 5.0
    with pytest.raises(ValueError, match="layers, heads"):
        tower_distances(DISTANCES[0])
