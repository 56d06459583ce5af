"""Draws what taking a part of a picture away did to a word, and deletion and insertion curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from viz.paper import BODY, COLUMN, SMALL, Paper, cut, left_of, paper
from viz.side_by_side import fitted, for_print, outline
from viz.theme import Theme, bare_layout, theme
from viz.words import percent

HEAD, BAR, FOOT = 0.50, 0.12, 0.72  # inches above a picture, of a bar, beneath a picture
NAMES = 0.85  # inches left of a bar, for its name
CHART, SMALL_CHART = 1.55, 0.95  # inches of a chart's height

Line = tuple[ArrayLike, ArrayLike]  # x and y of a curve


def effects_side_by_side(
    effects: Sequence[tuple[float, float]],
    *,
    pictures: Sequence[ArrayLike],
    size: tuple[int, int] | None = None,
    cells: Sequence[ArrayLike] = (),
    titles: Sequence[str] = (),
    subtitles: Sequence[str] = (),
    names: tuple[str, str] = ("as it was", "without"),
    painted: Sequence[ArrayLike] = (),
    curves: Sequence[ArrayLike] = (),
    caption: str = "",
    dark: bool = False,
) -> Figure:
    """The probability of a word before and after a place was taken away, in one or two models: for print.

    Args:
        effects: for each model the probability before and after, 0..1.
        pictures: for each model the original, painted where it was painted, (height, width, 3), 8 bits.
        size: (width, height) of the original, to which pictures are stretched; None for the first picture's own.
        cells: for each model the cells that were hidden from attention, (rows, columns) of truth; empty for none.
        titles, subtitles: of each model.
        names: what the two bars stand for.
        painted: for each model the share of a map's cells that is gone at each step, (steps,); empty for no curves.
        curves: for each model the probability at each step while cells go in the map's order, in the reversed one and
            in random ones, (2 + orders, steps).
        caption: what exactly was done and is plotted.
        dark: for a dark page.

    Raises:
        ValueError: no model or more than two, or not a picture for each.
    """
    if not 1 <= len(effects) <= 2 or len(pictures) != len(effects):
        raise ValueError(f"give one or two effects with a picture each, not {len(effects)} with {len(pictures)}")
    shown = [np.asarray(picture, dtype=np.uint8) for picture in pictures]
    wide, tall = size or shown[0].shape[1::-1]
    width, height = fitted(np.empty((tall, wide, 3), dtype=np.uint8), COLUMN)
    sheet = paper(HEAD + height + FOOT + (SMALL_CHART + 0.62 if curves else 0), caption=caption, dark=dark)
    for number, (pixels, pair) in enumerate(zip(shown, effects, strict=True)):
        left = left_of(number)
        sheet.text(left, 0.10, cut(titles[number] if titles else "", COLUMN, BODY, bold=True), bold=True)
        words = cut(subtitles[number] if subtitles else "", COLUMN, SMALL)
        sheet.text(left, 0.28, words, size=SMALL, colour=sheet.colours.subdued)
        axes = sheet.axes(left, HEAD, width, height)
        _lay_picture(axes, pixels)
        if cells:
            outline(axes, np.asarray(cells[number], dtype=bool), picture=pixels)
        for row, (name, value) in enumerate(zip(names, pair, strict=True)):
            _bar(sheet, left, HEAD + height + 0.14 + row * 0.22, name, value, strong=row == 1)
        if curves:
            gone, values = (np.asarray(part, dtype=float) for part in (painted[number], curves[number]))
            _both_charts(sheet, left, HEAD + height + FOOT, gone, values)
    return sheet.figure


def _both_charts(sheet: Paper, left: float, top: float, gone: NDArray[np.float64], values: NDArray[np.float64]) -> None:
    """Deletion, and the same pictures backwards: insertion in the map's order is deletion in the reversed one."""
    falling, rising, *random = values
    room = COLUMN / 2
    for number, (name, x, first, second, others) in enumerate(
        [
            ("deletion", gone, falling, rising, random),
            ("insertion", 1 - gone[::-1], rising[::-1], falling[::-1], [one[::-1] for one in random]),
        ]
    ):
        area = float(np.trapezoid(first, x))
        chance = float(np.mean([np.trapezoid(one, x) for one in others])) if others else None
        words = f"{name} {area:.3f}" + ("" if chance is None else f", random {chance:.3f}")
        sheet.text(left + number * room, top, cut(words, room - 0.05, SMALL), size=SMALL, colour=sheet.colours.subdued)
        axes = sheet.axes(left + number * room + 0.36, top + 0.18, room - 0.48, SMALL_CHART)
        lines: dict[str, Line] = {"map's order": (x, first), "reversed": (x, second)}
        _chart(axes, lines, [(x, one) for one in others], sheet.colours, legend=False)


def _lay_picture(axes: Axes, pixels: NDArray[np.uint8]) -> None:
    height, width = pixels.shape[:2]
    axes.imshow(for_print(pixels), extent=(0, width, height, 0), interpolation="none", aspect="auto")
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()


def _bar(sheet: Paper, left: float, top: float, name: str, value: float, *, strong: bool) -> None:
    room = COLUMN - NAMES - 0.95
    axes = sheet.axes(left + NAMES, top, room, BAR)
    axes.barh([0], [1], height=1, color=sheet.colours.well)
    axes.barh([0], [value], height=1, color=sheet.colours.text if strong else sheet.colours.kind_text)
    axes.set(xlim=(0, 1), ylim=(-0.5, 0.5))
    axes.set_axis_off()
    sheet.text(left, top - 0.005, cut(name, NAMES - 0.05, SMALL), size=SMALL, colour=sheet.colours.subdued)
    sheet.text(left + NAMES + room + 0.06, top - 0.02, percent(value), bold=strong)


def deletion_curves(
    curves: Mapping[str, Mapping[str, Line]],
    *,
    random: Mapping[str, Sequence[Line]] | None = None,
    title: str = "",
    caption: str = "",
    dark: bool = False,
) -> Figure:
    """Curves of deletion and insertion with the range of random orders, a chart each: for print.

    Args:
        curves: one or two charts by their titles; of each, lines by their names, as (x, y): share of the cells, and
            the word's probability. The first line of a chart is drawn strongest.
        random: for a chart, lines of random orders on one x: their range is shaded, their mean drawn.
        title: above the charts.
        caption: what exactly is plotted.
        dark: for a dark page.

    Raises:
        ValueError: no chart or more than two.
    """
    if not 1 <= len(curves) <= 2:
        raise ValueError(f"give one chart or two, not {len(curves)}")
    sheet = paper(HEAD + CHART + 0.42, caption=caption, dark=dark)
    sheet.text(left_of(0), 0.08, title, bold=True)
    for number, (name, lines) in enumerate(curves.items()):
        left = left_of(number) + 0.38
        sheet.text(left, 0.27, cut(name, COLUMN - 0.4, SMALL), size=SMALL, colour=sheet.colours.subdued)
        axes = sheet.axes(left, HEAD, COLUMN - 0.42, CHART)
        _chart(axes, lines, (random or {}).get(name, ()), sheet.colours)
    return sheet.figure


def _chart(
    axes: Axes, lines: Mapping[str, Line], random: Sequence[Line], colours: Theme, *, legend: bool = True
) -> None:
    if random:
        values = np.array([np.asarray(y, dtype=float) for _, y in random])
        x = np.asarray(random[0][0], dtype=float)
        low, high = values.min(axis=0), values.max(axis=0)
        axes.fill_between(x, low, high, color=colours.kind_text, alpha=0.25, linewidth=0, label="random, range")
        axes.plot(x, values.mean(axis=0), color=colours.kind_text, linewidth=1.0, label="random, mean")
    for number, (name, (along, heights)) in enumerate(lines.items()):
        colour, width, dash = (colours.subdued, 1.0, ":") if number else (colours.text, 1.6, "-")
        axes.plot(np.asarray(along), np.asarray(heights), color=colour, linewidth=width, linestyle=dash, label=name)
    every = [*(y for _, y in lines.values()), *(y for _, y in random)]
    most = max((float(np.max(np.asarray(y, dtype=float))) for y in every), default=0.0)
    axes.set(xlim=(0, 1), ylim=(0, 1 if most > 0.5 else 1.1 * most or 1))
    axes.set_xticks([0, 0.5, 1], ["0", "50 %", "100 %"])
    top = axes.get_ylim()[1]
    ticks = (0, top / 2, top)
    axes.set_yticks(ticks, [f"{100 * tick:.3g} %" for tick in ticks])
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if legend:
        for text in axes.legend(fontsize=SMALL, frameon=False, loc="best", labelcolor=colours.text).get_texts():
            text.set_parse_math(False)


def deletion_curves_interactive(
    curves: Mapping[str, Line], *, random: Sequence[Line] = (), title: str = "", dark: bool = False
) -> go.Figure:
    """One chart of deletion or insertion for the screen: hover a line to read the probability.

    Args: as `deletion_curves`, of one chart.
    """
    colours, figure = theme(dark), go.Figure()
    if random:
        x = [float(at) for at in np.asarray(random[0][0])]
        values = np.array([np.asarray(y, dtype=float) for _, y in random])
        shade = {"fill": "toself", "fillcolor": "rgba(134,143,158,.25)", "line": {"width": 0}, "hoverinfo": "skip"}
        edge = [*values.max(axis=0).tolist(), *values.min(axis=0)[::-1].tolist()]
        figure.add_trace(go.Scatter(x=[*x, *x[::-1]], y=edge, mode="lines", name="random, range", **shade))
        mean = {"color": colours.kind_text, "width": 1.5}
        figure.add_trace(go.Scatter(x=x, y=values.mean(axis=0).tolist(), name="random, mean", line=mean))
    for number, (name, (along, heights)) in enumerate(curves.items()):
        line = {"color": colours.text if number == 0 else colours.subdued, "width": 2.5 if number == 0 else 1.5}
        line["dash"] = "solid" if number == 0 else "dot"
        x, y = (np.asarray(part, dtype=float).tolist() for part in (along, heights))
        figure.add_trace(go.Scatter(x=x, y=y, mode="lines", name=name, line=line))
    figure.update_layout(bare_layout(title, dark=dark, top=10), margin={"l": 50, "r": 10, "b": 36})
    figure.update_xaxes(range=[0, 1], tickformat=".0%", gridcolor=colours.line)
    figure.update_yaxes(rangemode="tozero", tickformat=".3~%", gridcolor=colours.line)
    return figure
