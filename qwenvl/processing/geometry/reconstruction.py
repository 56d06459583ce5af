"""Rebuilds a media's frames from the pixels a model received, and measures how far they are off.

Knows media, grids and the two families' ways of laying pixels out; no prompt, no tokenizer, no model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from qwenvl.models.config import Config, Qwen2VLConfig, QwenVLConfig
from qwenvl.processing.geometry import pictures, pixels
from qwenvl.processing.geometry.media import Media


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """Frames rebuilt from what a model received, beside the frames it was made from.

    Attributes:
        frames: uint8 (frames, height, width, 3), rebuilt from the tensor alone: permuted back, times the deviation,
            plus the mean, times 255, rounded.
        resized: uint8, the same shape, the resized frames that the processor began with; the last is there twice where
            a pair of frames had to be filled.
        maximum, mean: absolute difference of the two before rounding, in steps of an 8-bit value: what float32 costs.
        differing: values that differ after rounding.
    """

    frames: Tensor
    resized: Tensor
    maximum: float
    mean: float
    differing: int

    @property
    def values(self) -> int:
        """How many values were compared: frames x height x width x 3."""
        return self.frames.numel()


def received(media: Media, config: Config, cell: int | None = None) -> Tensor:
    """The part of the model's input that holds this media, value for value what its processor made.

    Args:
        media: with its frames.
        cell: one temporal cell of the patch grid alone (a frame in Qwen-VL, a pair of frames in Qwen2-VL).

    Returns:
        Qwen-VL: its rows of "images", float32 (frames, 3, side, side). Qwen2-VL: its rows of "pixel_values" or
        "pixel_values_videos", float32 (patches, 1176), in the processor's order.
    """
    frames = _frames(media, config, cell)
    if isinstance(config, QwenVLConfig):
        return torch.stack([pixels.squash(frame, config.vision.image_size) for frame in frames])
    return pixels.patches([pictures.resize(frame, *media.resized) for frame in frames], **_sizes(config))[0]


def received_token(media: Media, config: Qwen2VLConfig, token: int) -> Tensor:
    """The rows of `received` that become one visual token of Qwen2-VL, (4, 1176), without making the others.

    Args:
        media: with its frames.
        token: raster index on `token_grid`.

    Raises:
        RunError: there is no such token.
    """
    time, row, column = media.token_cell(token)
    side = config.vision.patch_size * config.vision.merge_size
    box = (column * side, row * side, (column + 1) * side, (row + 1) * side)
    frames = [pictures.resize(frame, *media.resized).crop(box) for frame in _frames(media, config, time)]
    return pixels.patches(frames, **_sizes(config))[0]


def rebuilt_token(media: Media, config: Qwen2VLConfig, token: int) -> Tensor:
    """What those rows turn back into: uint8 (2, 28, 28, 3), the token's own pixels in both frames of its pair."""
    merge = config.vision.merge_size
    return pixels.unpatch(received_token(media, config, token), (1, merge, merge), **_sizes(config))


def reconstruct(media: Media, config: Config, cell: int | None = None) -> Reconstruction:
    """The frames that `received` turns back into, and how far they are from the resized ones.

    Args: as `received`.
    """
    values = received(media, config, cell)
    if isinstance(config, QwenVLConfig):
        unrounded = pixels.unnormalise(values, channels=1).permute(0, 2, 3, 1)
    else:
        grid = (len(values) // math.prod(media.patch_grid[1:]), *media.patch_grid[1:])
        scaled = pixels.unnormalise(values.unflatten(1, (3, -1)), channels=1).flatten(1)
        unrounded = pixels.unpermute(scaled, grid, **_sizes(config))
    resized = _resized(media, _frames(media, config, cell), len(unrounded))
    frames = unrounded.round().clamp_(0, 255).to(torch.uint8)
    distance = (unrounded - resized).abs_()
    return Reconstruction(
        frames, resized, float(distance.max()), float(distance.double().mean()), int((frames != resized).sum())
    )


def _frames(media: Media, config: Config, cell: int | None) -> Sequence[Image.Image]:
    if cell is None:
        return media.frames
    depth = 1 if isinstance(config, QwenVLConfig) else config.vision.temporal_patch_size
    return media.frames[cell * depth : (cell + 1) * depth]


def _resized(media: Media, frames: Sequence[Image.Image], count: int) -> Tensor:
    """8-bit (count, height, width, 3), the last frame as often as it takes."""
    arrays = [np.asarray(pictures.resize(frame, *media.resized)) for frame in frames]
    return torch.from_numpy(np.stack([*arrays, *[arrays[-1]] * (count - len(arrays))]))


def _sizes(config: Config) -> dict[str, int]:
    names = ("patch_size", "temporal_patch_size", "merge_size")
    return {name: getattr(config.vision, name) for name in names}
