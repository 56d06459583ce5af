"""Holds what a forecast of costs needs to know of a model and its machine, beside the plan of the question."""

from __future__ import annotations

from dataclasses import dataclass

from app.models.memory import Budgets
from app.models.pace import Speed
from qwenvl.models.config import Config
from qwenvl.recorded.kept_layers import Keep


@dataclass(frozen=True)
class Terms:
    """What a forecast of costs needs beside the plan.

    Attributes:
        size: bytes a value, of weights, cache and what is kept.
        keep: what the run keeps.
        new_tokens: length of the answer at most.
        label: what visitors call the model.
    """

    config: Config
    size: int
    keep: Keep
    new_tokens: int
    budgets: Budgets
    speed: Speed
    label: str
