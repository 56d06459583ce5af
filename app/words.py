"""Numbers, sizes and shares as the page writes them: thousands with commas, × and not x, a space before %."""

from __future__ import annotations

from collections.abc import Sequence


def count(number: int) -> str:
    """1024 as "1,024"."""
    return f"{number:,}"


def size(width_height: Sequence[int]) -> str:
    """Width × height in pixels."""
    return " × ".join(count(side) for side in width_height)


def grid(shape: Sequence[int]) -> str:
    """Height × width of a still's grid; time × height × width of a clip's."""
    return " × ".join(count(side) for side in (shape[1:] if shape[0] == 1 else shape))


def percent(share: float) -> str:
    """A share of a row: one decimal, two below 2 %, and never 0 or 100 for what is neither."""
    value = 100 * share
    if 0 < value < 0.005:
        return "under 0.01 %"
    if 99.995 <= value < 100:
        return "over 99.99 %"
    decimals = 2 if 0 < value < 1.995 or 99.95 <= value < 100 else 1
    return f"{value:.{decimals}f} %"
