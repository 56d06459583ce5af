"""A contact sheet holds every query's row, in the order asked for."""

from __future__ import annotations

import numpy as np
import pytest

import viz

SHEET = np.random.default_rng(0).dirichlet(np.ones(6), size=5)


def test_every_map_is_its_querys_row() -> None:
    order = [4, 2, 0, 1, 3]
    figure = viz.contact_sheet_interactive(SHEET, grid=(1, 2, 3), order=order)
    data = np.asarray(figure.data[0].customdata)
    for at, query in enumerate(order):
        top, left = 2 * (at // 3), 3 * (at % 3)
        np.testing.assert_array_equal(data[top : top + 2, left : left + 3, 0], query)
        np.testing.assert_array_equal(data[top : top + 2, left : left + 3, 1].ravel(), SHEET[query])
        colours = np.asarray(figure.data[0].z)[top : top + 2, left : left + 3].ravel()
        np.testing.assert_allclose(colours, (SHEET[query] / SHEET[query].max()) ** 0.7)
    assert np.isnan(data[2:, 6:, 0]).all()  # five maps on a sheet of nine


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="2 × 2"):
        viz.contact_sheet_interactive(SHEET, grid=(2, 2))
    with pytest.raises(ValueError, match="each of the 5 queries once"):
        viz.contact_sheet_interactive(SHEET, grid=(2, 3), order=[0, 0, 1, 2, 3])
