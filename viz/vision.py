"""Draws where a patch looks in one or two vision towers, and how far every head does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from viz.contours import fewest_cells
from viz.paper import BODY, MARGIN, SMALL, WIDTH, Paper, cut, paper
from viz.side_by_side import lay_map, outline, scale_number
from viz.theme import FONT, theme
from viz.words import counted, percent

HEAD, FOOT, CHART = 0.50, 0.74, 1.35  # inches above a picture, beneath it, and of the curves
GAP = 0.30  # between two columns
TALLEST = 3.2  # inches a picture may have
AXIS = 0.32  # left and beneath a chart
QUERY = "#ff9840"  # on a picture the theme does not matter


def vision_for_print(
    maps: Sequence[ArrayLike],
    *,
    picture: ArrayLike,
    patches: Sequence[int],
    distances: Sequence[ArrayLike],
    even: Sequence[float],
    chosen: Sequence[tuple[int, int | str]],
    titles: Sequence[str] = (),
    subtitles: Sequence[str] = (),
    caption: str = "",
    dark: bool = False,
) -> Figure:
    """A patch's row on the picture in each tower, and beneath it the mean attention distance of every head by layer.

    Args:
        maps: of each model the row, (rows, columns) of patches.
        picture: the original, (height, width, 3), 8 bits.
        patches: of each model the patch whose row it is, in raster order.
        distances: of each model (layers, heads), in patches.
        even: of each model, what an even look would have.
        chosen: of each model the layer and head of the row; the head may be "mean".
        titles, subtitles: of each column.
        caption: what exactly is plotted.
        dark: for a dark page.

    Raises:
        ValueError: no map or more than two, or arrays of other shapes.
    """
    cells = [np.asarray(values, dtype=float) for values in maps]
    curves = [np.asarray(values, dtype=float) for values in distances]
    if not 1 <= len(cells) <= 2 or any(values.ndim != 2 for values in (*cells, *curves)):
        raise ValueError("give one or two maps (rows, columns), each with distances (layers, heads)")
    pixels = np.asarray(picture, dtype=np.uint8)
    room = (WIDTH - 2 * MARGIN - GAP) / 2
    height = min(TALLEST, room * pixels.shape[0] / pixels.shape[1])
    sheet = paper(HEAD + height + FOOT + CHART + AXIS, caption=caption, dark=dark)
    for number, values in enumerate(cells):
        left = MARGIN + number * (room + GAP)
        sheet.text(left, 0.08, cut([*titles, "", ""][number], room, BODY, bold=True), bold=True)
        words = cut([*subtitles, "", ""][number], room, SMALL)
        sheet.text(left, 0.26, words, size=SMALL, colour=sheet.colours.subdued)
        _map(sheet, left, height, values, pixels, patches[number])
        _curves(sheet, left, HEAD + height + FOOT, room, curves[number], even[number], chosen[number])
    return sheet.figure


def _map(
    sheet: Paper, left: float, height: float, values: NDArray[np.float64], pixels: NDArray[np.uint8], patch: int
) -> None:
    axes = sheet.axes(left, HEAD, height * pixels.shape[1] / pixels.shape[0], height)
    lay_map(axes, values, picture=pixels, maximum=float(values.max()), dark=sheet.colours is theme(True))
    outline(axes, fewest_cells(values), picture=pixels)
    row, column = divmod(patch, values.shape[1])
    wide, tall = pixels.shape[1] / values.shape[1], pixels.shape[0] / values.shape[0]
    for colour, width in (("#080a0e", 2.2), (QUERY, 1.2)):
        frame = Rectangle((column * wide, row * tall), wide, tall, fill=False, edgecolor=colour, linewidth=width)
        axes.add_patch(frame)
    half = f"half in {int(fewest_cells(values).sum()):,} of {counted(values.size, 'patch')} (dashed)"
    own = f"{percent(float(values[row, column]))} on the patch itself (orange)"
    words = [f"at most {scale_number(float(values.max()))} in one patch; {half}", own]
    sheet.lines(left, HEAD + height + 0.08, words, size=SMALL, colour=sheet.colours.subdued)


def _curves(
    sheet: Paper,
    left: float,
    top: float,
    room: float,
    distances: NDArray[np.float64],
    even: float,
    chosen: tuple[int, int | str],
) -> None:
    axes, colours = sheet.axes(left + AXIS, top, room - AXIS, CHART), sheet.colours
    layers, (layer, head) = np.arange(len(distances)), chosen
    axes.plot(layers, distances, color=colours.kind_text, linewidth=0.5)
    axes.plot(layers, distances.mean(axis=1), color=colours.text, linewidth=1.3, marker="o", markersize=2)
    if not isinstance(head, str):
        axes.plot(layers, distances[:, head], color=colours.query, linewidth=1.0, marker="o", markersize=1.6)
    axes.axvline(layer, color=colours.query, linewidth=0.7)
    axes.axhline(even, color=colours.subdued, linewidth=0.7, linestyle=(0, (4, 3)))
    axes.set(ylim=(0, 1.15 * max(even, float(distances.max()))), xlim=(-0.2, len(distances) - 0.8))
    axes.set_xticks(layers[:: max(1, len(layers) // 12)])
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    words = "mean distance by layer, patches; bold: mean of heads, dashed: even"
    sheet.text(left, top - 0.20, cut(words, room, SMALL), size=SMALL, colour=colours.subdued)


def tower_distances(
    distances: ArrayLike, *, even: float | None = None, unit: str = "patches", title: str = "", dark: bool = False
) -> go.Figure:
    """Mean attention distance of every head by layer: for the screen.

    Args:
        distances: (layers, heads).
        even: what an even look would have, drawn dashed; None for no line.
        unit: what a distance counts.
        title: of the figure.
        dark: for a dark page.

    Raises:
        ValueError: not (layers, heads).
    """
    values = np.asarray(distances, dtype=float)
    if values.ndim != 2:
        raise ValueError(f"distances must be (layers, heads), not {values.shape}")
    colours, layers = theme(dark), np.arange(len(values))
    figure = go.Figure()
    for head in range(values.shape[1]):
        figure.add_scatter(
            x=layers, y=values[:, head], name=f"head {head}", line={"color": colours.kind_text, "width": 1}
        )
    figure.add_scatter(x=layers, y=values.mean(axis=1), name="mean", line={"color": colours.text, "width": 3})
    if even is not None:
        figure.add_hline(y=even, line={"color": colours.subdued, "dash": "dash"}, annotation_text=f"even, {even:.1f}")
    figure.update_layout(
        title={"text": title, "font": {"size": 14}} if title else None,
        font={"family": FONT, "size": 11, "color": colours.subdued},
        paper_bgcolor=colours.surface,
        plot_bgcolor=colours.surface,
        showlegend=False,
        margin={"l": 0, "r": 0, "t": 36 if title else 8, "b": 0},
    )
    figure.update_xaxes(title="layer", gridcolor=colours.line)
    figure.update_yaxes(title=f"mean distance, {unit}", gridcolor=colours.line, rangemode="tozero")
    return figure
