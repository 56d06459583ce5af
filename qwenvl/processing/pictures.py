"""Reads pictures and resizes them as both models do.

Knows pixels and grids only: no tokenizer, no conversation, no model. Before either model sees a picture it is made
upright by EXIF, scaled to 8 bits and converted to RGB, with alpha dropped: both models see what the user sees. The
published tools differ: Qwen-VL's code and the processors of transformers ignore EXIF, Pillow's own conversion clips
16-bit grey to white instead of scaling it, and newer releases of qwen-vl-utils paste alpha onto white. Colour profiles
are applied by none of them, nor here. `pixels` makes numbers of what is read here; a plan gets by without it.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageFile, ImageOps, UnidentifiedImageError

from qwenvl.errors import MediaError
from qwenvl.processing.integers import as_integer

Source = str | os.PathLike[str] | Image.Image
Grid = tuple[int, int, int]
Limit = Literal["min_pixels", "max_pixels"]
Frame = Image.Image | np.ndarray
"""A picture, or a decoded frame as uint8 (height, width, 3)."""
Resize = Callable[[Frame, int, int], Image.Image]

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
        upright = _upright(picture)
        if upright.mode != "RGB":
            return _to_rgb(upright)
        return picture.copy() if upright is picture else upright  # once: whoever gave it may change it
    except Exception:  # of a decoder, as above
        raise MediaError(_damaged(name)) from None


def _upright(picture: Image.Image) -> Image.Image:
    """Turn by EXIF; the very picture where nothing is to be turned, or where the EXIF data are themselves damaged."""
    try:
        turned = picture.getexif().get(ExifTags.Base.Orientation, 1) in range(2, 9)
        return ImageOps.exif_transpose(picture) if turned else picture
    except Exception:
        return picture


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


def as_picture(frame: Frame) -> Image.Image:
    """A decoded frame as a PIL image."""
    return frame if isinstance(frame, Image.Image) else Image.fromarray(frame)


def resize(picture: Frame, width: int, height: int) -> Image.Image:
    """Bicubic with Pillow's antialiasing, on 8-bit values, as both models' own processors do."""
    return as_picture(picture).resize((width, height), Image.Resampling.BICUBIC)
