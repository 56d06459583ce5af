"""Reads the pictures that figures lie on, as arrays and as the Python lines that read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from app.asking.selection import Selection


def frame_of(look: Selection) -> np.ndarray:
    """The original picture of a selection, (height, width, 3), or that frame of a clip which its cell begins with.

    Of a clip's file the frames are kept at the size that the model sees: here they are at the original's.
    """
    media = look.run.media[look.media]
    return np.asarray(media.frames[frame_index(look)].resize(media.size))


def frame_code(look: Selection) -> str:
    """The same as Python."""
    media = f"run_{look.letter}.media[{look.media}]"
    kept, size = look.run.media[look.media].frames[frame_index(look)].size, look.run.media[look.media].size
    resized = "" if kept == size else f".resize({media}.size)"
    return f"numpy.asarray({media}.frames[{frame_index(look)}]{resized})"


def frame_index(look: Selection) -> int:
    """Which frame of the media that is."""
    media = look.run.media[look.media]
    return min(len(media.frames) - 1, look.frame * -(-len(media.frames) // media.patch_grid[0]))


def pictures(looks: Sequence[Selection]) -> tuple[Any, str]:
    """The picture under the maps, and its code: one for all, or one each of a clip, whose frames may differ."""
    if all(look.run.media[look.media].patch_grid[0] == 1 for look in looks):
        return frame_of(looks[0]), frame_code(looks[0])
    return [frame_of(look) for look in looks], f"[{', '.join(frame_code(look) for look in looks)}]"
