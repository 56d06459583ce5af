"""Checks an index that a caller gave against how many there are, and says in one sentence what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qwenvl.errors import RunError, shown
from qwenvl.integers import as_integer


def check_index(value: Any, count: int, kind: str, *, owner: str = "this run", otherwise: str = "") -> int:
    """An index as a Python int.

    Args:
        value: an int, a NumPy integer or a torch tensor of one integer; a bool is none.
        count: how many there are; indices are 0 to `count - 1`.
        kind: what is counted, in the singular, with no article: "media", "language layer".
        owner: what has them.
        otherwise: what may be given besides an index, as it is written: "'mean'".

    Raises:
        RunError: "Media 3 does not exist: this run has 1 (index 0)." where it is out of range, "Media 'cat' is not an
            index: this run has 1 (index 0)." where it is no integer.
    """
    index = as_integer(value)
    if index is not None and 0 <= index < count:
        return index
    there = {0: "0", 1: "1 (index 0)"}.get(count, f"{count:,} (indices 0 to {count - 1:,})")
    more = f", or {otherwise}" if otherwise else ""
    wrong = f"{kind} {index} does not exist" if index is not None else f"{kind} {shown(value)} is not an index"
    raise RunError(f"{wrong[0].upper()}{wrong[1:]}: {owner} has {there}{more}.")


def check_indices(values: Sequence[Any], count: int, kind: str, *, owner: str = "this run") -> tuple[int, ...]:
    """Indices as Python ints, each once and in order; raises as `check_index`."""
    return tuple(sorted({check_index(value, count, kind, owner=owner) for value in values}))
