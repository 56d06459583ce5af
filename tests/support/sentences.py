"""A sentence as the page receives it, in English again."""

from __future__ import annotations

from typing import Any


def english(sentence: Any) -> str:
    """Plain, or a template with what fills its gaps."""
    if not isinstance(sentence, dict):
        return str(sentence)
    return sentence["template"].format(**{name: english(value) for name, value in sentence["values"].items()})
