"""Computes the token cost of a clip as a function of its duration, per preset.

2409.12191, section 2.1: the size of frames follows the length of a clip, so that it takes at most 16,384 tokens in
training. Arithmetic on a size and a rate; no file is read.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from qwenvl.processing.geometry.sampling import (
    FRAMES_A_PATCH,
    VIDEO_PRESETS,
    VideoOptions,
    count_frames,
    frame_size,
)

TRAINED_TOKENS = VIDEO_PRESETS["paper"].total_tokens
DURATIONS = tuple(round(10 ** (exponent / 12), 1) for exponent in range(44))  # a second to an hour, twelve a decade


@dataclass(frozen=True)
class Cost:
    """What a clip of some length costs by one preset.

    Attributes:
        width, height: of a resized frame.
        tokens: visual tokens; above the preset's budget where frames stand at their floor.
    """

    seconds: float
    frames: int
    width: int
    height: int
    tokens: int


def cost_by_length(
    size: tuple[int, int],
    fps: float,
    preset: str,
    *,
    seconds: Sequence[float] = DURATIONS,
    min_pixels: int | None = None,
    max_pixels: int | None = None,
) -> tuple[Cost, ...]:
    """What clips of these lengths cost, two frames a second being taken, by the limits of a preset.

    Args:
        size: (width, height) of a frame.
        fps: frames a second in the file.
        preset: of `VIDEO_PRESETS`.
        min_pixels, max_pixels: of a frame, as in `VideoOptions`.

    Raises:
        MediaError: a size, limit or preset that is none.
    """
    given = {"preset": preset, "min_pixels": min_pixels, "max_pixels": max_pixels}
    options = VideoOptions.of(given)
    return tuple(_cost(size, fps, length, options) for length in seconds)


def _cost(size: tuple[int, int], fps: float, seconds: float, options: VideoOptions) -> Cost:
    frames, _ = count_frames(max(FRAMES_A_PATCH, round(seconds * fps)), fps, options)
    found = frame_size(size[1], size[0], frames, options)
    tokens = frames // FRAMES_A_PATCH * math.prod((found.width, found.height)) // 28**2
    return Cost(seconds, frames, found.width, found.height, tokens)
