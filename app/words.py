"""Numbers, sizes and shares as the page writes them: thousands with commas, × and not x, a space before %."""

from __future__ import annotations

from collections.abc import Sequence

from viz.words import percent

__all__ = ["count", "grid", "percent", "size"]


def count(number: int) -> str:
    """1024 as "1,024"."""
    return f"{number:,}"


def size(width_height: Sequence[int]) -> str:
    """Width × height in pixels."""
    return " × ".join(count(side) for side in width_height)


def grid(shape: Sequence[int]) -> str:
    """Height × width of a still's grid; time × height × width of a clip's."""
    return " × ".join(count(side) for side in (shape[1:] if shape[0] == 1 else shape))
