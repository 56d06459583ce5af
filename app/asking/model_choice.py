"""Holds a model as a visitor chooses it, and what the page says about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict


@dataclass(frozen=True)
class ModelChoice:
    """A model by the label that visitors read, and the number format of its weights."""

    label: str
    dtype: str = "auto"


ModelChoices = Mapping[str, ModelChoice]  # by letter


class ModelCard(TypedDict):
    """What the page says about a model."""

    letter: str
    name: str
    family: str
    title: str
    size_label: str
    parameters: int
    trained: bool
    weights_note: str


class ListedModel(TypedDict):
    """A model that can be chosen without typing; one that cannot be read has neither title nor size."""

    label: str
    title: str
    size_label: str


class ModelMenu(TypedDict):
    """What the page needs to let a visitor choose models: those of the start by letter, and what else there is."""

    value: dict[str, dict[str, str]]
    offered: list[ListedModel]
    hub: bool  # whether a hub id may be typed
