"""Saves figures: Matplotlib's for print (text stays text, equal figures are equal bytes), Plotly's as one HTML page."""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import Literal

import matplotlib as mpl
import plotly.graph_objects as go
from matplotlib.figure import Figure

Format = Literal["svg", "pdf", "png"]
DPI = 300  # of PNG, and of what has no outlines
_SETTINGS = {
    "svg.fonttype": "none",  # text that can be selected, searched and edited
    "svg.hashsalt": "inside-qwen-vl",  # ids that do not differ from one time to the next
    "pdf.fonttype": 42,  # TrueType
    "image.composite_image": False,  # a map and the picture under it stay two images
}
_METADATA: dict[str, dict[str, None]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}
_PAGE = '<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Figure</title>\n<body>{}</body></html>\n'
_settings_lock = threading.Lock()  # Matplotlib's settings are the whole process's


def rendered(figure: Figure, *, format: Format) -> bytes:
    """A figure as the bytes of a file.

    Args:
        figure: of any Matplotlib function of `viz`.
        format: "svg", "pdf" or "png" (300 dpi).

    Raises:
        ValueError: another format.
    """
    if format not in _METADATA:
        raise ValueError(f"a figure is written as svg, pdf or png, not {format!r}")
    file = io.BytesIO()
    with _settings_lock, mpl.rc_context(_SETTINGS):  # type: ignore[arg-type]
        figure.savefig(file, format=format, dpi=DPI, metadata=_METADATA[format], facecolor=figure.get_facecolor())
    return file.getvalue()


def save(figure: Figure | go.Figure, *, path: str | Path) -> None:
    """Write a figure to a file; its suffix says as what.

    Args:
        figure: of any function of `viz`. Matplotlib's are written as SVG, PDF, PNG (300 dpi), or HTML that holds the
            SVG; Plotly's as HTML, with the script that turns them, so that it needs no network.
        path: ends in .svg, .pdf, .png or .html.

    Raises:
        ValueError: another suffix, or a Plotly figure as anything but HTML.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if isinstance(figure, go.Figure):
        if suffix != ".html":
            raise ValueError(f"a Plotly figure is written as html, not {suffix.lstrip('.')!r}; choose .html")
        path.write_text(figure.to_html(include_plotlyjs=True), encoding="utf-8")
        return
    if suffix == ".html":
        drawn = rendered(figure, format="svg").decode("utf-8")
        path.write_text(_PAGE.format(drawn[drawn.index("<svg") :]), encoding="utf-8")
        return
    path.write_bytes(rendered(figure, format=path.suffix.lstrip(".").lower()))  # type: ignore[arg-type]
