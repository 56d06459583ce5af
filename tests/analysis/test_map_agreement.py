"""Agreement of two maps against the same figures counted pixel by pixel."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from qwenvl.analysis.map_agreement import agreement, common_lines, resampled
from qwenvl.analysis.row_statistics import fewest_cells


def a_map(rows: int, columns: int, seed: int) -> Tensor:
    return torch.rand(rows, columns, generator=torch.Generator().manual_seed(seed)) ** 4 * 0.03


def on_pixels(cells: Tensor, height: int, width: int) -> np.ndarray:
    """Each pixel takes its part of the cell it lies in; the pixel grid has all lines of the map's."""
    down, across = height // cells.shape[0], width // cells.shape[1]
    return np.kron(cells.double().numpy(), np.ones((down, across))) / (down * across)


def jensen_shannon(one: np.ndarray, two: np.ndarray) -> float:
    """The distance written as means of two Kullback-Leibler divergences, in bits."""
    p, q = (values.ravel() / values.sum() for values in (one, two))
    middle = (p + q) / 2
    return math.sqrt((np.sum(p * np.log2(p / middle)) + np.sum(q * np.log2(q / middle))) / 2)


@pytest.mark.parametrize(("one", "two"), [((4, 4), (3, 5)), ((2, 7), (7, 2)), ((3, 3), (3, 3)), ((1, 1), (5, 4))])
def test_figures_are_those_of_a_fine_pixel_grid(one: tuple[int, int], two: tuple[int, int]) -> None:
    height, width = math.lcm(one[0], two[0]) * 2, math.lcm(one[1], two[1]) * 3
    maps = [a_map(*one, seed=1), a_map(*two, seed=2)]
    found = agreement(*maps, (width, height))
    assert found is not None
    pixels = [on_pixels(cells, height, width) for cells in maps]
    assert found.js_distance == pytest.approx(jensen_shannon(*pixels), abs=1e-9)
    halves = []
    for cells in maps:
        held = torch.zeros(cells.numel())
        held[fewest_cells(cells)] = 1
        halves.append(on_pixels(held.view(cells.shape), height, width) > 0)
    assert found.iou == pytest.approx((halves[0] & halves[1]).sum() / (halves[0] | halves[1]).sum(), abs=1e-12)
    assert found.half_pixels == pytest.approx([half.sum() for half in halves])
    densities = [values / values.sum() * values.size for values in pixels]
    rows = (found.ys[:-1] * height).round().long()
    columns = (found.xs[:-1] * width).round().long()
    np.testing.assert_allclose(found.difference, (densities[0] - densities[1])[rows][:, columns], atol=1e-9)


def test_a_map_agrees_with_itself_and_not_with_its_opposite() -> None:
    cells = a_map(4, 6, seed=0)
    same = agreement(cells, cells * 7, (60, 40))
    assert same is not None
    assert same.iou == pytest.approx(1, abs=1e-12)
    assert same.js_distance == pytest.approx(0, abs=1e-6)
    left, right = torch.zeros(1, 2, 2), torch.zeros(3, 4)
    left[..., 0], right[:, 2:] = 0.1, 0.2
    apart = agreement(left, right, (60, 40))
    assert apart is not None
    assert (apart.iou, apart.js_distance) == (0, pytest.approx(1))


def test_a_clips_map_is_summed_over_time() -> None:
    clip = torch.stack([a_map(4, 4, seed=3), a_map(4, 4, seed=4)])
    still = a_map(3, 5, seed=5)
    found, expected = agreement(clip, still, (60, 40)), agreement(clip.sum(dim=0), still, (60, 40))
    assert found is not None
    assert expected is not None
    assert found.js_distance == pytest.approx(expected.js_distance, abs=1e-6)


def test_a_map_of_nothing_cannot_be_compared() -> None:
    assert agreement(torch.zeros(2, 2), torch.ones(2, 2), (10, 10)) is None


def test_lines_are_those_of_both_grids() -> None:
    assert common_lines(2, 3).tolist() == pytest.approx([0, 1 / 3, 1 / 2, 2 / 3, 1])
    assert len(common_lines(32, 13)) == 32 + 13


def test_resampling_keeps_the_sum_on_any_lines() -> None:
    cells = a_map(5, 7, seed=6)
    lines = torch.tensor([0, 0.11, 0.5, 0.83, 1.0], dtype=torch.float64)
    found = resampled(cells, lines, lines)
    assert float(found.sum()) == pytest.approx(float(cells.double().sum()), abs=1e-12)
    fine = on_pixels(cells, 500, 700)  # lines at .11 lie on pixels of 100ths
    expected = fine[55:250, 77:350].sum()
    assert float(found[1, 1]) == pytest.approx(expected, abs=1e-12)
