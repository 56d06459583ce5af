"""Saves Matplotlib figures for print: text stays text, and equal figures are equal bytes."""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import Literal

import matplotlib as mpl
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


def save(figure: Figure, *, path: str | Path) -> None:
    """Write a figure to a file; its suffix says whether as SVG, PDF or PNG.

    Raises:
        ValueError: another suffix.
    """
    path = Path(path)
    path.write_bytes(rendered(figure, format=path.suffix.lstrip(".").lower()))  # type: ignore[arg-type]
