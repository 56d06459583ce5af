"""Converts points and boxes between pixels of the original, pixels the model sees, and thousandths.

Qwen-VL and Qwen2-VL write boxes in thousandths of the original picture's sides (2308.12966, section 2.3.1; 2409.12191,
section 2.2.1), whatever size the model saw, so that a resize changes pixels and never thousandths. Numbers here are
places, not indices of pixels: (0, 0) is the upper left corner and (width, height) the lower right one. Every conversion
is a multiplication, without rounding; `written` alone rounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from qwenvl.errors import MediaError, shown

Space = Literal["original", "resized", "thousandths"]
SPACES: tuple[Space, ...] = get_args(Space)
THOUSANDTHS = 1000


def convert(
    numbers: Sequence[float], *, source: Space, target: Space, size: tuple[int, int], resized: tuple[int, int]
) -> tuple[float, ...]:
    """Places from one space in another.

    Args:
        numbers: x, y, x, y, ...: a point, the two corners of a box, or more.
        source, target: "original" and "resized" pixels, or "thousandths" of a side.
        size, resized: (width, height) of the upright original and of the picture the model sees; a `Media` has both.

    Returns:
        As many numbers, not rounded; what lies beyond the picture stays beyond it.

    Raises:
        MediaError: an odd number of coordinates, a space of another name, or a size without pixels.
    """
    if not numbers or len(numbers) % 2:
        raise MediaError(f"Places are pairs of x and y; these are {len(numbers)} numbers.")
    across, down = _sides(source, size, resized), _sides(target, size, resized)
    return tuple(number * down[place % 2] / across[place % 2] for place, number in enumerate(numbers))


def _sides(space: str, size: tuple[int, int], resized: tuple[int, int]) -> tuple[int, int]:
    """How long the picture's sides are in a space."""
    sides = {"original": size, "resized": resized, "thousandths": (THOUSANDTHS, THOUSANDTHS)}.get(space)
    if sides is None:
        raise MediaError(f"There is no space {shown(space)}; places are in {', '.join(SPACES)}.")
    if min(sides) < 1:
        raise MediaError(f"A picture has sides of at least 1 pixel, not {sides[0]} × {sides[1]}.")
    return sides


def written(numbers: Sequence[float], *, size: tuple[int, int]) -> tuple[int, ...]:
    """Places on the original as a model writes them: whole thousandths from 0 to 999, rounded down."""
    exact = convert(numbers, source="original", target="thousandths", size=size, resized=size)
    return tuple(min(max(int(number), 0), THOUSANDTHS - 1) for number in exact)
