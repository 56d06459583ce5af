"""Pictures on their way to the page: data URLs of what a visitor gave and of what a model received."""

from __future__ import annotations

import base64
import io
from typing import Any

from PIL import Image

from qwenvl.processing.pictures import open_picture, resize

MAX_SIDE = 2048


def thumbnail(path: str, side: int) -> str:
    """A file as a small upright picture. Raises `MediaError` for what is no picture."""
    return png_url(_scaled(open_picture(path), side))


def size(path: str) -> tuple[int, int]:
    """Width and height of a file, upright, all of it decoded. Raises `MediaError` for what is no picture."""
    return open_picture(path).size


def picture(media: Any, side: int) -> str:
    """The upright original of a run's media (the first frame of a clip), scaled down to at most `side` pixels."""
    return png_url(_scaled(media.frames[0], side))


def resized(media: Any) -> str:
    """The same picture as the model's processor resized it, pixel for pixel."""
    return png_url(resize(media.frames[0], *media.resized))


def png_url(picture: Image.Image) -> str:
    """Lossless, so that a pixel on the page is a pixel of the picture."""
    file = io.BytesIO()
    picture.save(file, format="PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def _scaled(picture: Image.Image, side: int) -> Image.Image:
    longest = max(picture.size)
    if longest <= side:
        return picture
    width, height = (max(1, round(length * side / longest)) for length in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS)
