"""Reads an integer that a caller gave: one of Python, NumPy or torch counts, a bool or a float does not."""

from __future__ import annotations

import operator
from typing import Any


def as_integer(value: Any) -> int | None:
    """A value as a Python int: an int, a NumPy integer or a torch tensor of one integer without axes; else None."""
    kind = str(getattr(value, "dtype", type(value).__name__))
    if kind in ("bool", "torch.bool") or getattr(value, "ndim", 0) > 0:
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def plain(value: Any) -> Any:
    """An integer as a Python int, anything else as it is: for settings that are checked, or written as JSON, later."""
    found = as_integer(value)
    return value if found is None else found
