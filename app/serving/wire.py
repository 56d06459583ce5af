"""Turns an answer into what JSON takes: dataclasses of the library become objects, tuples lists."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

PLAIN = (str, int, float, bool, type(None))


def plain(value: Any) -> Any:
    """The same in values that JSON has."""
    if isinstance(value, PLAIN):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    raise TypeError(f"{type(value).__name__} is nothing that JSON has")
