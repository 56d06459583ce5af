"""Draws the grid a model cuts a picture into, on the original picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from viz.drawing import Drawing
from viz.theme import theme


def patch_grid(
    picture: ArrayLike,
    *,
    grid: Sequence[int],
    marked: Sequence[int] = (),
    title: str = "",
    dark: bool = False,
) -> Figure:
    """A picture under its grid: every cell is width / columns by height / rows pixels of the original.

    A model that squashes pictures to a square has cells that are not square here, which is what this figure is for.

    Args:
        picture: the original, (height, width, 3), 8 bits.
        grid: rows and columns; a leading time is ignored.
        marked: cells to outline, in raster order.
        title: of the figure; the size of a cell is added.
        dark: for a dark page.
    """
    pixels = np.asarray(picture, dtype=np.uint8)
    rows, columns = list(grid)[-2:]
    height, width = pixels.shape[:2]
    tall, wide = height / rows, width / columns
    colours = theme(dark)
    figure = Drawing(figsize=(6.4, 6.4 * height / width + 0.4), facecolor=colours.surface, layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(pixels, extent=(0, width, height, 0))
    axes.vlines(np.arange(1, columns) * wide, 0, height, colors="white", linewidths=0.4, alpha=0.6)
    axes.hlines(np.arange(1, rows) * tall, 0, width, colors="white", linewidths=0.4, alpha=0.6)
    for cell in marked:
        row, column = divmod(cell, columns)
        corner = (column * wide, row * tall)
        axes.add_patch(Rectangle(corner, wide, tall, fill=False, edgecolor=colours.query, linewidth=1.5))
    axes.set(xlim=(0, width), ylim=(height, 0), aspect="equal")
    axes.set_axis_off()
    size = f"{rows} × {columns} cells of {wide:.1f} × {tall:.1f} px of the original"
    axes.set_title(f"{title}: {size}" if title else size, size=9, color=colours.text, loc="left")
    return figure
