"""Draws position ids: every token of a prompt at its (t, h, w), in space and along the prompt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray
from plotly.subplots import make_subplots

from viz.theme import FONT, Theme, bare_layout, theme

KINDS = ("text", "image", "video", "answer")
AXES = (("t", "time"), ("h", "row"), ("w", "column"))


def positions_3d(
    positions: ArrayLike,
    *,
    texts: Sequence[str] = (),
    kinds: Sequence[str] = (),
    title: str = "",
    dark: bool = False,
) -> go.Figure:
    """Every token as a point at (w, h, t), joined in the order of the prompt.

    Text moves along the diagonal, where all three ids are equal; a picture is a sheet at one t. A model with one id a
    token stays on the diagonal throughout.

    Args:
        positions: ids of shape (3, tokens), in the order t, h, w; or (tokens,) where there is one.
        texts: what each token spells, for the hover.
        kinds: of each token, "text", "image", "video" or "answer"; one trace each. All "text" when empty.
        title: of the figure.
        dark: for a dark page.
    """
    ids = three_rows(positions)
    colours = theme(dark)
    figure = go.Figure(
        go.Scatter3d(
            x=ids[2],
            y=ids[1],
            z=ids[0],
            mode="lines",
            name="order",
            hoverinfo="skip",
            showlegend=False,
            line={"color": colours.line, "width": 2},
        )
    )
    for kind, indices in _by_kind(kinds, ids.shape[1]).items():
        figure.add_trace(_points(ids, indices, kind, texts, colours))
    axes = {f"{place}axis": _axis(name, words, colours) for place, (name, words) in zip("zyx", AXES, strict=True)}
    axes["yaxis"]["autorange"] = "reversed"
    figure.update_layout(
        _layout(title, dark),
        scene={
            **axes,
            "aspectmode": "cube",
            "camera": {"eye": {"x": 1.5, "y": 1.6, "z": 0.9}, "center": {"x": 0, "y": 0, "z": -0.18}},
        },
        uirevision="positions",
    )
    return figure


def positions_lanes(
    positions: ArrayLike,
    *,
    texts: Sequence[str] = (),
    kinds: Sequence[str] = (),
    title: str = "",
    dark: bool = False,
) -> go.Figure:
    """The ids along the prompt: a lane for each of t, h and w, or a single lane where all three are equal throughout.

    Args: as `positions_3d`.
    """
    ids = three_rows(positions)
    colours = theme(dark)
    equal = bool((ids == ids[0]).all())
    lanes = (
        [("id", "", ids[0], colours.kind_text)]
        if equal
        else [
            (name, words, row, colour)
            for (name, words), row, colour in zip(
                AXES, ids, (colours.axis_t, colours.axis_h, colours.axis_w), strict=True
            )
        ]
    )
    figure = make_subplots(rows=len(lanes), cols=1, shared_xaxes=True, vertical_spacing=0.06)
    for number, (name, words, row, colour) in enumerate(lanes, start=1):
        figure.add_trace(_lane(row, name, texts, kinds, colour), row=number, col=1)
        figure.update_yaxes(title_text=f"{name} {words}".strip(), rangemode="tozero", row=number, col=1)
    figure.update_xaxes(title_text="token of the prompt", row=len(lanes), col=1)
    figure.update_xaxes(gridcolor=colours.line, zeroline=False)
    figure.update_yaxes(gridcolor=colours.line, zeroline=False)
    figure.update_layout(_layout(title, dark), showlegend=False, plot_bgcolor=colours.well)
    return figure


def three_rows(positions: ArrayLike) -> NDArray[np.int64]:
    """Ids as int64 (3, tokens), from that or from (tokens,). Raises ValueError for another shape."""
    ids = np.asarray(positions, dtype=np.int64)
    if ids.ndim == 1:
        ids = np.stack([ids] * 3)
    if ids.ndim != 2 or len(ids) != 3:
        raise ValueError(f"positions must be (3, tokens) or (tokens,), not {ids.shape}")
    return ids


def _by_kind(kinds: Sequence[str], tokens: int) -> dict[str, NDArray[np.int64]]:
    known = np.asarray(list(kinds) or ["text"] * tokens)
    if len(known) != tokens:
        raise ValueError(f"{len(known)} kinds for {tokens} tokens: give one each")
    names = [*KINDS, *sorted(set(known.tolist()) - set(KINDS))]
    return {name: indices for name in names if len(indices := np.flatnonzero(known == name))}


def _colour(kind: str, colours: Theme) -> str:
    if kind in ("image", "video"):
        return colours.kind_image
    return colours.kind_answer if kind == "answer" else colours.kind_text


def _points(
    ids: NDArray[np.int64], indices: NDArray[np.int64], kind: str, texts: Sequence[str], colours: Theme
) -> go.Scatter3d:
    return go.Scatter3d(
        x=ids[2, indices],
        y=ids[1, indices],
        z=ids[0, indices],
        customdata=indices,
        text=[texts[index] if index < len(texts) else "" for index in indices.tolist()],
        name=kind,
        mode="markers",
        marker={
            "size": 3 if kind in ("image", "video") else 3.5,
            "color": _colour(kind, colours),
            "line": {"width": 0},
        },
        hovertemplate="token %{customdata} %{text}<br>t %{z}, h %{y}, w %{x}<extra></extra>",
    )


def _lane(row: NDArray[np.int64], name: str, texts: Sequence[str], kinds: Sequence[str], colour: str) -> go.Scatter:
    said = [
        f"{kinds[i] if i < len(kinds) else ''} {texts[i] if i < len(texts) else ''}".strip() for i in range(len(row))
    ]
    return go.Scatter(
        x=np.arange(len(row)),
        y=row,
        name=name,
        text=said,
        mode="lines",
        fill="tozeroy",
        line={"color": colour, "width": 1.5, "shape": "hv"},
        hovertemplate="token %{x} %{text}<br>" + name + " %{y}<extra></extra>",
    )


def _axis(name: str, words: str, colours: Theme) -> dict[str, object]:
    colour = {"t": colours.axis_t, "h": colours.axis_h, "w": colours.axis_w}[name]
    return {
        "title": {"text": f"{name} {words}", "font": {"color": colour}},
        "gridcolor": colours.line,
        "zerolinecolor": colours.line,
        "backgroundcolor": colours.surface,
        "showbackground": False,
        "showspikes": False,
        "nticks": 6,
    }


def _layout(title: str, dark: bool) -> dict[str, object]:
    return {
        **bare_layout(title, dark=dark),
        "legend": {
            "orientation": "h",
            "y": 1,
            "x": 0,
            "bgcolor": "rgba(0,0,0,0)",
            "itemsizing": "constant",
            "itemwidth": 30,
        },
        "hoverlabel": {"font": {"family": FONT, "size": 12}},
        "template": None,
    }
