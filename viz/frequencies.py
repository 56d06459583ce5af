"""Draws rotary frequencies: the wavelength of each channel pair, and which id it reads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from viz.drawing import Drawing
from viz.theme import Theme, bare_layout, theme

AXES = ("t", "h", "w")


def frequency_bars(
    wavelengths: ArrayLike,
    *,
    sections: Sequence[int] = (),
    largest: float | None = None,
    title: str = "",
    dark: bool = False,
) -> Figure:
    """A bar for each channel pair, its height the wavelength in positions on a logarithmic scale: for print.

    Args:
        wavelengths: positions that each pair takes to come round once, (pairs,), the fastest first.
        sections: how many pairs in turn read t, h and w; () where all read the one id of a token.
        largest: an id to compare with, drawn as a line: no pair above it comes round once.
        title: of the figure.
        dark: for a dark page.
    """
    values, axes = _checked(wavelengths, sections)
    colours = theme(dark)
    figure = Drawing(figsize=(6.4, 2.6), facecolor=colours.surface, layout="constrained")
    plot = figure.add_subplot(facecolor=colours.surface)
    plot.bar(np.arange(len(values)), values, width=0.8, color=[_colour(axis, colours) for axis in axes])
    plot.set_yscale("log")
    plot.set_ylabel("wavelength in positions", color=colours.subdued, size=8)
    plot.set_xlabel(_sections_in_words(sections, len(values)), color=colours.subdued, size=8)
    plot.tick_params(colors=colours.subdued, labelsize=8)
    plot.spines[["top", "right"]].set_visible(False)
    if largest is not None:
        plot.axhline(largest, color=colours.text, linewidth=0.8, linestyle=":")
        plot.annotate(f"largest id {largest:,.0f}", (0, largest), size=7, color=colours.text, va="bottom")
    plot.set_title(title, size=9, color=colours.text, loc="left")
    return figure


def frequency_bars_interactive(
    wavelengths: ArrayLike,
    *,
    sections: Sequence[int] = (),
    largest: float | None = None,
    title: str = "",
    dark: bool = False,
) -> go.Figure:
    """The same bars for the screen, a trace for each id, so that a hover reads pair, id and wavelength.

    Args: as `frequency_bars`.
    """
    values, axes = _checked(wavelengths, sections)
    colours = theme(dark)
    figure = go.Figure()
    for axis in dict.fromkeys(axes):
        pairs = np.flatnonzero(np.asarray(axes) == axis)
        figure.add_bar(
            x=pairs,
            y=values[pairs],
            name=axis or "id",
            marker_color=_colour(axis, colours),
            hovertemplate=f"pair %{{x}} reads {axis or 'the id'}<br>%{{y:,.1f}} positions<extra></extra>",
        )
    if largest is not None:
        figure.add_hline(largest, line={"dash": "dot", "width": 1, "color": colours.text})
    figure.update_yaxes(type="log", title_text="wavelength in positions", gridcolor=colours.line)
    figure.update_xaxes(title_text="channel pair", gridcolor=colours.line)
    figure.update_layout(bare_layout(title, dark=dark), showlegend=bool(sections))
    return figure


def _checked(wavelengths: ArrayLike, sections: Sequence[int]) -> tuple[NDArray[np.float64], list[str]]:
    """The wavelengths, and which axis each reads; "" where there is one id."""
    values = np.asarray(wavelengths, dtype=float)
    if values.ndim != 1 or (values <= 0).any():
        raise ValueError(f"wavelengths must be (pairs,) and above 0, not of shape {values.shape}")
    if not sections:
        return values, [""] * len(values)
    if len(sections) != 3 or sum(sections) != len(values):
        raise ValueError(f"sections {tuple(sections)} do not deal out {len(values)} pairs to t, h and w")
    return values, [axis for axis, count in zip(AXES, sections, strict=True) for _ in range(count)]


def _colour(axis: str, colours: Theme) -> str:
    return {"t": colours.axis_t, "h": colours.axis_h, "w": colours.axis_w, "": colours.kind_text}[axis]


def _sections_in_words(sections: Sequence[int], pairs: int) -> str:
    if not sections:
        return f"{pairs} channel pairs, all of the one id"
    named = ", ".join(f"{axis} {count}" for axis, count in zip(AXES, sections, strict=True))
    return f"{pairs} channel pairs: {named}"
