"""Gives memory that was freed back to the system, where the C library keeps it (glibc)."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

_ARENA_MAX = -8  # M_ARENA_MAX of glibc's mallopt
_ARENAS = 2  # by itself glibc makes eight per core, each of which keeps what its threads freed


@cache
def _library() -> Any:
    """The C library, if it is one that has both functions."""
    try:
        library = ctypes.CDLL(None)
        return library if hasattr(library, "malloc_trim") and hasattr(library, "mallopt") else None
    except (OSError, TypeError):  # Windows, for one
        return None


def give_back() -> bool:
    """Give back what is free now; False where there is nothing to do it with."""
    library = _library()
    return library is not None and bool(library.malloc_trim(0) in (0, 1))


def keep_few_arenas() -> None:
    """Let threads share two arenas from now on: what one of them frees, another can use."""
    library = _library()
    if library is not None:
        library.mallopt(_ARENA_MAX, _ARENAS)
