"""Writes numbers as the page and its figures do: thousands with commas, × and not x, a space before %."""

from __future__ import annotations


def percent(share: float) -> str:
    """A share of a row: one decimal, two below 2 %, and never 0 or 100 for what is neither."""
    value = 100 * share
    if 0 < value < 0.005:
        return "under 0.01 %"
    if 99.995 <= value < 100:
        return "over 99.99 %"
    decimals = 2 if 0 < value < 1.995 or 99.95 <= value < 100 else 1
    return f"{value:.{decimals}f} %"


def counted(number: int, unit: str) -> str:
    """A number of things: 1 token, 1,024 patches."""
    plural = {"patch": "patches", "query": "queries"}.get(unit, f"{unit}s")
    return f"{number:,} {unit if number == 1 else plural}"
