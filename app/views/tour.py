"""Answers the tour: what a picture of some size costs the published models, counted without weights."""

from __future__ import annotations

import math
from typing import TypedDict

import qwenvl
from app.asking.posted import Posted, whole
from app.views.contract import Look

MODELS = ("Qwen-VL-Chat", "Qwen2-VL-7B")
LARGEST = 16_384  # pixels a side


class ModelCost(TypedDict):
    """What one model makes of the picture."""

    resized: list[int]
    patch_grid: list[int]
    token_grid: list[int]
    tokens: int


class TourCost(TypedDict):
    """Resized size, patch grid and visual tokens of a picture, by published model."""

    size: list[int]
    models: dict[str, ModelCost]


def tour_cost(_: Look, posted: Posted) -> TourCost:
    """{"width", "height"} in pixels: see `TourCost`."""
    size = (whole(posted, "width", 1, LARGEST), whole(posted, "height", 1, LARGEST))
    return {"size": list(size), "models": {name: _cost(size, name) for name in MODELS}}


def _cost(size: tuple[int, int], name: str) -> ModelCost:
    (media,) = qwenvl.plan([size], name).media
    return {
        "resized": list(media.resized),
        "patch_grid": list(media.patch_grid),
        "token_grid": list(media.token_grid),
        "tokens": math.prod(media.token_grid),
    }
