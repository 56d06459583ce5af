"""Grids are drawn on the original and on what arrives."""

from __future__ import annotations

import numpy as np

import viz

PICTURE = np.tile(np.arange(0, 240, 4, dtype=np.uint8)[None, :, None], (40, 1, 3))


def test_grids_are_drawn_on_the_original_and_on_what_arrives() -> None:
    figure = viz.grids_side_by_side(
        PICTURE, grids=[(1, 4, 6), (2, 3)], received=[PICTURE, PICTURE[:20, :20]], blocks=[2, 1], notes=["a", "b"]
    )
    shapes = [tuple(map(int, (axes.get_ylim()[0], axes.get_xlim()[1]))) for axes in figure.axes]
    assert shapes == [(4, 6), (4, 6), (2, 3), (2, 3)]
    lines = [segment[0][0] for segment in figure.axes[0].collections[0].get_segments()]
    assert lines == [1, 2, 3, 4, 5]
    assert any("each patch 10.0 × 10.0 px" in text.get_text() for text in figure.texts)
