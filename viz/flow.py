"""Draws through which layers information travels: a curve for each pair of groups, models side by side, for print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from viz.paper import BODY, MARGIN, SMALL, WIDTH, Paper, cut, paper

HEAD, CHART, GAP, AXIS = 0.46, 1.9, 0.34, 0.52  # inches
LINES = ("-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)))


def flow_curves(
    curves: Sequence[Mapping[str, ArrayLike]],
    *,
    titles: Sequence[str] = (),
    subtitles: Sequence[str] = (),
    caption: str = "",
    dark: bool = False,
) -> Figure:
    """The relative change of a probability while each pair of groups is cut, over the middle of the window of layers.

    Models share one scale, so that their curves can be compared; layers that are not computed yet are left open.

    Args:
        curves: of each model, by the name of the pair ("image → last"), (layers,): (p' - p) / p, -1 where all is lost.
        titles: of each column: the model.
        subtitles: of each column: the word and the window.
        caption: what exactly is plotted.
        dark: for a dark page.

    Raises:
        ValueError: no model or more than two, or more pairs than there are kinds of lines.
    """
    if not 1 <= len(curves) <= 2:
        raise ValueError(f"give one model or two, not {len(curves)}")
    lines = [{name: np.asarray(values, dtype=float) for name, values in one.items()} for one in curves]
    names = list(dict.fromkeys(name for one in lines for name in one))
    if len(names) > len(LINES):
        raise ValueError(f"give at most {len(LINES)} pairs, not {len(names)}")
    sheet = paper(HEAD + CHART + 0.56, caption=caption, dark=dark)
    room = (WIDTH - 2 * MARGIN - (GAP if len(curves) > 1 else 0)) / len(curves)
    low, high = _range([values for one in lines for values in one.values()])
    for number, one in enumerate(lines):
        left = MARGIN + number * (room + GAP)
        sheet.text(left, 0.08, cut([*titles, "", ""][number], room, BODY, bold=True), bold=True)
        words = cut([*subtitles, "", ""][number], room, SMALL)
        sheet.text(left, 0.26, words, size=SMALL, colour=sheet.colours.subdued)
        axes = sheet.axes(left + AXIS, HEAD, room - AXIS, CHART)
        _curves(axes, one, names, sheet)
        axes.set_ylim(low, high)
    return sheet.figure


def _range(curves: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    """What all curves lie in, 0 among it."""
    values = np.concatenate([np.zeros(1), *curves])
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = 0.06 * (high - low or 1)
    return low - room, high + room


def _curves(axes: Axes, lines: Mapping[str, NDArray[np.float64]], names: Sequence[str], sheet: Paper) -> None:
    colours = sheet.colours
    axes.axhline(0, color=colours.line, linewidth=0.8)
    for name, values in lines.items():
        number = names.index(name)
        colour = colours.text if number % 2 == 0 else colours.subdued
        layers = np.arange(len(values))
        axes.plot(layers, values, color=colour, linestyle=LINES[number], marker="o", markersize=2.2, label=name)
    count = max((len(values) for values in lines.values()), default=1)
    axes.set_xticks(range(0, count, max(1, count // 8)))
    axes.yaxis.set_major_formatter(lambda value, _: f"{round(100 * value, 2):,g} %")
    axes.tick_params(labelsize=SMALL)
    axes.set_xlabel("layer in the middle of the window", fontsize=SMALL, color=colours.subdued)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if lines:
        for text in axes.legend(fontsize=SMALL, frameon=False, loc="best", labelcolor=colours.text).get_texts():
            text.set_parse_math(False)
