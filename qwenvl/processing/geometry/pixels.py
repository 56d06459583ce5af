"""Turns pictures into the numbers both models read, and back: frames resized, colours normalised, patches cut.

Two orders of patches live here and nowhere else: raster (t, row, column), which the rest of the library counts in, and
the processor's, which lists the four patches of a merged token one after another (2409.12191, section 2.1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from qwenvl.processing.geometry.pictures import DEVIATION, MEAN, Frame, Grid, resize

ROWS_AT_ONCE = 120  # of a frame that is resized
PATCHES_AT_ONCE = 512  # that are normalised


def resize_frame(picture: Frame, width: int, height: int) -> Image.Image:
    """Bicubic with torch's antialiasing, rounded to 8 bits: what the published tools do to a clip's frames.

    torch does the rows first and then the columns, so a band of rows at a time is narrowed while it is in the
    processor's cache: the same bits, and a large frame is never held in float32.
    """
    rows = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None]
    bands = [_stretch(band.float(), band.shape[2], width) for band in rows.split(ROWS_AT_ONCE, dim=2)]
    resized = _stretch(torch.cat(bands, dim=2), height, width)[0]
    return Image.fromarray(resized.round_().clamp_(0, 255).to(torch.uint8).permute(1, 2, 0).contiguous().numpy())


def _stretch(values: Tensor, height: int, width: int) -> Tensor:
    return interpolate(values, (height, width), mode="bicubic", antialias=True)


def normalise(pixels: Tensor, *, channels: int = 0) -> Tensor:
    """8-bit RGB to model input: over 255, less the mean, over the deviation (those of CLIP).

    Args:
        pixels: uint8, any shape with the three colours along dimension `channels`.

    Returns:
        float32, the same shape.
    """
    mean, deviation = _colour_statistics(pixels, channels)
    return torch.div(pixels, 255).sub_(mean).div_(deviation)


def unnormalise(values: Tensor, *, channels: int = 0) -> Tensor:
    """Model input back on the 8-bit scale, 0..255, not rounded: float32, the same shape."""
    mean, deviation = _colour_statistics(values, channels)
    return values.mul(deviation).add_(mean).mul_(255)


def denormalise(values: Tensor, *, channels: int = 0) -> Tensor:
    """The inverse of `normalise`, without error: float32 to uint8."""
    return unnormalise(values, channels=channels).round_().clamp_(0, 255).to(torch.uint8)


def _colour_statistics(pixels: Tensor, channels: int) -> tuple[Tensor, Tensor]:
    shape = [1] * pixels.dim()
    shape[channels] = 3
    return torch.tensor(MEAN).view(shape), torch.tensor(DEVIATION).view(shape)


def squash(picture: Image.Image, image_size: int) -> Tensor:
    """What Qwen-VL sees: the picture squashed to a square, its aspect ratio given up (2308.12966, section 2.1).

    Args:
        picture: upright RGB.
        image_size: pixels a side, 448 as published.

    Returns:
        float32 (3, image_size, image_size).
    """
    square = resize(picture, image_size, image_size)
    return normalise(torch.from_numpy(np.array(square)).permute(2, 0, 1))


def patches(
    frames: Sequence[Image.Image], *, patch_size: int = 14, temporal_patch_size: int = 2, merge_size: int = 2
) -> tuple[Tensor, Grid]:
    """What Qwen2-VL sees: patches through `temporal_patch_size` frames, as rows (2409.12191, section 2.1).

    Args:
        frames: RGB pictures of one size, both sides multiples of `patch_size * merge_size`. The last is repeated until
            their count fits `temporal_patch_size`: a still is two equal frames.

    Returns:
        float32 (patches, channels * temporal_patch_size * patch_size * patch_size), rows in processor order; and the
        patch grid (t, h, w).
    """
    still = len(frames) == 1  # cut up once: all frames of its patches are the same
    missing = 0 if still else -len(frames) % temporal_patch_size
    pixels = [np.asarray(frame) for frame in [*frames, *[frames[-1]] * missing]]
    stacked = pixels[0][None] if still else np.stack(pixels)
    count, height, width, channels = stacked.shape
    depth = 1 if still else temporal_patch_size
    grid = (count // depth, height // patch_size, width // patch_size)
    split = stacked.reshape(
        *(grid[0], depth),
        *(grid[1] // merge_size, merge_size, patch_size),
        *(grid[2] // merge_size, merge_size, patch_size),
        channels,
    )
    # (t, block row, block column, row in block, column in block, channels, frame in pair, y, x)
    ordered = np.ascontiguousarray(split.transpose(0, 2, 5, 3, 6, 8, 1, 4, 7))
    rows = torch.from_numpy(ordered).view(math.prod(grid), channels, depth, patch_size**2)
    values = torch.empty(len(rows), channels, temporal_patch_size, patch_size**2)
    for into, part in zip(values.split(PATCHES_AT_ONCE), rows.split(PATCHES_AT_ONCE), strict=True):
        into.copy_(normalise(part, channels=1))  # a part stays in the processor's cache
    return values.flatten(1), grid


def unpatch(
    pixel_values: Tensor, grid: Grid, *, patch_size: int = 14, temporal_patch_size: int = 2, merge_size: int = 2
) -> Tensor:
    """The frames that `patches` cut up, without error.

    Args:
        pixel_values: (patches, channels * temporal_patch_size * patch_size * patch_size) in processor order.
        grid: patch grid (t, h, w).

    Returns:
        uint8 (t * temporal_patch_size, h * patch_size, w * patch_size, 3), the repeated frames included.
    """
    values = denormalise(pixel_values.unflatten(1, (3, -1)), channels=1).flatten(1)
    sizes = {"patch_size": patch_size, "temporal_patch_size": temporal_patch_size, "merge_size": merge_size}
    return unpermute(values, grid, **sizes)


def unpermute(rows: Tensor, grid: Grid, *, patch_size: int, temporal_patch_size: int, merge_size: int) -> Tensor:
    """Rows of patches in processor order to frames, values as they are; arguments and shape as `unpatch`."""
    time, height, width = grid
    split = rows.view(
        *(time, height // merge_size, width // merge_size, merge_size, merge_size),
        *(3, temporal_patch_size, patch_size, patch_size),
    )
    # (t, frame in pair, block row, row in block, y, block column, column in block, x, channels)
    pixels = split.permute(0, 6, 1, 3, 7, 2, 4, 8, 5)
    return pixels.reshape(time * temporal_patch_size, height * patch_size, width * patch_size, 3)


def processor_order(grid: Grid, merge_size: int = 2) -> Tensor:
    """Raster index of each row of `pixel_values`: int64 (patches,).

    `in_raster_order = rows[raster_order(grid)]` and `in_processor_order = patches[processor_order(grid)]`.
    """
    time, rows, columns = grid
    raster = torch.arange(time * rows * columns)
    blocks = raster.view(time, rows // merge_size, merge_size, columns // merge_size, merge_size)
    return blocks.permute(0, 1, 3, 2, 4).flatten()


def raster_order(grid: Grid, merge_size: int = 2) -> Tensor:
    """Row of `pixel_values` of each patch in raster order, the inverse of `processor_order`: int64 (patches,)."""
    return processor_order(grid, merge_size).argsort()
