"""Converts between boxes, pixels and grid cells of a picture, and paints pixels over.

A mask is bool (height, width) in pixels of the upright original, or (t, height, width) where the temporal cells of a
clip differ. A pixel belongs to the cell that holds its centre, so that the cells of a grid share out all pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from qwenvl.errors import RunError, shown

Pixels = NDArray[np.bool_]
Grid = tuple[int, int, int]
FILLS = ("mean", "black", "blurred")
SAMPLES = 16  # points per side at which a cell is probed


def box_mask(size: tuple[int, int], box: Sequence[float]) -> Pixels:
    """The pixels whose centres lie in a box.

    Args:
        size: (width, height) of the picture.
        box: (left, top, right, bottom) in pixels of it.
    """
    left, top, right, bottom = box
    x, y = np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5
    return ((y >= top) & (y < bottom))[:, None] & ((x >= left) & (x < right))[None]


def cells_mask(size: tuple[int, int], grid: Grid, cells: Iterable[int]) -> Pixels:
    """The pixels of these cells, counted in raster order (t, row, column): (t, height, width)."""
    chosen = np.zeros(math.prod(grid), dtype=bool)
    chosen[list(cells)] = True
    return chosen.reshape(grid)[:, _cell_of(size[1], grid[1])][:, :, _cell_of(size[0], grid[2])]


def cells_in(mask: Pixels, grid: Grid) -> list[int]:
    """The cells of which a mask covers at least half; where it covers half of none, the one it covers most.

    Returns:
        Raster indices (t, row, column), in order; [] for an empty mask. A mask without time holds for all t.
    """
    covered = _coverage(mask, grid)
    if not covered.any():
        return []
    found = np.flatnonzero(covered >= 0.5)
    return found.tolist() if len(found) else [int(covered.argmax())]


def _coverage(mask: Pixels, grid: Grid) -> NDArray[np.float64]:
    """The covered share of every cell, (cells,), from evenly spaced points in it."""
    whole = np.broadcast_to(mask, (grid[0], *mask.shape[-2:]))
    rows = ((np.arange(grid[1] * SAMPLES) + 0.5) * whole.shape[1] / (grid[1] * SAMPLES)).astype(int)
    columns = ((np.arange(grid[2] * SAMPLES) + 0.5) * whole.shape[2] / (grid[2] * SAMPLES)).astype(int)
    probed = whole[:, rows][:, :, columns].reshape(grid[0], grid[1], SAMPLES, grid[2], SAMPLES)
    return probed.mean(axis=(2, 4)).ravel()


def _cell_of(length: int, cells: int) -> NDArray[np.int64]:
    """For each pixel of a side, the cell that holds its centre."""
    return ((np.arange(length) + 0.5) * cells / length).astype(np.int64)


def paint(picture: Image.Image, mask: Pixels, fill: str = "mean") -> Image.Image:
    """A copy with the masked pixels painted over.

    Args:
        picture: RGB.
        mask: (height, width); of another size it is taken to the picture's, pixel centre by pixel centre.
        fill: "mean", the picture's own mean colour, rounded; "black"; or "blurred", the picture under a Gaussian of a
            tenth of its shorter side.

    Raises:
        RunError: there is no such fill.
    """
    if fill not in FILLS:
        raise RunError(f"There is no fill {shown(fill)}; choose {', '.join(FILLS)}.")
    fitted = mask[_cell_of(picture.height, mask.shape[0])][:, _cell_of(picture.width, mask.shape[1])]
    return Image.composite(_cover(picture, fill), picture, Image.fromarray(fitted))


def _cover(picture: Image.Image, fill: str) -> Image.Image:
    if fill == "blurred":
        return picture.filter(ImageFilter.GaussianBlur(min(picture.size) / 10))
    mean = np.asarray(picture).reshape(-1, 3).mean(axis=0).round().astype(int).tolist() if fill == "mean" else [0, 0, 0]
    return Image.new("RGB", picture.size, tuple(mean))
