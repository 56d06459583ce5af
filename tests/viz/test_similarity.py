"""Similarity maps hold the cosines they were given, cell for cell, up to 1."""

from __future__ import annotations

import io

import numpy as np
import pytest

import viz

COSINES = np.array([1.0, 0.8, 0.5, 0.7, 0.6, 0.4])


def test_the_printed_map() -> None:
    figure = viz.similarity_map(COSINES, grid=(1, 2, 3), marked=4, title="query 0")
    axes = figure.axes[0]
    np.testing.assert_array_equal(axes.images[0].get_array(), COSINES.reshape(2, 3))
    assert axes.images[0].get_clim() == (0.4, 1.0)
    assert axes.patches[0].get_xy() == (0.5, 0.5)
    assert axes.get_title(loc="left") == "query 0"
    figure.savefig(io.BytesIO(), format="svg")


def test_the_interactive_map() -> None:
    figure = viz.similarity_map_interactive(COSINES, grid=(2, 3), marked=0)
    np.testing.assert_array_equal(figure.data[0].z, COSINES.reshape(2, 3))
    assert (figure.layout.shapes[0].x0, figure.layout.shapes[0].y1) == (-0.5, 0.5)


@pytest.mark.parametrize("draw", [viz.similarity_map, viz.similarity_map_interactive])
def test_a_grid_that_does_not_fit_is_refused(draw: object) -> None:
    with pytest.raises(ValueError, match="2 × 2"):
        draw(COSINES, grid=(2, 2))  # type: ignore[operator]
