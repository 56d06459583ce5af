"""Draws the queries of an adapter for print: a contact sheet of their maps, and one of them on the picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from viz.contours import fewest_cells
from viz.paper import BODY, COLUMN, SMALL, Paper, cut, left_of, paper
from viz.side_by_side import draw_scale, fitted, lay_map, outline
from viz.theme import tide
from viz.words import counted, percent

HEAD, FOOT, BETWEEN = 0.50, 0.40, 0.12
SCALE = 0.52
LATTICE = 2  # pixels between two small maps, of which each patch is `SQUARE` across
SQUARE = 3


def queries_for_print(
    sheets: Sequence[ArrayLike],
    *,
    grids: Sequence[Sequence[int]],
    picture: ArrayLike,
    queries: Sequence[int],
    titles: Sequence[str] = (),
    exponent: float = 0.7,
    caption: str = "",
    dark: bool = False,
) -> Figure:
    """All queries of one or two adapters as small maps, and beside each sheet one query's map on the picture.

    Args:
        sheets: rows of attention of each adapter, (queries, patches); each row sums to 1.
        grids: rows and columns of the patches of each; a leading time is ignored.
        picture: the original, (height, width, 3), 8 bits.
        queries: the one of each adapter to show large.
        titles: of each sheet: the model and the head.
        exponent: of the small maps' colours, each to its own maximum; the large map's scale is linear.
        caption: what exactly is plotted.
        dark: for a dark page.

    Raises:
        ValueError: a sheet that does not fit its grid.
    """
    rows = [np.asarray(values, dtype=float) for values in sheets]
    cells = [tuple(list(grid)[-2:]) for grid in grids]
    for values, (tall, wide) in zip(rows, cells, strict=True):
        if values.ndim != 2 or values.shape[1] != tall * wide:
            raise ValueError(f"a sheet must be (queries, {tall * wide}) for a grid of {tall} × {wide}: {values.shape}")
    pixels = np.asarray(picture, dtype=np.uint8)
    size = fitted(pixels, COLUMN - SCALE)
    height = max(COLUMN, size[1] + FOOT)
    sheet = paper((HEAD + height + BETWEEN) * len(rows), caption=caption, dark=dark)
    for number, (values, grid, query) in enumerate(zip(rows, cells, queries, strict=True)):
        top = number * (HEAD + height + BETWEEN)
        title = titles[number] if titles else ""
        sheet.text(left_of(0), top + 0.10, cut(title, COLUMN, BODY, bold=True), bold=True)
        words = f"{counted(len(values), 'query')}, row by row from 0; each to its own maximum, exponent {exponent:g}"
        sheet.text(left_of(0), top + 0.28, words, size=SMALL, colour=sheet.colours.subdued)
        _contact_sheet(sheet.axes(left_of(0), top + HEAD, COLUMN, COLUMN), values, grid, query, exponent, sheet)
        _one(sheet, top, values[query].reshape(grid), pixels, size, query, dark)
    return sheet.figure


def _contact_sheet(
    axes: Axes, values: NDArray[np.float64], grid: Sequence[int], query: int, exponent: float, sheet: Paper
) -> None:
    side = int(np.ceil(np.sqrt(len(values))))
    dark = sheet.colours.surface != "#ffffff"
    axes.imshow(_tiles(values, grid, side, exponent, dark=dark), extent=(0, side, side, 0), interpolation="none")
    row, column = divmod(query, side)
    axes.plot(
        np.array([0, 1, 1, 0, 0]) + column, np.array([0, 0, 1, 1, 0]) + row, color=sheet.colours.query, linewidth=1.5
    )
    axes.set(xlim=(0, side), ylim=(side, 0), aspect="auto")
    axes.set_axis_off()


def _tiles(
    values: NDArray[np.float64], grid: Sequence[int], side: int, exponent: float, *, dark: bool
) -> NDArray[np.uint8]:
    """All maps in one image, in the order of the queries, with a lattice between them."""
    tall, wide = (cells * SQUARE + LATTICE for cells in grid)
    image = np.full((side * tall, side * wide, 3), 60 if dark else 226, dtype=np.uint8)
    top = values.max(axis=1, keepdims=True)
    scaled = np.divide(values, top, out=np.zeros_like(values), where=top > 0) ** exponent
    colours = tide(scaled, dark=dark).reshape(len(values), *grid, 3).repeat(SQUARE, axis=1).repeat(SQUARE, axis=2)
    for query, one in enumerate(colours):
        row, column = divmod(query, side)
        image[row * tall : (row + 1) * tall - LATTICE, column * wide : (column + 1) * wide - LATTICE] = one
    return image


def _one(
    sheet: Paper,
    top: float,
    values: NDArray[np.float64],
    pixels: NDArray[np.uint8],
    size: tuple[float, float],
    query: int,
    dark: bool,
) -> None:
    left, maximum = left_of(1), float(values.max(initial=0.0))
    width, height = size
    sheet.text(left, top + 0.10, f"Query {query}", bold=True)
    sheet.text(left, top + 0.28, "its row on the original picture", size=SMALL, colour=sheet.colours.subdued)
    axes = sheet.axes(left, top + HEAD, width, height)
    lay_map(axes, values, picture=pixels, maximum=maximum, dark=dark)
    outline(axes, fewest_cells(values), picture=pixels)
    draw_scale(sheet, left + width + 0.08, top + HEAD, height, maximum)
    most = f"at most {percent(maximum)} of its row in one patch"
    half = f"half of it in {int(fewest_cells(values).sum()):,} of {counted(values.size, 'patch')} (dashed)"
    sheet.text(left, top + HEAD + height + 0.08, most, bold=True)
    sheet.text(left, top + HEAD + height + 0.24, half, size=SMALL, colour=sheet.colours.subdued)
