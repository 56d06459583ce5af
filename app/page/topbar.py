"""Draws the bar at the top: the chips of the examples and the badge of the weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.models.measured import WeightsTold
from app.serving.example_runs import ListedExample
from app.serving.wire import plain


def topbar_value(examples: Sequence[ListedExample], weights: WeightsTold, selected: str | None) -> dict[str, Any]:
    """What the top bar draws: the chips without their paths on this machine, the weights' badge, the chosen chip."""
    chips = [
        {
            "name": example["name"],
            "label": example["label"],
            "kind": example["kind"],
            "question": example["question"],
            "thumbnail": example["thumbnail"],
        }
        for example in examples
    ]
    return {"examples": chips, **plain(dict(weights)), "selected": selected}
