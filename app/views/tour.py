"""Answers the tour: what a picture of some size costs the published models, counted without weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import qwenvl
from app.views.contract import Look
from qwenvl.errors import PromptError

MODELS = ("Qwen-VL-Chat", "Qwen2-VL-7B")
LARGEST = 16_384  # pixels a side


def tour_cost(_: Look, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Resized size, patch grid and visual tokens of a picture of "width" x "height" pixels, by published model."""
    size = (_side(asked, "width"), _side(asked, "height"))
    return {"size": list(size), "models": {name: _cost(size, name) for name in MODELS}}


def _cost(size: tuple[int, int], name: str) -> dict[str, Any]:
    (media,) = qwenvl.plan([size], name).media
    grids = {"patch_grid": list(media.patch_grid), "token_grid": list(media.token_grid)}
    return {"resized": list(media.resized), **grids, "tokens": math.prod(media.token_grid)}


def _side(asked: Mapping[str, Any], name: str) -> int:
    value = asked.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST:
        raise PromptError(f"{name} must be a whole number from 1 to {LARGEST:,}: choose another.")
    return value
