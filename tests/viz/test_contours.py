"""The fewest cells that hold half of a map, and the loops that enclose them."""

from __future__ import annotations

import numpy as np
import pytest

from viz.contours import fewest_cells, loops

VALUES = np.random.default_rng(0).dirichlet(np.ones(12)).reshape(3, 4)


def test_the_fewest_cells_hold_half() -> None:
    chosen = fewest_cells(VALUES)
    assert VALUES[chosen].sum() >= VALUES.sum() / 2
    assert VALUES[chosen].sum() - VALUES[chosen].min() < VALUES.sum() / 2
    assert VALUES[chosen].min() >= VALUES[~chosen].max()
    assert not fewest_cells(np.zeros((2, 2))).any()


@pytest.mark.parametrize("seed", range(8))
def test_loops_enclose_the_cells(seed: int) -> None:
    cells = np.random.default_rng(seed).random((6, 7)) < 0.45
    area = 0.0
    for line in loops(cells):
        assert (line[0] == line[-1]).all()
        assert (np.abs(np.diff(line, axis=0)).sum(axis=1) == 1).all()
        x, y = line.T.astype(float)
        area += float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum() / 2)  # holes count against it
    assert area == cells.sum()
