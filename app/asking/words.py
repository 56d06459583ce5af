"""Writes numbers, sizes and shares as the page does: thousands with commas, × and not x, a space before %."""

from __future__ import annotations

from collections.abc import Sequence

from qwenvl.plan import units
from viz.words import percent

__all__ = ["count", "grid", "in_bytes", "percent", "size"]


def count(number: int) -> str:
    """1024 as "1,024"."""
    return f"{number:,}"


def size(width_height: Sequence[int]) -> str:
    """Width × height in pixels."""
    return " × ".join(count(side) for side in width_height)


def grid(shape: Sequence[int]) -> str:
    """Height × width of a still's grid; time × height × width of a clip's."""
    return " × ".join(count(side) for side in (shape[1:] if shape[0] == 1 else shape))


def in_bytes(number: float) -> str:
    """Bytes in the unit that suits them, rounded: MiB below one GiB."""
    return units.in_bytes(number, rounded=True)
