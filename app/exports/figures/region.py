"""Measures how much of each exported map lies in a rectangle of the picture, for caption and manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from app.asking import words
from app.asking.selection import Selection
from qwenvl.analysis.row_statistics import region_share
from qwenvl.errors import RunError


def numbers(place: Any, count: int) -> list[float]:
    """`count` numbers of 0 to 1 that were posted.

    Raises:
        RunError: it is anything else.
    """
    ok = isinstance(place, list) and len(place) == count
    if not ok or not all(isinstance(one, int | float) and 0 <= one <= 1 for one in place):
        raise RunError("A place must be numbers from 0 to 1: choose a place on the picture.")
    return [float(one) for one in place]


def summed(selection: Selection, maps: Mapping[str, np.ndarray]) -> dict[str, float]:
    """By letter, the part of a map's sum over the region that is drawn on the page; empty where there is none.

    Args:
        maps: (rows, columns) each, over the whole picture.
    """
    if not selection.get("region"):
        return {}
    left, top, right, bottom = numbers(selection["region"], 4)
    box = (left, top, right, bottom)
    return {letter: region_share(torch.as_tensor(cells), box) for letter, cells in maps.items()}


def caption(selection: Selection, found: Mapping[str, float], unit: str) -> str:
    """One sentence of it; empty where there is no region. `unit`: what a map's cells are shares of."""
    if not found:
        return ""
    box = ", ".join(f"{1000 * edge:.0f}" for edge in numbers(selection["region"], 4))
    held = ", ".join(f"{letter} {words.percent(share)} {unit}" for letter, share in found.items())
    return f"The rectangle {box} (left, top, right, bottom in thousandths of the picture) holds: {held}."
