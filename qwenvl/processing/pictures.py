"""Reads pictures, resizes and normalises them as both models do, and turns patches back into pictures.

Knows pixels and grids only: no tokenizer, no conversation, no model. Before either model sees a picture it is made
upright by EXIF, scaled to 8 bits and converted to RGB, with alpha dropped: both models see what the user sees. The
published tools differ: Qwen-VL's code and the processors of transformers ignore EXIF, Pillow's own conversion clips
16-bit grey to white instead of scaling it, and newer releases of qwen-vl-utils paste alpha onto white. Colour profiles
are applied by none of them, nor here. Two orders of patches live here and nowhere else: raster (t, row, column), which
the rest of the library counts in, and the processor's, which lists the four patches of a merged token one after another
(2409.12191, section 2.1).
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image, ImageCms, ImageFile, ImageOps, UnidentifiedImageError
from torch import Tensor
from torch.nn.functional import interpolate

from qwenvl.errors import MediaError
from qwenvl.processing.integers import as_integer

Source = str | os.PathLike[str] | Image.Image
Grid = tuple[int, int, int]
Limit = Literal["min_pixels", "max_pixels"]
Resize = Callable[[Image.Image, int, int], Image.Image]

MAX_DECODED_PIXELS = 89_478_485
"""Larger pictures are refused before a pixel is decoded: a quarter of a GiB as RGB, the line Pillow itself warns at."""

MAX_ASPECT_RATIO = 200
"""Long side over short side; more is refused for both models, although Qwen-VL's own code would squash any strip."""

# Formats with a signature, decoded by Pillow itself: EPS, for one, would start another program.
_FORMATS = ("AVIF", "BMP", "DIB", "GIF", "ICO", "JPEG", "JPEG2000", "MPO", "PNG", "PPM", "QOI", "TIFF", "WEBP")
_READABLE = "JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, JPEG 2000, ICO, PPM or QOI"

MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)


def open_picture(source: Source) -> Image.Image:
    """Open a picture as upright 8-bit RGB.

    Palette, grey, 1-bit, CMYK and the rest become RGB; alpha is dropped and leaves the colour under it; 16-bit values
    are divided by 257 and rounded (but for grey with alpha, and colour in a given PIL image, of which Pillow keeps the
    high byte alone); float pixels are read as 0..1 where none exceeds 1, as 0..255 otherwise. Of an animation the first
    frame is taken.

    Args:
        source: path of a file, or a PIL image, which is left as it is.

    Raises:
        MediaError: the file is missing, empty, damaged or no picture; it has no pixels, more than `MAX_DECODED_PIXELS`,
            or one side more than `MAX_ASPECT_RATIO` times the other.
    """
    if isinstance(source, Image.Image):
        return upright_rgb(source, "This picture")
    if not isinstance(source, str | os.PathLike):
        raise MediaError(f"A picture is a path or a PIL image, not {type(source).__name__}.")
    path = Path(source)
    check_file(path, "a picture")
    try:
        return _read_file(path)
    except MediaError:
        raise
    except UnidentifiedImageError:
        raise MediaError(f"{path.name} is not a picture; give a {_READABLE} file.") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise MediaError(_too_large(path.name)) from None
    except PermissionError:
        raise MediaError(f"{path.name} cannot be read; check that you may open it.") from None
    # Readers raise whatever a damaged file makes them trip over: OSError, SyntaxError, struct.error, zlib.error ...
    except Exception:
        raise MediaError(_damaged(path.name)) from None


def check_file(path: Path, what: str) -> None:
    """Refuse a path that is no file with something in it; `what` was expected: "a picture"."""
    if path.is_dir():
        raise MediaError(f"{path.name} is a folder; give {what} in it.")
    if not path.is_file():
        raise MediaError(f"There is no file {path.name}; check its name and folder.")
    if path.stat().st_size == 0:
        raise MediaError(f"{path.name} is empty; save or download it again.")


def _read_file(path: Path) -> Image.Image:
    """A file as upright RGB. Of 16-bit colour Pillow reads the high bytes; a second reading, swapped, gives the low."""
    with open_file(path) as picture:
        swapped = _swapped_bytes(picture.tile)
        high = upright_rgb(picture, path.name)
    if not swapped:
        return high
    with open_file(path) as picture:
        picture.tile = swapped
        low = upright_rgb(picture, path.name)
    joined = np.asarray(high).astype(np.float32) * 256 + np.asarray(low)
    return Image.fromarray((joined / 257).round().astype(np.uint8))


def open_file(path: Path) -> ImageFile.ImageFile:
    """Recognise a picture file, and read no pixels yet; raises what Pillow raises."""
    Image.init()
    return Image.open(path, formats=[name for name in _FORMATS if name in Image.OPEN])


def is_picture(path: Path) -> bool:
    """Whether a file begins like a picture, whole or damaged, or is named like one."""
    try:
        with open_file(path):
            return True
    except UnidentifiedImageError:
        return Image.registered_extensions().get(path.suffix.lower()) in _FORMATS
    except Exception:  # what recognises it finds it damaged
        return True


def _swapped_bytes(tiles: Sequence[ImageFile._Tile]) -> list[ImageFile._Tile]:
    """What tells Pillow to decode 16-bit colour with the bytes of a value swapped; [] where it is not 16-bit colour."""
    swapped = []
    for tile in tiles:
        mode, *rest = (tile.args,) if isinstance(tile.args, str) else tile.args or ("",)
        colours, _, order = str(mode).partition(";16")
        if colours not in ("RGB", "RGBA") or not order:
            return []
        swap = "B" if order == "L" or (order == "N" and sys.byteorder == "little") else "L"
        args = f"{colours};16{swap}"
        swapped.append(tile._replace(args=(args, *rest) if rest else args))
    return swapped


def _too_large(name: str) -> str:
    return f"{name} has more than {MAX_DECODED_PIXELS:,} pixels; scale it down first."


def _damaged(name: str) -> str:
    return f"{name} is cut short or damaged; save or download it again."


def check_size(width: int, height: int, name: str = "This picture") -> None:
    """Refuse a size in pixels that no model accepts.

    Raises:
        MediaError: no pixels, or too long a strip.
    """
    if width < 1 or height < 1:
        raise MediaError(f"{name} has no pixels ({width} × {height}); give one of at least 1 × 1.")
    ratio = max(width, height) / min(width, height)
    if ratio > MAX_ASPECT_RATIO:
        raise MediaError(
            f"{name} is {width} × {height}, one side {ratio:,.1f} times the other; "
            f"the limit is {MAX_ASPECT_RATIO}, so crop it or cut it into pieces."
        )


def upright_rgb(picture: Image.Image, name: str) -> Image.Image:
    """What `open_picture` makes of a PIL image; `name` begins its sentences."""
    check_size(*picture.size, name)
    if picture.width * picture.height > MAX_DECODED_PIXELS:
        raise MediaError(_too_large(name))
    try:
        picture.load()
        return _to_rgb(_upright(picture))
    except Exception:  # of a decoder, as above
        raise MediaError(_damaged(name)) from None


def _upright(picture: Image.Image) -> Image.Image:
    """Turn by EXIF; where the EXIF data are themselves damaged the pixels stand as they are."""
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:
        return picture.copy()


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode == "I" or picture.mode.startswith("I;16"):
        return _grey(np.asarray(picture).astype(np.float32) / 257)
    if picture.mode == "F":
        values = np.asarray(picture)
        return _grey(values * 255 if values.max() <= 1 else values)
    if picture.mode == "LAB":
        return _lab_to_rgb(picture)
    if picture.mode in ("La", "RGBa"):  # premultiplied: Pillow goes through the straight form only
        picture = picture.convert({"La": "LA", "RGBa": "RGBA"}[picture.mode])
    return picture.convert("RGB")


def _grey(values: np.ndarray) -> Image.Image:
    """An RGB picture of float values on the scale 0..255, rounded."""
    return Image.fromarray(np.nan_to_num(values).round().clip(0, 255).astype(np.uint8)).convert("RGB")


def _lab_to_rgb(picture: Image.Image) -> Image.Image:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(picture, lab, srgb, outputMode="RGB")
    assert converted is not None  # None is for in-place conversion alone
    return converted


def check_limits(min_pixels: int, max_pixels: int) -> None:
    """Refuse a pixel budget that cannot be met.

    Raises:
        MediaError: a limit that is not a positive whole number, or a minimum above the maximum.
    """
    for name, value in (("min_pixels", min_pixels), ("max_pixels", max_pixels)):
        if (as_integer(value) or 0) < 1:
            raise MediaError(f"{name} is a whole number of pixels from 1 up, not {value!r}.")
    if min_pixels > max_pixels:
        raise MediaError(f"min_pixels {min_pixels:,} is above max_pixels {max_pixels:,}; lower one or raise the other.")


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


def resize(picture: Image.Image, width: int, height: int) -> Image.Image:
    """Bicubic with Pillow's antialiasing, on 8-bit values, as both models' own processors do."""
    return picture.resize((width, height), Image.Resampling.BICUBIC)


def resize_frame(picture: Image.Image, width: int, height: int) -> Image.Image:
    """Bicubic with torch's antialiasing, rounded to 8 bits: what the published tools do to a clip's frames.

    A channel at a time, since the arithmetic is in float32 and a frame may be large.
    """
    channels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)
    resized = [
        interpolate(channel[None, None].float(), (height, width), mode="bicubic", antialias=True)[0, 0]
        for channel in channels
    ]
    return Image.fromarray(torch.stack(resized, dim=-1).round_().clamp_(0, 255).to(torch.uint8).numpy())


def normalise(pixels: Tensor, *, channels: int = 0) -> Tensor:
    """8-bit RGB to model input: over 255, less the mean, over the deviation (those of CLIP).

    Args:
        pixels: uint8, any shape with the three colours along dimension `channels`.

    Returns:
        float32, the same shape.
    """
    mean, deviation = _colour_statistics(pixels, channels)
    return pixels.float().div_(255).sub_(mean).div_(deviation)


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
    missing = -len(frames) % temporal_patch_size
    stacked = np.stack([np.asarray(frame) for frame in [*frames, *[frames[-1]] * missing]])
    count, height, width, channels = stacked.shape
    grid = (count // temporal_patch_size, height // patch_size, width // patch_size)
    block_rows, block_columns = grid[1] // merge_size, grid[2] // merge_size
    split = stacked.reshape(
        *(grid[0], temporal_patch_size),
        *(block_rows, merge_size, patch_size),
        *(block_columns, merge_size, patch_size),
        channels,
    )
    # (t, block row, block column, row in block, column in block, channels, frame in pair, y, x)
    ordered = np.ascontiguousarray(split.transpose(0, 2, 5, 3, 6, 8, 1, 4, 7)).reshape(math.prod(grid), channels, -1)
    return normalise(torch.from_numpy(ordered), channels=1).flatten(1), grid


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
