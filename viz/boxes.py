"""Draws the boxes that models wrote on the original picture, for print and for the screen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from viz.paper import BODY, COLUMN, SMALL, cut, left_of, paper
from viz.side_by_side import UNDER, fitted, for_print
from viz.theme import bare_layout

HEAD, FOOT = 0.50, 0.30  # inches above and beneath a picture
WRITTEN, YOURS = "#ffffff", "#ffffff"  # on a picture the theme does not matter


def boxes_side_by_side(
    boxes: Sequence[ArrayLike],
    *,
    picture: ArrayLike,
    phrases: Sequence[Sequence[str]] = (),
    titles: Sequence[str] = (),
    subtitles: Sequence[str] = (),
    yours: ArrayLike | None = None,
    caption: str = "",
    dark: bool = False,
) -> Figure:
    """The boxes of one or two models on the same original picture: for print.

    Args:
        boxes: for each model (boxes, 4): left, top, right, bottom in pixels of the original; none at all is (0, 4).
        picture: the original, (height, width, 3), 8 bits.
        phrases: for each model what each box is of, written at it.
        titles, subtitles: of each model.
        yours: a box to compare with, dashed; None for none.
        caption: what exactly is plotted.
        dark: for a dark page.

    Raises:
        ValueError: no model or more than two, or boxes of another shape.
    """
    sets = [_checked(each) for each in boxes]
    if not 1 <= len(sets) <= 2:
        raise ValueError(f"give the boxes of one model or two, not {len(sets)}")
    pixels = np.asarray(picture, dtype=np.uint8)
    width, height = fitted(pixels, COLUMN)
    sheet = paper(HEAD + height + FOOT, caption=caption, dark=dark)
    for number, found in enumerate(sets):
        left = left_of(number)
        sheet.text(left, 0.10, cut(titles[number] if titles else "", COLUMN, BODY, bold=True), bold=True)
        words = cut(subtitles[number] if subtitles else "", COLUMN, SMALL)
        sheet.text(left, 0.28, words, size=SMALL, colour=sheet.colours.subdued)
        axes = sheet.axes(left, HEAD, width, height)
        _lay(axes, pixels, found, phrases[number] if phrases else (), yours)
        count = "1 box" if len(found) == 1 else f"{len(found)} boxes" if len(found) else "no box in this answer"
        sheet.text(left, HEAD + height + 0.08, count, size=SMALL, colour=sheet.colours.subdued)
    return sheet.figure


def boxes_on_picture_interactive(
    boxes: ArrayLike,
    *,
    picture: ArrayLike,
    phrases: Sequence[str] = (),
    title: str = "",
    dark: bool = False,
) -> go.Figure:
    """The boxes of one answer for the screen: hover an edge to read its box in pixels of the original.

    Args: as `boxes_side_by_side`, of one model.
    """
    found = _checked(boxes)
    pixels = np.asarray(picture, dtype=np.uint8)
    figure = go.Figure(go.Image(z=pixels, hoverinfo="skip"))
    for number, (left, top, right, bottom) in enumerate(found.tolist()):
        name = phrases[number] if number < len(phrases) else f"box {number}"
        figure.add_trace(
            go.Scatter(
                x=[left, right, right, left, left],
                y=[top, top, bottom, bottom, top],
                mode="lines",
                line={"color": WRITTEN, "width": 3},
                name=name,
                hovertemplate=f"{name}<br>({left:.1f}, {top:.1f}) to ({right:.1f}, {bottom:.1f})<extra></extra>",
            )
        )
    height, width = pixels.shape[:2]
    figure.update_layout(bare_layout(title, dark=dark), showlegend=False)
    figure.update_xaxes(visible=False, range=[0, width])
    figure.update_yaxes(visible=False, range=[height, 0], scaleanchor="x")
    return figure


def _checked(boxes: ArrayLike) -> NDArray[np.float64]:
    found = np.asarray(boxes, dtype=float)
    if found.ndim != 2 or found.shape[1] != 4:
        raise ValueError(f"boxes must be (boxes, 4), not {found.shape}")
    return found


def _lay(
    axes: Axes,
    pixels: NDArray[np.uint8],
    found: NDArray[np.float64],
    phrases: Sequence[str],
    yours: ArrayLike | None,
) -> None:
    height, width = pixels.shape[:2]
    axes.imshow(for_print(pixels), extent=(0, width, height, 0), interpolation="none", aspect="auto")
    for number, box in enumerate(found):
        _frame(axes, box, WRITTEN, 1.6, "solid")
        if number < len(phrases) and phrases[number]:
            box_style = {"boxstyle": "square,pad=0.25", "facecolor": "#101319", "edgecolor": "none", "alpha": 0.86}
            words = axes.text(box[0], box[1], phrases[number], color="#ffffff", size=SMALL, va="bottom", bbox=box_style)
            words.set_parse_math(False)
    if yours is not None:
        _frame(axes, np.asarray(yours, dtype=float), YOURS, 1.1, (0, (3, 2)))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()


def _frame(axes: Axes, box: NDArray[np.float64], colour: str, line: float, style: object) -> None:
    left, top, right, bottom = box
    for ink, wide, dash in ((UNDER, line + 1.4, "solid"), (colour, line, style)):
        frame = Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=ink, linewidth=wide)
        frame.set_linestyle(dash)  # type: ignore[arg-type]
        axes.add_patch(frame)
