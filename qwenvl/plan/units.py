"""Writes sizes, shares, bytes and operations as the command line and the page do, and reads a number of bytes."""

from __future__ import annotations

import re


def in_size(size: tuple[int, int]) -> str:
    """Width × height."""
    return f"{size[0]:,} × {size[1]:,}"


def percent(share: float) -> str:
    """A share in words: one decimal, two below 2 % and near 100 %, and never 0 or 100 for what is neither."""
    value = 100 * share
    if 0 < value < 0.005:
        return "under 0.01 %"
    if 99.995 <= value < 100:
        return "over 99.99 %"
    decimals = 2 if 0 < value < 1.995 or 99.95 <= value < 100 else 1
    return f"{value:.{decimals}f} %"


def in_bytes(count: float, *, rounded: bool = False) -> str:
    """A number of bytes in KiB, MiB or GiB, with two decimals (KiB: one); rounded: one decimal of GiB, else none."""
    for unit, size, decimals in (("GiB", 1 << 30, 1), ("MiB", 1 << 20, 0)):
        if count >= size:
            return f"{count / size:,.{decimals if rounded else 2}f} {unit}"
    return f"{count / 1024:,.{0 if rounded else 1}f} KiB"


_UNITS = {"KiB": 10, "MiB": 20, "GiB": 30}


def read_bytes(text: str) -> int:
    """Bytes from "8GiB", "1.5 GiB" or "512MiB". Raises `ValueError` for what is no such size."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(KiB|MiB|GiB)", text)
    if found is None:
        raise ValueError(f"{text!r} is no size such as 8GiB or 512MiB")
    return int(float(found[1]) * (1 << _UNITS[found[2]]))


def in_operations(count: float) -> str:
    """A number of floating-point operations in millions, thousand millions or million millions of them."""
    for unit, size in (("TFLOP", 1e12), ("GFLOP", 1e9)):
        if count >= size:
            return f"{count / size:,.2f} {unit}"
    return f"{count / 1e6:,.1f} MFLOP"
