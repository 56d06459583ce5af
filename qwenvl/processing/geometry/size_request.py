"""Reads the size that a question asks of one picture, by limits or by name, as qwen-vl-utils 0.0.14 counts it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from qwenvl.errors import MediaError, Sentence, shown
from qwenvl.processing.geometry.pictures import Limit, check_limits, check_size

MIN_TOKENS, MAX_TOKENS = 4, 16_384  # of a picture, where the tool is given no limits


@dataclass(frozen=True)
class SizeRequest:
    """What a part of a message says about the size of its picture; None for what it leaves to the checkpoint.

    Attributes:
        min_pixels, max_pixels: of height times width.
        resized_height, resized_width: both or none; brought to multiples of 28 and within the tool's own limits.
    """

    min_pixels: int | None = None
    max_pixels: int | None = None
    resized_height: int | None = None
    resized_width: int | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Those among a part's keys, checked.

        Raises:
            MediaError: no whole number, one side alone, or a size and limits both.
        """
        request = cls(**{name: given[name] for name in cls.__dataclass_fields__ if given.get(name) is not None})
        for name, value in vars(request).items():
            if value is not None and (type(value) is not int or not 1 <= value < 1 << 40):
                raise MediaError(
                    Sentence.of("{name} is a whole number from 1 up, not {value}.", name=name, value=shown(value))
                )
        if (request.resized_height is None) != (request.resized_width is None):
            raise MediaError("resized_height and resized_width are given together; add the other, or leave both out.")
        if request.resized_height is not None and (request.min_pixels or request.max_pixels):
            raise MediaError("resized_height and resized_width say the size; leave min_pixels and max_pixels out.")
        return request

    def __bool__(self) -> bool:
        return self != SizeRequest()

    def size(
        self, height: int, width: int, *, factor: int, min_pixels: int, max_pixels: int
    ) -> tuple[int, int, Limit | None]:
        """(height, width) after resizing, and which limit decided it.

        Args:
            min_pixels, max_pixels: where the request says none.

        Raises:
            MediaError: limits that exclude each other, or a size that no model accepts.
        """
        if self.resized_height is not None and self.resized_width is not None:
            height, width = self.resized_height, self.resized_width
            limits = (MIN_TOKENS * factor * factor, MAX_TOKENS * factor * factor)
        else:
            limits = (self.min_pixels or min_pixels, self.max_pixels or max_pixels)
        check_limits(*limits)
        rows, columns = utils_resize(height, width, min_pixels=limits[0], max_pixels=limits[1], factor=factor)
        check_size(columns, rows, "What this picture is resized to")
        decided = _limit(height, width, factor, *limits) if self.resized_height is None else None
        return rows, columns, decided


def utils_resize(height: int, width: int, *, min_pixels: int, max_pixels: int, factor: int = 28) -> tuple[int, int]:
    """(height, width) as qwen-vl-utils resizes a picture: no side is rounded below `factor` before the limits are met.

    It differs from `pictures.smart_resize` on thin and tiny pictures alone. Raises MediaError as that does, and where
    shrinking leaves a side without pixels.
    """
    check_size(width, height)
    rows, columns = (max(factor, round(side / factor) * factor) for side in (height, width))
    if rows * columns > max_pixels:
        shrink = math.sqrt(height * width / max_pixels)
        rows, columns = (math.floor(side / shrink / factor) * factor for side in (height, width))
    elif rows * columns < min_pixels:
        grow = math.sqrt(min_pixels / (height * width))
        rows, columns = (math.ceil(side * grow / factor) * factor for side in (height, width))
    return rows, columns


def _limit(height: int, width: int, factor: int, min_pixels: int, max_pixels: int) -> Limit | None:
    area = math.prod(max(factor, round(side / factor) * factor) for side in (height, width))
    if area > max_pixels:
        return "max_pixels"
    return "min_pixels" if area < min_pixels else None
