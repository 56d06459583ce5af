"""Computes deletion and insertion curves of a map (Petsiuk et al., 2018, "RISE", 1806.07421).

The cells of a map are painted away a few at a time, those of the largest value first, and after each step the same
answer is rescored. If the map points at what mattered, the word's probability falls sooner than when cells go in a
random order. A map of attention that does not do so may still be where the model looked: looking is not needing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor

from qwenvl.analysis.occlusion import paint_media
from qwenvl.analysis.regions import FILLS, Grid, cells_mask
from qwenvl.analysis.rescoring import rescore, unchanged_score
from qwenvl.analysis.row_statistics import own_map
from qwenvl.errors import RunError
from qwenvl.recorded.rows import Head, Layer, RunRows
from qwenvl.summaries import Summary

MAX_STEPS, MAX_SEEDS = 50, 20


@dataclass(frozen=True)
class Curve:
    """The word's probability while cells go, one order of them.

    Attributes:
        painted: share of the cells that are painted away at each step, from 0 to 1.
        probability: of the word, there.
    """

    painted: tuple[float, ...]
    probability: tuple[float, ...]

    @property
    def area(self) -> float:
        """Area under the curve, by trapezoids; of an unfinished one, as far as it goes."""
        pairs = list(zip(self.painted, self.probability, strict=True))
        return sum((x2 - x1) * (y1 + y2) / 2 for (x1, y1), (x2, y2) in pairwise(pairs))

    def and_then(self, painted: float, probability: float) -> Curve:
        """One step further."""
        return Curve((*self.painted, painted), (*self.probability, probability))

    def backwards(self) -> Curve:
        """The same pictures in the order in which cells come back: x is the share that is shown."""
        return Curve(tuple(1 - x for x in reversed(self.painted)), tuple(reversed(self.probability)))


@dataclass(frozen=True, repr=False)
class Curves(Summary):
    """Deletion and insertion of one map, as far as they are computed.

    Insertion in the map's order is deletion in the reversed order, read backwards: the same pictures. Random orders
    backwards are random orders, so their insertion is read off their deletion too.

    Attributes:
        done, total: forward passes, without the two that all curves share.
        falling: deletion, the largest values first.
        rising: deletion, the smallest values first.
        random: deletion in random orders, one for each seed.
        cells: how many cells there are; fill: what they are painted with; plain, empty: the two ends.
    """

    done: int
    total: int
    falling: Curve
    rising: Curve
    random: tuple[Curve, ...]
    cells: int
    fill: str
    plain: float
    empty: float

    @property
    def finished(self) -> bool:
        return self.done == self.total

    @property
    def insertion(self) -> Curve:
        """The word's probability while cells come back to an empty picture, the largest values first."""
        return self.rising.backwards()


def deletion_curves(
    run: RunRows,
    index: int,
    values: Tensor | None = None,
    *,
    media: int = 0,
    layer: Layer = "mean",
    head: Head = "mean",
    steps: int = 10,
    seeds: int = 5,
    fill: str = "mean",
) -> Iterator[Curves]:
    """Paint a map's cells away step by step, in its order, in the reversed and in random orders.

    Deterministic: ties go by raster order, random orders by the seeds 0, 1, ... Stop reading to stop the work.

    Args:
        index: the answer token whose probability is followed.
        values: of the cells, any shape: patches, or visual tokens where they are places. None for the run's own map
            of the row that predicts `index`, at `layer` and `head`: patches in Qwen-VL, visual tokens in Qwen2-VL.
        steps: pictures in each order, the whole one not counted; at most 50 and at most the cells.
        seeds: random orders, at most 20.
        fill: "mean", "black" or "blurred".

    Yields:
        `Curves` after each forward pass, the last one finished.

    Raises:
        RunError: steps, seeds or a fill out of range, values that fit no grid, or as `Run.painted`.
    """
    if not 1 <= steps <= MAX_STEPS or not 0 <= seeds <= MAX_SEEDS or fill not in FILLS:
        raise RunError(f"Curves take 1 to {MAX_STEPS} steps, 0 to {MAX_SEEDS} seeds and a fill of {', '.join(FILLS)}.")
    place, media = run.answer_place(index), run.check_media(media)
    index = run.answer_start + place
    if values is None:
        values = own_map(run, query=index - 1, media=media, layer=layer, head=head)
    grid = _grid_of(run, media, values)
    return _walk(run, place, media, values.flatten().double().cpu(), grid, steps, seeds, fill)


def _grid_of(run: RunRows, media: int, values: Tensor) -> Grid:
    item = run.media[media]
    grids = [item.patch_grid, *([item.token_grid] if item.tokens_are_places else [])]
    for grid in grids:
        if math.prod(grid) == values.numel():
            return grid
    raise RunError(f"A map of {item.name} has {' or '.join(f'{math.prod(grid):,}' for grid in grids)} values.")


def _walk(
    run: RunRows, place: int, media: int, values: Tensor, grid: Grid, steps: int, seeds: int, fill: str
) -> Iterator[Curves]:
    cells = len(values)
    counts = sorted({round(step * cells / steps) for step in range(1, steps)} - {0, cells})  # the ends are shared

    def probability(gone: Tensor) -> float:
        mask = cells_mask(run.media[media].size, grid, gone.tolist())
        changed = [*run.media[:media], paint_media(run.media[media], mask, fill), *run.media[media + 1 :]]
        return rescore(run, media=changed)[0].probabilities[place]

    plain, empty = unchanged_score(run).probabilities[place], probability(torch.arange(cells))
    orders = [values.argsort(descending=True, stable=True)]
    orders += [orders[0].flip(0), *(_shuffled(cells, seed) for seed in range(seeds))]
    begun = Curve((0.0,), (plain,))
    told = Curves(0, len(counts) * len(orders), begun, begun, (), cells, fill, plain, empty)
    yield told
    for which, order in enumerate(orders):
        curve = begun
        for count in counts:
            curve = curve.and_then(count / cells, probability(order[:count]))
            told = replace(_with(told, which, curve), done=told.done + 1)
            if count < counts[-1]:
                yield told
        told = _with(told, which, curve.and_then(1.0, empty))
        if counts or which == len(orders) - 1:
            yield told


def _with(told: Curves, which: int, curve: Curve) -> Curves:
    if which == 0:
        return replace(told, falling=curve)
    if which == 1:
        return replace(told, rising=curve)
    return replace(told, random=(*told.random[: which - 2], curve))


def _shuffled(cells: int, seed: int) -> Tensor:
    return torch.randperm(cells, generator=torch.Generator().manual_seed(seed))
