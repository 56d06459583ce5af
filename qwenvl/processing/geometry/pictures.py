"""Sizes and resizes upright 8-bit RGB pictures as both models do.

Knows pixels and grids only: no file, no tokenizer, no conversation, no model. `picture_files` reads pictures, `pixels`
makes numbers of them; a plan gets by without the latter.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
from PIL import Image

from qwenvl.errors import MediaError, Sentence, shown
from qwenvl.integers import as_integer

Grid = tuple[int, int, int]
Limit = Literal["min_pixels", "max_pixels"]
Frame = Image.Image | np.ndarray
"""A picture, or a decoded frame as uint8 (height, width, 3)."""
Resize = Callable[[Frame, int, int], Image.Image]


MAX_ASPECT_RATIO = 200
"""Long side over short side; more is refused for both models, although Qwen-VL's own code would squash any strip."""

MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)


def check_size(width: int, height: int, name: str = "This picture") -> None:
    """Refuse a size in pixels that no model accepts.

    Raises:
        MediaError: no pixels, or too long a strip.
    """
    if width < 1 or height < 1:
        raise MediaError(
            Sentence.of(
                "{name} has no pixels ({width} × {height}); give one of at least 1 × 1.",
                name=name,
                width=width,
                height=height,
            )
        )
    ratio = max(width, height) / min(width, height)
    if ratio > MAX_ASPECT_RATIO:
        raise MediaError(
            Sentence.of(
                "{name} is {width} × {height}, one side {ratio} times the other; "
                "the limit is {limit}, so crop it or cut it into pieces.",
                name=name,
                width=width,
                height=height,
                ratio=f"{ratio:,.1f}",
                limit=MAX_ASPECT_RATIO,
            )
        )


def check_limits(min_pixels: int, max_pixels: int) -> None:
    """Refuse a pixel budget that cannot be met.

    Raises:
        MediaError: a limit that is not a positive whole number, or a minimum above the maximum.
    """
    for name, value in (("min_pixels", min_pixels), ("max_pixels", max_pixels)):
        if (as_integer(value) or 0) < 1:
            raise MediaError(
                Sentence.of("{name} is a whole number of pixels from 1 up, not {value}.", name=name, value=shown(value))
            )
    if min_pixels > max_pixels:
        raise MediaError(
            Sentence.of(
                "min_pixels {low} is above max_pixels {high}; lower one or raise the other.",
                low=f"{min_pixels:,}",
                high=f"{max_pixels:,}",
            )
        )


def smart_resize(height: int, width: int, *, factor: int = 28, min_pixels: int, max_pixels: int) -> tuple[int, int]:
    """The size Qwen2-VL sees: sides in multiples of `factor`, the aspect ratio nearly kept, the area within the limits.

    The rule of transformers 5.23, which other published packages share but for thin or tiny pictures; halves round to
    even.

    Args:
        height, width: of the upright picture, in pixels.
        factor: pixels a side of a merged token: patch size times merge size.
        min_pixels, max_pixels: limits of height times width after resizing. A thin picture may end above `max_pixels`,
            since no side shrinks below `factor`.

    Returns:
        (height, width) after resizing, in pixels.

    Raises:
        MediaError: no pixels, or one side more than `MAX_ASPECT_RATIO` times the other.
    """
    check_size(width, height)
    limit = limit_that_bites(height, width, factor=factor, min_pixels=min_pixels, max_pixels=max_pixels)
    if limit == "max_pixels":
        shrink = math.sqrt(height * width / max_pixels)
        return (
            max(factor, math.floor(height / shrink / factor) * factor),
            max(factor, math.floor(width / shrink / factor) * factor),
        )
    if limit == "min_pixels":
        grow = math.sqrt(min_pixels / (height * width))
        return math.ceil(height * grow / factor) * factor, math.ceil(width * grow / factor) * factor
    return round(height / factor) * factor, round(width / factor) * factor


def limit_that_bites(height: int, width: int, *, factor: int = 28, min_pixels: int, max_pixels: int) -> Limit | None:
    """Which limit decides the size in `smart_resize`, same arguments; None where rounding to `factor` alone does."""
    area = round(height / factor) * factor * round(width / factor) * factor
    if area > max_pixels:
        return "max_pixels"
    return "min_pixels" if area < min_pixels else None


def as_picture(frame: Frame) -> Image.Image:
    """A decoded frame as a PIL image."""
    return frame if isinstance(frame, Image.Image) else Image.fromarray(frame)


def resize(picture: Frame, width: int, height: int) -> Image.Image:
    """Bicubic with Pillow's antialiasing, on 8-bit values, as both models' own processors do."""
    return as_picture(picture).resize((width, height), Image.Resampling.BICUBIC)
