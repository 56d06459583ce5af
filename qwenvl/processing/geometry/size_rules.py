"""Explains the size at which a model sees a media: the rule that decided, and what would change it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from qwenvl.models.config import Config, QwenVLConfig
from qwenvl.processing.geometry.media import Media
from qwenvl.processing.geometry.pictures import MAX_ASPECT_RATIO


@dataclass(frozen=True)
class SizeRule:
    """What decided the resized size of a media.

    Attributes:
        name: "squash" (Qwen-VL: a square, whatever the shape), "max_pixels", "min_pixels", or "factor" (Qwen2-VL within
            its limits: each side to the nearest multiple of 28).
        value: of the limit in force; None for "squash" and "factor".
        stretch: resized over original, of width and height; two equal numbers keep the shape.
        free: (width, height) that rounding to the factor alone would give; None for "squash".
        free_tokens: visual tokens of that size, of one temporal cell.
        threshold: the value of the limit at which it no longer bites: `max_pixels` from there up, `min_pixels` from
            there down. None where no limit bites, or where no value would do.
        aspect, largest_aspect: long side over short side of the original, and the most that is accepted.
    """

    name: Literal["squash", "max_pixels", "min_pixels", "factor"]
    value: int | None
    stretch: tuple[float, float]
    free: tuple[int, int] | None
    free_tokens: int | None
    threshold: int | None
    aspect: float
    largest_aspect: int


def size_rule(
    media: Media, config: Config, *, min_pixels: int | None = None, max_pixels: int | None = None
) -> SizeRule:
    """The rule that decided a media's size.

    Args:
        media: as a model saw it.
        min_pixels, max_pixels: the limits that were in force; of a clip's file its sampling says them.
    """
    width, height = media.size
    stretch = (media.resized[0] / width, media.resized[1] / height)
    aspect = max(width, height) / min(width, height)
    if isinstance(config, QwenVLConfig):
        return SizeRule("squash", None, stretch, None, None, None, aspect, MAX_ASPECT_RATIO)
    factor = config.vision.patch_size * config.vision.merge_size
    rounded = (round(width / factor) * factor, round(height / factor) * factor)
    free = (max(factor, rounded[0]), max(factor, rounded[1]))
    if media.sampling is not None:
        min_pixels, max_pixels = media.sampling.min_pixels, media.sampling.max_pixels
    min_pixels, max_pixels = media.min_pixels or min_pixels, media.max_pixels or max_pixels
    return SizeRule(
        name=media.limit or "factor",
        value={"min_pixels": min_pixels, "max_pixels": max_pixels, None: None}[media.limit],
        stretch=stretch,
        free=free,
        free_tokens=math.prod(free) // factor**2,
        # a side below half the factor rounds to nothing, which every minimum enlarges
        threshold=math.prod(rounded) or None if media.limit else None,
        aspect=aspect,
        largest_aspect=MAX_ASPECT_RATIO,
    )
