"""Draws what states read as after every layer: a table of words for print, curves for the screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from viz.paper import BODY, MARGIN, SMALL, WIDTH, Paper, cut, font, paper
from viz.theme import bare_layout, theme, tide

HEAD, ROW, CHART, GAP, AXIS = 0.42, 0.17, 1.25, 0.30, 0.34  # inches
TINY = 5.6
DARK_CELL = 0.52  # luminance below which words turn white


def lens_for_print(
    chances: Sequence[ArrayLike],
    *,
    texts: Sequence[Sequence[Sequence[str]]],
    answers: Sequence[Sequence[str]],
    said: Sequence[ArrayLike],
    titles: Sequence[str] = (),
    caption: str = "",
    dark: bool = False,
) -> Figure:
    """The likeliest word of every layer before every word of an answer, and how likely the answer's own words were.

    Args:
        chances: of each model (layers, words), the probability of the likeliest word.
        texts: those words, layer by layer.
        answers: the words of each answer.
        said: of each model (layers, words), the probability of the answer's own word.
        titles: of each column: the model.
        caption: what exactly is plotted.
        dark: for a dark page.

    Raises:
        ValueError: no model or more than two, or arrays that do not fit the words.
    """
    top, own = ([np.asarray(values, dtype=float) for values in part] for part in (chances, said))
    if not 1 <= len(top) <= 2:
        raise ValueError(f"give one model or two, not {len(top)}")
    for values, other, words in zip(top, own, answers, strict=True):
        if values.ndim != 2 or values.shape != other.shape or values.shape[1] != len(words):
            raise ValueError(f"chances must be (layers, {len(words)}), not {values.shape} and {other.shape}")
    table = ROW * (1 + max(len(values) for values in top))
    sheet = paper(HEAD + table + 0.45 + CHART + 0.25, caption=caption, dark=dark)
    room = (WIDTH - 2 * MARGIN - GAP) / 2
    for number, values in enumerate(top):
        left = MARGIN + number * (room + GAP)
        sheet.text(left, 0.08, cut([*titles, "", ""][number], room, BODY, bold=True), bold=True)
        _table(sheet, left, room, values, texts[number], answers[number])
        words = "probability of each word of the answer, by layer; bold: their mean"
        sheet.text(left, HEAD + table + 0.14, cut(words, room, SMALL), size=SMALL, colour=sheet.colours.subdued)
        _chances(sheet.axes(left + AXIS, HEAD + table + 0.34, room - AXIS, CHART), own[number], sheet)
    return sheet.figure


def _table(
    sheet: Paper,
    left: float,
    room: float,
    values: NDArray[np.float64],
    texts: Sequence[Sequence[str]],
    answer: Sequence[str],
) -> None:
    layers, count = values.shape
    height = ROW * (1 + layers)
    axes = sheet.axes(left, HEAD, room, height)
    axes.set(xlim=(0, room), ylim=(height, 0))
    axes.set_axis_off()
    wide = (room - AXIS) / max(1, count)
    for word, text in enumerate(answer):
        _words(axes, AXIS + (word + 0.5) * wide, ROW / 2, cut(text, wide, TINY), sheet.colours.text)
    for layer in range(layers):
        _words(axes, AXIS / 2, ROW * (layer + 1.5), str(layer), sheet.colours.subdued)
        for word in range(count):
            colour = tide(values[layer, word], dark=sheet.colours is theme(True)) / 255
            place = (AXIS + word * wide, ROW * (layer + 1))
            axes.add_patch(Rectangle(place, wide * 0.96, ROW * 0.92, facecolor=colour, edgecolor="none"))
            ink = "#ffffff" if colour @ np.array([0.2126, 0.7152, 0.0722]) < DARK_CELL else "#15181e"
            text = cut(" ".join(texts[layer][word].split()) or "␣", wide * 0.94, TINY)
            _words(axes, AXIS + (word + 0.48) * wide, ROW * (layer + 1.46), text, ink)


def _words(axes: Axes, x: float, y: float, words: str, colour: str) -> None:
    text = axes.text(x, y, words, ha="center", va="center", color=colour)
    text.set_fontproperties(font(TINY))
    text.set_parse_math(False)


def _chances(axes: Axes, values: NDArray[np.float64], sheet: Paper) -> None:
    layers = np.arange(len(values))
    if values.shape[1]:
        axes.plot(layers, values, color=sheet.colours.kind_text, linewidth=0.5)
        axes.plot(layers, values.mean(axis=1), color=sheet.colours.text, linewidth=1.3, marker="o", markersize=2)
    axes.set(ylim=(0, 1.02), xlim=(-0.2, len(values) - 0.8))
    axes.set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"])
    axes.set_xticks(layers[:: max(1, len(layers) // 12)])
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def chances_by_layer(
    chances: Mapping[str, ArrayLike], *, unit: str = "probability", title: str = "", dark: bool = False
) -> go.Figure:
    """Curves over layers, one for each name: for the screen. Models of several depths run from first to last alike.

    Args:
        chances: by name, (layers,).
        unit: what the values are.
        title: of the figure.
        dark: for a dark page.
    """
    colours, figure = theme(dark), go.Figure()
    dashes = ["solid", "dash", "dot", "dashdot"]
    for number, (name, values) in enumerate(chances.items()):
        each = np.asarray(values, dtype=float)
        figure.add_scatter(
            x=np.linspace(0, 1, len(each)),
            y=each,
            name=name,
            customdata=np.arange(len(each)),
            line={"color": colours.text, "dash": dashes[number % len(dashes)]},
            hovertemplate=f"{name}, layer %{{customdata}}<br>%{{y:.4g}}<extra></extra>",
        )
    figure.update_layout(bare_layout(title, dark=dark, top=8), legend={"orientation": "h"})
    figure.update_xaxes(title="depth, from the first layer to the last", gridcolor=colours.line)
    figure.update_yaxes(title=unit, gridcolor=colours.line, rangemode="tozero")
    return figure
