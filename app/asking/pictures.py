"""Turns pictures into data URLs for the page: those a visitor gave, and those a model received."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import NotRequired, TypedDict

from PIL import Image

from qwenvl.errors import MediaError, Sentence
from qwenvl.processing.files.clips import NotAClipError, is_clip, open_clip
from qwenvl.processing.files.picture_files import measure_picture, open_picture
from qwenvl.processing.geometry.media import Media
from qwenvl.processing.geometry.pictures import as_picture, resize

MAX_SIDE = 2048


class Picture(TypedDict):
    """A picture as a data URL."""

    picture: str


def thumbnail(path: str, side: int) -> str:
    """A file as a small upright picture, a clip by its first frame. Raises `MediaError` for what is neither."""
    if is_clip(path):
        first = next(open_clip(path).read([0], lambda frame: _scaled(as_picture(frame), side)))
        return png_url(first)
    return png_url(_scaled(open_picture(path), side))


class DescribedFile(TypedDict):
    """What a picture or clip is; seconds, frames and fps are a clip's alone."""

    path: str
    name: str
    kind: str  # "image" or "video"
    size: list[int]
    note: str | None  # what is to be known of it
    seconds: NotRequired[float]
    frames: NotRequired[int]
    fps: NotRequired[float]


def describe(path: str) -> DescribedFile:
    """What a file is, without the pixels of a large picture, and of a clip its first frame.

    Its name, kind and size, what is to be known of it, such as what was left out, and of a clip its seconds, frames and
    frames per second.

    Raises:
        MediaError: it is neither.
    """
    name = Path(path).name
    if not is_clip(path):
        found = measure_picture(path)
        return {"path": path, "name": name, "kind": "image", "size": list(found.size), "note": found.note}
    try:
        clip = open_clip(path)
    except NotAClipError:
        raise MediaError(
            Sentence.of("{name} is neither a picture nor a clip; give a JPEG, PNG or MP4 file.", name=name)
        ) from None
    frames, note = len(clip.times), clip.note
    if frames == 1:
        note = Sentence.of("{name} has one frame and is read as a still.", name=name)
    return {
        "path": path,
        "name": name,
        "kind": "video" if frames > 1 else "image",
        "size": list(clip.size),
        "seconds": frames / clip.fps,
        "frames": frames,
        "fps": clip.fps,
        "note": note,
    }


def moves(path: str) -> bool:
    """Whether a file is a clip of more than one frame, or one that can no longer be read."""
    try:
        return is_clip(path) and len(open_clip(path).times) > 1
    except MediaError:  # whoever reads it says so
        return True


def picture(media: Media, side: int, frame: int = 0) -> str:
    """The upright original of a run's media, scaled down to at most `side` pixels; of a clip one frame that was kept.

    Of a clip's file frames were kept as the model saw them, so they are spread to the shape of the original here.
    """
    shown = media.frames[frame]
    if shown.size != media.size and shown.size[0] * media.size[1] != shown.size[1] * media.size[0]:
        scale = min(1.0, side / max(media.size))
        return png_url(shown.resize([max(1, round(length * scale)) for length in media.size], Image.Resampling.BICUBIC))
    return png_url(_scaled(shown, side))


def resized(media: Media, frame: int = 0) -> str:
    """The same picture, or kept frame of a clip, as the model's processor resized it, pixel for pixel."""
    return png_url(resize(media.frames[frame], *media.resized))


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
