"""Draws the similarity of position codes: one query's code against the codes laid out on their grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from viz.theme import bare_layout, square_cells, theme, tide, tide_scale


def similarity_map(
    cosines: ArrayLike,
    *,
    grid: Sequence[int],
    marked: int | None = None,
    title: str = "",
    dark: bool = False,
) -> Figure:
    """One row of cosines as a map, from its lowest value to 1, hard-edged, with its scale: for print.

    Args:
        cosines: of one code against others, (cells,), in raster order.
        grid: rows and columns of the cells; a leading time is ignored.
        marked: the code's own cell, where it is among them.
        title: of the figure.
        dark: for a dark page.
    """
    cells = _on_grid(cosines, grid)
    colours = theme(dark)
    figure = Figure(figsize=(3.4, 3.1), facecolor=colours.surface, layout="constrained")
    axes = figure.add_subplot()
    scale = ListedColormap(tide(np.linspace(0, 1, 256), dark=dark) / 255)
    shown = axes.imshow(cells, cmap=scale, vmin=cells.min(), vmax=1, interpolation="nearest")
    if marked is not None:
        row, column = divmod(marked, cells.shape[1])
        corner = (column - 0.5, row - 0.5)
        axes.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=colours.query, linewidth=1.5))
    axes.set_axis_off()
    axes.set_title(title, size=9, color=colours.text, loc="left")
    bar = figure.colorbar(shown, ax=axes, fraction=0.045, pad=0.02)
    bar.set_label("cosine of the codes", color=colours.subdued, size=8)
    bar.ax.tick_params(colors=colours.subdued, labelsize=8)
    return figure


def similarity_map_interactive(
    cosines: ArrayLike,
    *,
    grid: Sequence[int],
    marked: int | None = None,
    title: str = "",
    dark: bool = False,
) -> go.Figure:
    """The same map for the screen: hover a cell to read its cosine.

    Args: as `similarity_map`.
    """
    cells = _on_grid(cosines, grid)
    colours = theme(dark)
    figure = go.Figure(
        go.Heatmap(
            z=cells,
            zmin=float(cells.min()),
            zmax=1,
            colorscale=tide_scale(dark=dark),
            colorbar={"thickness": 9, "outlinewidth": 0},
            hovertemplate="(%{y}, %{x})<br>cosine %{z:.3f}<extra></extra>",
        )
    )
    if marked is not None:
        row, column = divmod(marked, cells.shape[1])
        corners = {"x0": column - 0.5, "x1": column + 0.5, "y0": row - 0.5, "y1": row + 0.5}
        figure.add_shape(type="rect", line={"color": colours.query, "width": 2}, **corners)
    figure.update_layout(bare_layout(title, dark=dark), **square_cells())
    return figure


def _on_grid(cosines: ArrayLike, grid: Sequence[int]) -> NDArray[np.float64]:
    values, (rows, columns) = np.asarray(cosines, dtype=float), list(grid)[-2:]
    if values.shape != (rows * columns,):
        raise ValueError(f"cosines must be ({rows * columns},) for a grid of {rows} × {columns}, not {values.shape}")
    return values.reshape(rows, columns)
