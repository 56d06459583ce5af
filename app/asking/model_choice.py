"""Holds a model as a visitor chooses it, and what the page says about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ModelChoice:
    """A model by the label that visitors read, and the number format of its weights."""

    label: str
    dtype: str = "auto"


ModelChoices = Mapping[str, ModelChoice]  # by letter
