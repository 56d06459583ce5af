"""Every query of an adapter stands at its place on the sheet."""

from __future__ import annotations

import numpy as np
import pytest

import viz
from viz.theme import tide

PICTURE = np.tile(np.arange(0, 240, 4, dtype=np.uint8)[None, :, None], (40, 1, 3))


def test_every_query_stands_at_its_place_in_the_sheet() -> None:
    sheet = np.random.default_rng(2).dirichlet(np.full(12, 0.3), size=9)
    figure = viz.queries_for_print([sheet], grids=[(1, 3, 4)], picture=PICTURE, queries=[5], exponent=1)
    tiles = np.asarray(figure.axes[0].images[0].get_array())
    tall, wide = tiles.shape[0] // 3, tiles.shape[1] // 3
    for query in range(9):
        row, column = divmod(query, 3)
        tile = tiles[row * tall : (row + 1) * tall, column * wide : (column + 1) * wide]
        expected = tide(sheet[query] / sheet[query].max()).reshape(3, 4, 3)
        np.testing.assert_array_equal(tile[1::3, 1::3][:3, :4], expected)
    with pytest.raises(ValueError, match="a sheet must be"):
        viz.queries_for_print([sheet], grids=[(3, 3)], picture=PICTURE, queries=[0])
