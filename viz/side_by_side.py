"""Draws maps of several models on one original picture, at one size, for print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from viz.contours import fewest_cells, loops
from viz.paper import BODY, COLUMN, LEADING, SMALL, Paper, cut, left_of, paper, wrapped
from viz.theme import diverging, overlay, quieten, viridis
from viz.words import counted, percent

HEAD, FOOT = 0.50, 0.42  # inches above and beneath a picture
SCALE = 0.52  # right of a picture: the bar of its scale and its numbers
SIGNED_SCALE = 0.62  # the same where numbers have signs
TALLEST = 4.4  # inches a picture may have
NAMES, BAR = 1.45, 0.17  # inches: the names of bars, and from bar to bar
LARGEST = 1600  # pixels of a picture's longer side in the file: 500 to the inch
CELL = 12  # pixels of a cell in the file, so that no viewer that smooths pictures can blur its edges
SCALE_STEPS = 128
KEY, UNDER = "#7fbcff", "#080a0e"  # on a picture the theme does not matter


@dataclass(frozen=True)
class Column:
    """One map: its values, the cells that the dashed line goes round, its words, and where its scale ends."""

    values: NDArray[np.float64]
    dashed: NDArray[np.bool_]
    title: str
    subtitle: str
    unit: str
    share: float
    maximum: float
    foot: str
    what: str


def attention_side_by_side(
    maps: Sequence[ArrayLike | None],
    *,
    picture: Any,
    titles: Sequence[str] = (),
    subtitles: Sequence[str] = (),
    units: Sequence[str] = (),
    shares: Sequence[float] = (),
    maxima: Sequence[float] = (),
    feet: Sequence[str] = (),
    signed: bool = False,
    difference: tuple[ArrayLike, ArrayLike, ArrayLike] | None = None,
    agreement: Sequence[str] = (),
    outlined: Sequence[ArrayLike] = (),
    bars: Sequence[Sequence[tuple[str, float]]] = (),
    place: str = "picture",
    caption: str = "",
    dark: bool = False,
) -> Figure:
    """One or two maps on the same original picture, each with its scale, its absolute share and half of it outlined.

    Cells are hard-edged, each on its own model's grid; the dashed line goes round the fewest that hold half of the sum.

    Args:
        maps: shares of a row, each of shape (rows, columns) or (1, rows, columns), on any grid that covers the whole
            picture evenly; None for the picture alone.
        picture: the original, an image or (height, width, 3) of 8 bits; a list of one for each map where they differ,
            as the frames of a clip may.
        titles, subtitles: of each map: the model; its answer, its layer and head.
        units: what a cell of each map is, "patch" or "token"; "cell" when empty.
        shares: of each row that falls on the picture, 0..1; the sum of each map when empty.
        maxima: where each scale ends; each map's largest value when empty.
        feet: what stands beneath each map instead of its share of the row.
        signed: the maps are differences: teal above zero, rose below it, zero bare, each scale from -maximum to
            maximum; the dashed line goes round half of what is more.
        difference: of two maps, drawn beneath them on the first picture: (xs, ys, values), the lines of their common
            grid in 0..1 and first minus second in each of its pieces, as `qwenvl.analysis.map_agreement` gives them.
        outlined: cells, (rows, columns) of truth, that the dashed line goes round instead of half of each map.
        bars: beneath each map, names and shares of other rows.
        agreement: what stands beside the difference, a line each, the first in bold.
        place: what the picture is, "frame" of a clip.
        caption: what exactly is plotted.
        dark: for a dark page.

    Raises:
        ValueError: no map or more than two, another shape, or not as many words as maps.
    """
    cells, pictures = _read(maps, picture)
    columns = _columns(cells, titles, subtitles, units, shares, maxima, feet, outlined, signed)
    size = fitted(pictures[0], COLUMN - (SIGNED_SCALE if signed or difference else SCALE))
    beneath = HEAD + size[1] + FOOT
    more = size[1] + 0.42 if difference else max((len(each) for each in bars), default=0) * BAR
    sheet = paper(beneath + more, caption=caption, dark=dark)
    if difference:
        _draw_difference(sheet, beneath, size, pictures[0], difference, agreement, dark)
    for number, (pixels, column) in enumerate(zip(pictures, columns, strict=True)):
        _words(sheet, left_of(number), size[1], column, place)
        _draw_map(sheet, left_of(number), size, column, pixels, maps[number] is not None, signed, dark)
        _draw_bars(sheet, left_of(number), beneath, bars[number] if bars else ())
    return sheet.figure


def _read(maps: Sequence[ArrayLike | None], picture: Any) -> tuple[list[NDArray[np.float64]], list[NDArray[np.uint8]]]:
    """Each map, one empty cell where there is none, and the picture under it."""
    if not 1 <= len(maps) <= 2:
        raise ValueError(f"give one map or two, not {len(maps)}")
    pictures = picture if isinstance(picture, list) else [picture] * len(maps)
    cells = [np.zeros((1, 1)) if values is None else still(values) for values in maps]
    return cells, [pixels_of(one) for one in pictures]


def _draw_map(
    sheet: Paper,
    left: float,
    size: tuple[float, float],
    column: Column,
    picture: NDArray[np.uint8],
    scale: bool,
    signed: bool,
    dark: bool,
) -> None:
    """A map on its picture, with its scale where there is anything to scale."""
    axes = sheet.axes(left, HEAD, *size)
    lay_map(axes, column.values, picture=picture, maximum=column.maximum, signed=signed, dark=dark)
    outline(axes, column.dashed, picture=picture)
    if scale:
        draw_scale(sheet, left + size[0] + 0.08, HEAD, size[1], column.maximum, signed=signed)


def _draw_bars(sheet: Paper, left: float, top: float, bars: Sequence[tuple[str, float]]) -> None:
    """Named shares, a line each, drawn to the largest."""
    most = max((value for _, value in bars), default=0.0) or 1.0
    room = COLUMN - NAMES - 0.72
    for number, (name, value) in enumerate(bars):
        at = top + number * BAR
        axes = sheet.axes(left + NAMES, at + 0.015, room, BAR - 0.085)
        axes.barh([0], [value / most], height=1, color=sheet.colours.kind_text)
        axes.set(xlim=(0, 1), ylim=(-0.5, 0.5))
        axes.set_axis_off()
        sheet.text(left, at, cut(name, NAMES - 0.06, SMALL), size=SMALL, colour=sheet.colours.subdued)
        sheet.text(left + NAMES + room + 0.06, at, percent(value), size=SMALL)


def still(values: ArrayLike) -> NDArray[np.float64]:
    """A map as (rows, columns), from that or from the (1, rows, columns) of a still. Raises ValueError otherwise."""
    cells = np.asarray(values, dtype=float)
    if cells.ndim == 3 and len(cells) == 1:
        cells = cells[0]
    if cells.ndim != 2:
        raise ValueError(f"a map must be (rows, columns), not {cells.shape}: of a clip's, choose one cell in time")
    return cells


def pixels_of(picture: ArrayLike) -> NDArray[np.uint8]:
    """A picture as (height, width, 3) of 8 bits. Raises ValueError for another shape."""
    pixels = np.asarray(picture, dtype=np.uint8)
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(f"a picture must be (height, width, 3), not {pixels.shape}")
    return pixels


def _columns(
    cells: Sequence[NDArray[np.float64]],
    titles: Sequence[str],
    subtitles: Sequence[str],
    units: Sequence[str],
    shares: Sequence[float],
    maxima: Sequence[float],
    feet: Sequence[str],
    outlined: Sequence[ArrayLike],
    signed: bool,
) -> list[Column]:
    what = "chosen:" if outlined else f"half of {'what is more' if signed else 'it'} in"
    given = zip(
        cells,
        [np.asarray(one, dtype=bool) for one in outlined] or [fewest_cells(values.clip(min=0)) for values in cells],
        titles or [""] * len(cells),
        subtitles or [""] * len(cells),
        units or ["cell"] * len(cells),
        shares or [float(values.sum()) for values in cells],
        maxima or [float((np.abs(values) if signed else values).max(initial=0.0)) for values in cells],
        feet or [""] * len(cells),
        [what] * len(cells),
        strict=True,
    )
    return [Column(*words) for words in given]


def fitted(pixels: NDArray[np.uint8], room: float) -> tuple[float, float]:
    """Width and height in inches of a picture that fills this room, unless it were too tall."""
    height, width = pixels.shape[:2]
    tall = min(TALLEST, room * height / width)
    return tall * width / height, tall


def _words(sheet: Paper, left: float, height: float, column: Column, place: str) -> None:
    subdued = sheet.colours.subdued
    sheet.text(left, 0.10, cut(column.title, COLUMN, BODY, bold=True), bold=True)
    sheet.text(left, 0.28, cut(column.subtitle, COLUMN, SMALL), size=SMALL, colour=subdued)
    held = f"{column.what} {int(column.dashed.sum()):,} of {counted(column.dashed.size, column.unit)} (dashed)"
    held = "" if column.what == "chosen:" and not column.dashed.any() else held
    foot = column.foot or f"{percent(column.share)} of the row on this {place}"
    sheet.text(left, HEAD + height + 0.08, cut(foot, COLUMN, BODY, bold=True), bold=True)
    sheet.text(left, HEAD + height + 0.24, held, size=SMALL, colour=subdued)


def _draw_difference(
    sheet: Paper,
    top: float,
    size: tuple[float, float],
    picture: NDArray[np.uint8],
    difference: tuple[ArrayLike, ArrayLike, ArrayLike],
    agreement: Sequence[str],
    dark: bool,
) -> None:
    """First minus second on their common grid, under the maps, and what is to be said of it beside."""
    xs, ys, values = (np.asarray(part, dtype=float) for part in difference)
    most = float(np.abs(values).max(initial=0.0))
    sheet.text(left_of(0), top + 0.1, "Difference: first minus second", bold=True)
    axes = sheet.axes(left_of(0), top + 0.3, *size)
    lay_map(axes, on_pixels(xs, ys, values, picture), picture=picture, maximum=most, signed=True, dark=dark)
    draw_scale(sheet, left_of(0) + size[0] + 0.08, top + 0.3, size[1], most, signed=True, unit="")
    at = top + 0.3
    for number, line in enumerate(agreement):
        for words in wrapped(line, COLUMN, BODY if number == 0 else SMALL):
            sheet.text(left_of(1), at, words, bold=number == 0, size=BODY if number == 0 else SMALL)
            at += (BODY if number == 0 else SMALL) * LEADING / 72
        at += 0.06


def on_pixels(
    xs: NDArray[np.float64], ys: NDArray[np.float64], values: NDArray[np.float64], picture: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """An uneven grid on even, finer cells in the picture's proportions: each takes the piece its centre lies in."""
    longest = max(picture.shape[:2])
    rows, columns = (max(1, round(side * LARGEST / longest)) for side in picture.shape[:2])
    down = np.searchsorted(ys, (np.arange(rows) + 0.5) / rows, side="right") - 1
    across = np.searchsorted(xs, (np.arange(columns) + 0.5) / columns, side="right") - 1
    return values[np.ix_(down, across)]


def draw_scale(
    sheet: Paper, left: float, top: float, height: float, maximum: float, *, signed: bool = False, unit: str = "%"
) -> None:
    """A bar of the colours from nothing, or from -maximum, to the maximum.

    Args:
        sheet, left, top, height: where it stands, in inches.
        maximum: where the scale ends.
        signed: from rose through the surface, which is nothing, to teal.
        unit: "%" for a share in per cent, "" for a number as it is.
    """
    axes = sheet.axes(left, top, 0.07, height)
    low = -1 if signed else 0
    values = np.linspace(1, low, SCALE_STEPS)[:, None]
    ramp = _on_surface(values, sheet) if signed else viridis(values)
    axes.imshow(ramp, extent=(0, 1, low, 1), aspect="auto", interpolation="none")
    axes.set_xticks([])
    axes.yaxis.tick_right()
    marks = (-1, 0, 1) if signed else (0, 0.5, 1)
    axes.set_yticks(marks, [_mark(part * maximum, signed, unit) for part in marks])
    for spine in axes.spines.values():
        spine.set_visible(False)


def _mark(value: float, signed: bool, unit: str) -> str:
    size = scale_number(abs(value)) if unit == "%" else f"{abs(value):.3g}"
    return size if not signed or value == 0 else f"{'+' if value > 0 else '−'}{size}"


def _on_surface(values: NDArray[np.float64], sheet: Paper) -> NDArray[np.uint8]:
    """Colours of a signed scale as they are seen on the paper."""
    alpha = np.clip(2.3 * np.abs(values), 0, 1)[..., None]
    return np.round(255 * np.array(to_rgb(sheet.colours.surface)) * (1 - alpha) + diverging(values) * alpha).astype(
        np.uint8
    )


def lay_map(
    axes: Axes,
    values: NDArray[np.float64],
    *,
    picture: NDArray[np.uint8],
    maximum: float,
    signed: bool = False,
    dark: bool = False,
) -> None:
    """Draw a map over the quietened picture, hard-edged, in pixels of the original.

    Args:
        axes: to draw on.
        values: (rows, columns), shares of a row; differences of such when `signed`.
        picture: the original, (height, width, 3).
        maximum: where the scale ends.
        signed: in rose and teal, from -maximum to maximum.
        dark: for a dark page.
    """
    height, width = picture.shape[:2]
    extent = (0, width, height, 0)
    axes.imshow(quieten(for_print(picture), dark=dark), extent=extent, interpolation="none", aspect="auto")
    drawn = np.round(255 * overlay(values, maximum=maximum, signed=signed)).astype(np.uint8)
    times = max(1, min(CELL, LARGEST // max(values.shape)))
    large = drawn.repeat(times, axis=0).repeat(times, axis=1)
    axes.imshow(large, extent=extent, interpolation="none", aspect="auto")
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()


def outline(axes: Axes, cells: NDArray[np.bool_], *, picture: NDArray[np.uint8]) -> None:
    """A dashed line round these cells, (rows, columns) of truth, on axes in pixels of the original."""
    size = np.array([picture.shape[1] / cells.shape[1], picture.shape[0] / cells.shape[0]])
    for line in loops(cells):
        x, y = (line * size).T
        axes.plot(x, y, color=UNDER, linewidth=1.9, solid_joinstyle="miter", clip_on=False)
        axes.plot(x, y, color=KEY, linewidth=0.9, linestyle=(0, (2.6, 2)), dash_capstyle="butt", clip_on=False)


def for_print(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture at the size it has in the file: scaled down where it is larger than print can show."""
    longest = max(picture.shape[:2])
    if longest <= LARGEST:
        return picture
    height, width = (max(1, round(side * LARGEST / longest)) for side in picture.shape[:2])
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS))


def scale_number(share: float) -> str:
    """A number beside a scale: per cent, with as many digits as tell it from nothing."""
    value = 100 * share
    if value and value < 0.01:
        digits, exponent = f"{value:.0e}".split("e")
        return f"{digits}e{int(exponent)} %"
    return "0" if value == 0 else f"{value:.3g} %"
