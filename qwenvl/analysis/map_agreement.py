"""Measures how far two maps of one picture agree, on any two grids and without interpolation.

Both maps cover the whole picture in equal cells, so each is a density that is constant inside a cell. On the *common
grid*, whose lines are those of both grids, both densities are constant in every piece: resampling by area is exact
there, and every figure equals the one on a pixel grid fine enough to have both grids' lines.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from qwenvl.analysis.row_statistics import fewest_cells


@dataclass(frozen=True)
class Agreement:
    """How far two maps of one picture agree.

    Attributes:
        iou: of the two areas that hold half of each map (the fewest cells each): the area, in pixels of the original,
            that lies in both over the area in either; 1: the same place, 0: apart.
        js_distance: square root of the Jensen-Shannon divergence in bits of the two maps, each scaled to sum to 1; 0:
            the same map, 1: nowhere in the same place.
        half_pixels: the two areas, in pixels of the original.
        xs, ys: lines of the common grid, 0..1 of the picture, float64.
        difference: first minus second on the common grid, (len(ys) - 1, len(xs) - 1): each map scaled to sum to 1, as
            a density in multiples of an even map's, so that pieces of any size compare.
    """

    iou: float
    js_distance: float
    half_pixels: tuple[float, float]
    xs: Tensor
    ys: Tensor
    difference: Tensor


def agreement(one: Tensor, two: Tensor, size: tuple[int, int]) -> Agreement | None:
    """Compare two maps of one picture; None where either has nothing on it.

    Args:
        one, two: (t, h, w) or (h, w), shares on grids that cover the picture evenly; a clip's are summed over time.
        size: of the original picture, (width, height).
    """
    maps = [cells.double().sum(dim=0) if cells.dim() == 3 else cells.double() for cells in (one, two)]
    if any(cells.sum() <= 0 for cells in maps):
        return None
    xs = common_lines(maps[0].shape[1], maps[1].shape[1])
    ys = common_lines(maps[0].shape[0], maps[1].shape[0])
    areas = ys.diff()[:, None] * xs.diff()
    first, second = (resampled(cells / cells.sum(), ys, xs) for cells in maps)
    halves = [_pieces_of(_half(cells), ys, xs) for cells in maps]
    both, either = (areas * (halves[0] & halves[1])).sum(), (areas * (halves[0] | halves[1])).sum()
    pixels = size[0] * size[1]
    return Agreement(
        iou=float(both / either),
        js_distance=js_distance(first, second),
        half_pixels=(float((areas * halves[0]).sum()) * pixels, float((areas * halves[1]).sum()) * pixels),
        xs=xs,
        ys=ys,
        difference=(first - second) / areas,
    )


def common_lines(one: int, two: int) -> Tensor:
    """Lines of two even grids over 0..1 together, each once, float64; fractions are told apart exactly."""
    scale = math.lcm(one, two)
    lines = {index * (scale // count) for count in (one, two) for index in range(count + 1)}
    return torch.tensor(sorted(lines), dtype=torch.float64) / scale


def resampled(cells: Tensor, ys: Tensor, xs: Tensor) -> Tensor:
    """A map (h, w) on pieces between lines, by area: each piece takes of a cell the part that lies in it.

    Args:
        ys, xs: lines from 0 to 1, in order; any, not only those of a common grid.
    """
    return _overlap(cells.shape[0], ys) @ cells.double() @ _overlap(cells.shape[1], xs).T


def js_distance(one: Tensor, two: Tensor) -> float:
    """Square root of the Jensen-Shannon divergence, in bits, of two maps on one grid that sum to 1 each."""
    middle = (one + two) / 2
    divergence = _bits(middle) - (_bits(one) + _bits(two)) / 2
    return math.sqrt(min(1.0, max(0.0, divergence)))


def _bits(shares: Tensor) -> float:
    return float(torch.special.entr(shares).sum()) / math.log(2)


def _overlap(count: int, lines: Tensor) -> Tensor:
    """Which part of each of `count` cells lies in each piece, (pieces, count)."""
    edges = torch.arange(count + 1, dtype=torch.float64) / count
    start = torch.maximum(lines[:-1, None], edges[:-1])
    end = torch.minimum(lines[1:, None], edges[1:])
    return (end - start).clamp(min=0) * count


def _half(cells: Tensor) -> Tensor:
    held = torch.zeros(cells.numel(), dtype=torch.bool)
    held[fewest_cells(cells)] = True
    return held.view(cells.shape)


def _pieces_of(held: Tensor, ys: Tensor, xs: Tensor) -> Tensor:
    """Which pieces of a common grid lie in the cells that are held."""
    middle_y, middle_x = (ys[1:] + ys[:-1]) / 2, (xs[1:] + xs[:-1]) / 2
    rows = (middle_y * held.shape[0]).long()
    columns = (middle_x * held.shape[1]).long()
    return held[rows[:, None], columns]
