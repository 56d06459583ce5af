"""Draws attention as a map on the original picture, for print and for the screen."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from viz.drawing import Drawing
from viz.side_by_side import pixels_of, still
from viz.theme import bare_layout, overlay, quieten, theme


def attention_on_picture(
    values: ArrayLike,
    *,
    picture: ArrayLike,
    maximum: float | None = None,
    share: float | None = None,
    caption: str = "",
    smooth: bool = False,
    dark: bool = False,
) -> Figure:
    """A map drawn hard-edged over the quietened original picture, with its scale and a caption: for print.

    Args:
        values: shares of a row, of shape (rows, columns) or (1, rows, columns), on any grid that covers the whole
            picture evenly.
        picture: the original, an image or (height, width, 3) of 8 bits.
        maximum: where the scale ends; the largest value when it is None.
        share: of the row that falls on this picture, 0..1, printed with the scale; the sum of `values` when it is None.
        caption: what exactly is plotted: the word, layer, head and normalisation.
        smooth: interpolate between cells, which the caption then says.
        dark: for a dark page.
    """
    cells, pixels = still(values), pixels_of(picture)
    top = float(cells.max(initial=0.0)) if maximum is None else maximum
    colours = theme(dark)
    height, width = pixels.shape[:2]
    figure = Drawing(figsize=(6.4, 6.4 * height / width * 0.86 + 0.7), facecolor=colours.surface, layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(quieten(pixels, dark=dark), extent=(0, width, height, 0))
    drawn = overlay(cells, maximum=top)
    axes.imshow(drawn, extent=(0, width, height, 0), interpolation="bilinear" if smooth else "nearest", aspect="auto")
    axes.set(xlim=(0, width), ylim=(height, 0), aspect="equal")
    axes.set_axis_off()
    scale = ScalarMappable(Normalize(0, 100 * top if top > 0 else 1), "viridis")
    bar = figure.colorbar(scale, ax=axes, fraction=0.035, pad=0.02)
    bar.set_label("% of the row, in one cell", color=colours.subdued, size=8)
    bar.ax.tick_params(colors=colours.subdued, labelsize=8)
    words = figure.supxlabel(
        _caption(caption, float(cells.sum()) if share is None else share, smooth), size=8, color=colours.text
    )
    words.set_parse_math(False)
    return figure


def attention_on_picture_interactive(
    values: ArrayLike,
    *,
    picture: ArrayLike,
    maximum: float | None = None,
    title: str = "",
    dark: bool = False,
) -> go.Figure:
    """The same map for the screen: hover a cell to read its share. The cells lie on the pixels of the original.

    Args: as `attention_on_picture`.
    """
    cells, pixels = still(values), pixels_of(picture)
    top = float(cells.max(initial=0.0)) if maximum is None else maximum
    height, width = pixels.shape[:2]
    rows, columns = cells.shape
    figure = go.Figure(go.Image(z=_painted(cells, pixels, top, dark), hoverinfo="skip"))
    figure.add_trace(
        go.Heatmap(
            z=cells,
            x=(np.arange(columns) + 0.5) * width / columns - 0.5,
            y=(np.arange(rows) + 0.5) * height / rows - 0.5,
            zmin=0,
            zmax=top or 1,
            colorscale="Viridis",
            opacity=0,
            colorbar={"tickformat": ".1%", "thickness": 9, "outlinewidth": 0},
            customdata=np.moveaxis(np.indices(cells.shape), 0, -1),
            hovertemplate="(%{customdata[0]}, %{customdata[1]})<br>%{z:.2%} of the row<extra></extra>",
        )
    )
    figure.update_xaxes(visible=False, range=[-0.5, width - 0.5], constrain="domain")
    figure.update_yaxes(visible=False, range=[height - 0.5, -0.5], scaleanchor="x", constrain="domain")
    figure.update_layout(bare_layout(title, dark=dark))
    return figure


def _painted(cells: NDArray[np.float64], pixels: NDArray[np.uint8], top: float, dark: bool) -> NDArray[np.uint8]:
    """The quietened picture with the map over it: each pixel takes the cell that its centre lies in."""
    height, width = pixels.shape[:2]
    rows = ((np.arange(height) + 0.5) * cells.shape[0] / height).astype(int)
    columns = ((np.arange(width) + 0.5) * cells.shape[1] / width).astype(int)
    colour = overlay(cells, maximum=top)[np.ix_(rows, columns)]
    alpha = colour[..., 3:]
    return np.round(quieten(pixels, dark=dark) * (1 - alpha) + 255 * colour[..., :3] * alpha).astype(np.uint8)


def _caption(caption: str, share: float, smooth: bool) -> str:
    parts = [caption, f"{100 * share:.{2 if share < 0.02 else 1}f} % of the row falls on this picture"]
    if smooth:
        parts.append("smoothed between cells")
    return ". ".join(part.rstrip(".") for part in parts if part) + "."
