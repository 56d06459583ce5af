"""Defines the figure that every Matplotlib function of `viz` returns; a notebook shows it without pyplot."""

from __future__ import annotations

import io

from matplotlib.figure import Figure

SCREEN_DPI = 144


class Drawing(Figure):
    """A Matplotlib figure that knows how to show itself where a notebook asks."""

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=SCREEN_DPI, facecolor=self.get_facecolor())
        return file.getvalue()
