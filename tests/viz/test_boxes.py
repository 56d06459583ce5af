"""Boxes as figures: what stands in the figure is what was given, on the pixels of the picture."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from viz.boxes import boxes_on_picture_interactive, boxes_side_by_side

PICTURE = np.full((60, 90, 3), 200, dtype=np.uint8)
FOUND = np.array([[9.0, 6.0, 45.5, 30.0], [50.0, 10.0, 80.0, 55.0]])


def frames(axes: object) -> list[tuple[float, ...]]:
    """Left, top, right, bottom of every frame, the dark one below each left out."""
    found = [patch for patch in axes.patches if isinstance(patch, Rectangle)]  # type: ignore[attr-defined]
    corners = [(*patch.get_xy(), patch.get_width(), patch.get_height()) for patch in found[1::2]]
    return [(x, y, x + width, y + height) for x, y, width, height in corners]


def test_both_models_boxes_stand_on_the_picture() -> None:
    figure = boxes_side_by_side(
        [FOUND, np.zeros((0, 4))],
        picture=PICTURE,
        phrases=[["a $cat$", ""], []],
        titles=["A", "B"],
        yours=(1, 2, 30, 40),
    )
    first, second = figure.axes
    assert frames(first) == [(9, 6, 45.5, 30), (50, 10, 80, 55), (1, 2, 30, 40)]
    assert frames(second) == [(1, 2, 30, 40)]
    assert first.get_xlim() == (0, 90)
    assert first.get_ylim() == (60, 0)
    assert [text.get_text() for text in first.texts] == ["a $cat$"]
    said = [text.get_text() for text in figure.texts]
    assert "2 boxes" in said
    assert "no box in this answer" in said


def test_on_screen_an_edge_tells_its_box() -> None:
    figure = boxes_on_picture_interactive(FOUND, picture=PICTURE, phrases=["cat"])
    assert list(figure.data[1].x) == [9, 45.5, 45.5, 9, 9]
    assert list(figure.data[2].y) == [10, 10, 55, 55, 10]
    assert figure.data[1].name == "cat"
    assert figure.data[2].name == "box 1"
    assert list(figure.layout.yaxis.range) == [60, 0]


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(boxes, 4\)"):
        boxes_side_by_side([np.zeros(4)], picture=PICTURE)
    with pytest.raises(ValueError, match="one model or two"):
        boxes_side_by_side([], picture=PICTURE)
