"""Checks values that a browser or a script posted by name, each where it is read; anybody may have posted them.

Every function raises a `RunError` of one sentence for a value that cannot be meant.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from qwenvl.errors import RunError, Sentence

Posted = Mapping[str, Any]
Choice = int | Literal["mean"]
Place = tuple[float, float]  # on a picture, 0 to 1 from its left and from its top
Box = tuple[float, float, float, float]  # left, top, right, bottom, likewise


def whole(posted: Posted, name: str, low: int, most: int, default: int | None = None) -> int:
    """A whole number from `low` to `most`; the default where nothing was posted."""
    value = posted.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= most:
        template = "{name} must be a whole number from {low} to {most}: choose another."
        raise RunError(Sentence.of(template, name=name, low=f"{low:,}", most=f"{most:,}"))
    return value


def index(posted: Posted, name: str, count: int, default: int | None = None) -> int:
    """A whole number from 0 to `count` - 1; the default where nothing was posted."""
    return whole(posted, name, 0, count - 1, default)


def optional_index(posted: Posted, name: str, count: int) -> int | None:
    """The same; None where nothing, or null, was posted."""
    return None if posted.get(name) is None else index(posted, name, count)


def optional_whole(posted: Posted, name: str, low: int, most: int) -> int | None:
    """A whole number from `low` to `most`; None where nothing, or null, was posted."""
    return None if posted.get(name) is None else whole(posted, name, low, most)


def optional_number(posted: Posted, name: str, low: float, most: float) -> float | None:
    """A number from `low` to `most`; None where nothing, or null, was posted."""
    value = posted.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= most:
        template = "{name} must be a number from {low} to {most}: choose another."
        raise RunError(Sentence.of(template, name=name, low=f"{low:g}", most=f"{most:,g}"))
    return value


def text(posted: Posted, name: str, most: int) -> str:
    """A text of at most `most` characters; empty where nothing was posted."""
    value = posted.get(name, "")
    if not isinstance(value, str):
        raise RunError(Sentence.of("{name} must be text: send a string.", name=name))
    if len(value) > most:
        template = "{name} has {letters} characters and {most} is the most: shorten it."
        raise RunError(Sentence.of(template, name=name, letters=f"{len(value):,}", most=f"{most:,}"))
    return value


def choice(posted: Posted, name: str, count: int) -> Choice:
    """An index, or "mean", also where nothing was posted."""
    return "mean" if posted.get(name, "mean") == "mean" else index(posted, name, count)


def indices(posted: Posted, name: str, count: int, most: int) -> tuple[int, ...]:
    """A list of at most `most` indices; empty where nothing was posted."""
    values = posted.get(name) or []
    if not isinstance(values, list) or len(values) > most:
        template = "{name} must be a list of at most {most} whole numbers: choose fewer."
        raise RunError(Sentence.of(template, name=name, most=f"{most:,}"))
    return tuple(index({name: value}, name, count) for value in values)


def one_of(posted: Posted, name: str, known: Sequence[str], default: str | None = None) -> str:
    """One of some names; the default where nothing was posted."""
    value = posted.get(name, default)
    if not isinstance(value, str) or value not in known:
        raise RunError(Sentence.of("{name} must be one of {known}: choose another.", name=name, known=", ".join(known)))
    return value


def box(posted: Posted, name: str) -> Box | None:
    """A rectangle of the picture; None where nothing, or null, was posted."""
    value = posted.get(name)
    if not value:
        return None
    if not isinstance(value, list) or len(value) != 4 or not all(map(_is_part, value)):
        raise RunError(
            Sentence.of("{name} must be four numbers from 0 to 1: choose a place on the picture.", name=name)
        )
    left, top, right, bottom = map(float, value)
    return left, top, right, bottom


def named(posted: Posted, name: str) -> Posted:
    """Named values inside others; empty where there are none."""
    value = posted.get(name)
    return value if isinstance(value, dict) else {}


def _is_part(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value) and 0 <= value <= 1
