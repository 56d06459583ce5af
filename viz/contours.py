"""Finds the cells of a map that hold half of it, and the outline of a set of cells."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import ArrayLike, NDArray

Corner = tuple[int, int]


def fewest_cells(values: ArrayLike) -> NDArray[np.bool_]:
    """The fewest cells that together hold half of the sum: truth, of the shape of `values`; none where all are 0."""
    cells = np.asarray(values, dtype=float)
    flat = cells.ravel()
    order = np.argsort(-flat, kind="stable")
    total = flat.sum()
    chosen = np.zeros(flat.shape, dtype=bool)
    if total > 0:
        chosen[order[: int((flat[order].cumsum() < total / 2).sum()) + 1]] = True
    return chosen.reshape(cells.shape)


def loops(cells: ArrayLike) -> list[NDArray[np.int64]]:
    """Closed lines round cells of truth (rows, columns): corners (x, y) in cells, the first again at the end."""
    steps = _border(np.asarray(cells, dtype=bool))
    found = []
    while steps:
        start = next(iter(steps))
        line, at = [start], _step(steps, start)
        while at != start:
            line.append(at)
            at = _step(steps, at)
        found.append(np.array([*line, start]))
    return found


def _border(inside: NDArray[np.bool_]) -> dict[Corner, list[Corner]]:
    """From each corner of the border to the next, with the cells on the right."""
    ringed = np.pad(inside, 1)
    steps: dict[Corner, list[Corner]] = defaultdict(list)
    for row, column in np.argwhere(inside).tolist():
        y, x = row + 1, column + 1
        if not ringed[y - 1, x]:
            steps[column, row].append((column + 1, row))
        if not ringed[y, x + 1]:
            steps[column + 1, row].append((column + 1, row + 1))
        if not ringed[y + 1, x]:
            steps[column + 1, row + 1].append((column, row + 1))
        if not ringed[y, x - 1]:
            steps[column, row + 1].append((column, row))
    return dict(steps)


def _step(steps: dict[Corner, list[Corner]], at: Corner) -> Corner:
    following = steps[at].pop(0)
    if not steps[at]:
        del steps[at]
    return following
