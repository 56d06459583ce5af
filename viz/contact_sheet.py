"""Draws the maps of all adapter queries on one sheet for the screen, to zoom in and to point at.

For print, `queries_for_print` draws the sheet beside one query's map on the picture.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from viz.theme import bare_layout, square_cells, theme, tide_scale


def contact_sheet_interactive(
    sheet: ArrayLike,
    *,
    grid: Sequence[int],
    order: Sequence[int] = (),
    exponent: float = 0.7,
    title: str = "",
    dark: bool = False,
) -> go.Figure:
    """Every query's row as a small map, to its own maximum, row by row in an order.

    Args:
        sheet: rows of attention, (queries, patches); each row sums to 1.
        grid: rows and columns of the patches; a leading time is ignored.
        order: queries in the order they are laid out; by index when empty.
        exponent: of the colours; the hover reads the share itself.
        title: of the figure.
        dark: for a dark page.

    Raises:
        ValueError: a sheet that does not fit its grid, or an order that is not of its queries.
    """
    values, (tall, wide) = np.asarray(sheet, dtype=float), list(grid)[-2:]
    if values.ndim != 2 or values.shape[1] != tall * wide:
        raise ValueError(f"a sheet must be (queries, {tall * wide}) for a grid of {tall} × {wide}: {values.shape}")
    queries = list(order) or list(range(len(values)))
    if sorted(queries) != list(range(len(values))):
        raise ValueError(f"an order must name each of the {len(values)} queries once")
    shares, names = values[queries], np.repeat(np.array(queries)[:, None], tall * wide, axis=1)
    top = shares.max(axis=1, keepdims=True)
    scaled = np.divide(shares, top, out=np.zeros_like(shares), where=top > 0) ** exponent
    colours = theme(dark)
    figure = go.Figure(
        go.Heatmap(
            z=_tiled(scaled, tall, wide),
            customdata=np.stack([_tiled(names, tall, wide), _tiled(shares, tall, wide)], axis=-1),
            zmin=0,
            zmax=1,
            colorscale=tide_scale(dark=dark),
            showscale=False,
            hovertemplate="query %{customdata[0]:.0f}<br>%{customdata[1]:.2%} of its row<extra></extra>",
        )
    )
    side = int(np.ceil(np.sqrt(len(values))))
    line = {"color": colours.line, "width": 1}
    for at in range(1, side):
        figure.add_vline(at * wide - 0.5, line=line)
        figure.add_hline(at * tall - 0.5, line=line)
    figure.update_layout(bare_layout(title, dark=dark), **square_cells())
    return figure


def _tiled(rows: NDArray, tall: int, wide: int) -> NDArray[np.float64]:
    """(maps, cells) as one array of side x side maps; places without a map hold NaN."""
    side = int(np.ceil(np.sqrt(len(rows))))
    padded = np.full((side * side, tall * wide), np.nan)
    padded[: len(rows)] = rows
    return padded.reshape(side, side, tall, wide).transpose(0, 2, 1, 3).reshape(side * tall, side * wide)
