"""Draws the bar at the top: the chips of the examples and the badge of the weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def topbar_value(
    examples: Sequence[Mapping[str, Any]], weights: Mapping[str, Any], selected: str | None
) -> dict[str, Any]:
    """What the top bar draws: the chips without their paths on this machine, the weights' badge, the chosen chip."""
    chips = [
        {name: example[name] for name in ("name", "label", "kind", "question", "thumbnail")} for example in examples
    ]
    return {"examples": chips, **weights, "selected": selected}
