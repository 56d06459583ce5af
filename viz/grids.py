"""Draws how several models cut one picture, side by side on the original, for print."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from viz.paper import BODY, COLUMN, LEADING, SMALL, Paper, cut, left_of, paper, wrapped
from viz.side_by_side import fitted, for_print
from viz.words import counted

HEAD, UNDER = 0.32, 0.72  # inches above the original, and between it and the received picture
TALLEST_RECEIVED = 1.5
WHITE, DARK = "#ffffff", "#101319"


def grids_side_by_side(
    picture: ArrayLike,
    *,
    grids: Sequence[Sequence[int]],
    received: Sequence[ArrayLike],
    blocks: Sequence[int] = (),
    titles: Sequence[str] = (),
    notes: Sequence[str] = (),
    caption: str = "",
    dark: bool = False,
) -> Figure:
    """A picture under each model's own grid, and beneath it the picture as that model receives it, all at one scale.

    Args:
        picture: the original, (height, width, 3), 8 bits.
        grids: rows and columns of each model's patches; a leading time is ignored.
        received: the picture at the size each model sees, (height, width, 3), 8 bits.
        blocks: how many patches across and down make one token: lines between tokens are heavier. 1 when empty.
        titles: of each column: the model.
        notes: of each column: the way from pixels to tokens.
        caption: what exactly is plotted.
        dark: for a dark page.

    Raises:
        ValueError: not as many received pictures or words as grids, or a picture of another shape.
    """
    original = _picture(picture)
    seen = [_picture(one) for one in received]
    columns = zip(grids, seen, blocks or [1] * len(seen), strict=True)
    width, height = fitted(original, COLUMN)
    inch = min(min(COLUMN / one.shape[1], TALLEST_RECEIVED / one.shape[0]) for one in seen)
    words = [wrapped(note, COLUMN, SMALL) for note in notes or [""] * len(seen)]
    below = HEAD + height + UNDER + inch * max(len(one) for one in seen) + 0.08
    room = below + max(map(len, words)) * SMALL * LEADING / 72 + 0.04
    sheet = paper(room, caption=caption, dark=dark)
    for number, (grid, one, block) in enumerate(columns):
        left = left_of(number)
        sheet.text(left, 0.10, cut(titles[number] if titles else "", COLUMN, BODY, bold=True), bold=True)
        _cut_up(sheet.axes(left, HEAD, width, height), original, list(grid)[-2:], block)
        _cell_words(sheet, left, HEAD + height, original, list(grid)[-2:])
        _cut_up(_received_axes(sheet, left, HEAD + height + UNDER, one, inch), one, list(grid)[-2:], block)
        size = f"as the model receives it: {one.shape[1]:,} × {one.shape[0]:,} px"
        sheet.text(left, HEAD + height + UNDER - 0.19, size, bold=True)
        sheet.lines(left, below, words[number], size=SMALL, colour=sheet.colours.subdued)
    return sheet.figure


def _picture(values: ArrayLike) -> NDArray[np.uint8]:
    pixels = np.asarray(values, dtype=np.uint8)
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(f"a picture must be (height, width, 3), not {pixels.shape}")
    return pixels


def _received_axes(sheet: Paper, left: float, top: float, pixels: NDArray[np.uint8], inch: float) -> Axes:
    return sheet.axes(left, top, inch * pixels.shape[1], inch * pixels.shape[0])


def _cell_words(sheet: Paper, left: float, top: float, picture: NDArray[np.uint8], grid: Sequence[int]) -> None:
    rows, columns = grid
    height, width = picture.shape[:2]
    each = f"each patch {width / columns:,.1f} × {height / rows:,.1f} px of the original"
    sheet.text(left, top + 0.07, each, bold=True)
    cells = f"{rows:,} × {columns:,} = {counted(rows * columns, 'patch')}"
    sheet.text(left, top + 0.23, cells, size=SMALL, colour=sheet.colours.subdued)


def _cut_up(axes: Axes, pixels: NDArray[np.uint8], grid: Sequence[int], block: int) -> None:
    """A picture under its grid, in units of cells, so that lines stand exactly between them."""
    rows, columns = grid
    axes.imshow(for_print(pixels), extent=(0, columns, rows, 0), aspect="auto", interpolation="none")
    colour = DARK if pixels.mean() > 110 else WHITE
    lines = ((1, 0.3, 0.4), (block, 0.55, 0.95)) if block > 1 else ((1, 0.4, 0.7),)
    for every, width, alpha in lines:
        axes.vlines(np.arange(every, columns, every), 0, rows, colors=colour, linewidths=width, alpha=alpha)
        axes.hlines(np.arange(every, rows, every), 0, columns, colors=colour, linewidths=width, alpha=alpha)
    axes.set(xlim=(0, columns), ylim=(rows, 0))
    axes.set_axis_off()
