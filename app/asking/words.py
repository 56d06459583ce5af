"""Writes numbers, sizes and shares as the page does: thousands with commas, × and not x, a space before %."""

from __future__ import annotations

from collections.abc import Sequence

from viz.words import percent

__all__ = ["count", "grid", "in_bytes", "in_seconds", "percent", "size"]


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
    """Bytes in the unit that suits them: MiB below one GiB."""
    if number >= 1 << 30:
        return f"{number / (1 << 30):,.1f} GiB"
    return f"{number / (1 << 20):,.0f} MiB" if number >= 1 << 20 else f"{number / 1024:,.0f} KiB"


def in_seconds(number: float) -> str:
    """A time as a person would say it."""
    if number >= 90:
        return f"{number / 60:,.0f} min"
    return f"{number:.1f} s" if number >= 1 else f"{1000 * number:.0f} ms"
