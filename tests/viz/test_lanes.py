"""Position ids are drawn as they are."""

from __future__ import annotations

import numpy as np
import pytest

import viz


def test_ids_are_drawn_as_they_are() -> None:
    ids = np.array([[0, 1, 2, 2, 2, 2, 4], [0, 1, 2, 2, 3, 3, 4], [0, 1, 2, 3, 2, 3, 4]])
    kinds = ["text", "text", "image", "image", "image", "image", "answer"]
    figure = viz.positions_side_by_side([np.arange(5), ids], kinds=[["text"] * 5, kinds], marked=[None, 3])
    stairs = [[patch for patch in axes.patches if hasattr(patch, "get_data")] for axes in figure.axes]
    one, three = (found for found in stairs if found)
    np.testing.assert_array_equal(one[0].get_data().values, np.arange(5))
    np.testing.assert_array_equal([patch.get_data().values for patch in three], ids)
    assert len({axes.get_xlim() for axes, found in zip(figure.axes, stairs, strict=True) if found}) == 1
    with pytest.raises(ValueError, match="2 kinds for 5 tokens"):
        viz.positions_side_by_side([np.arange(5)], kinds=[["text"] * 2])
