"""Measures how much of each exported map lies in a rectangle of the picture, for caption and manifest."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from app.asking import words
from app.asking.posted import Box
from qwenvl.analysis.row_statistics import region_share


def summed(box: Box | None, maps: Mapping[str, np.ndarray]) -> dict[str, float]:
    """By letter, the part of a map's sum over the region that is drawn on the page; empty where there is none.

    Args:
        maps: (rows, columns) each, over the whole picture.
    """
    if box is None:
        return {}
    return {letter: region_share(torch.as_tensor(cells), box) for letter, cells in maps.items()}


def caption(box: Box | None, found: Mapping[str, float], unit: str) -> str:
    """One sentence of it; empty where there is no region. `unit`: what a map's cells are shares of."""
    if box is None or not found:
        return ""
    edges = ", ".join(f"{1000 * edge:.0f}" for edge in box)
    held = ", ".join(f"{letter} {words.percent(share)} {unit}" for letter, share in found.items())
    return f"The rectangle {edges} (left, top, right, bottom in thousandths of the picture) holds: {held}."
