"""The media parts of a conversation, opened: pictures and lists of frames at once, a clip's file only as far as needed.

Knows files and PIL images; no model.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from qwenvl.errors import MediaError
from qwenvl.processing import pictures
from qwenvl.processing.clips import ClipFile, open_clip
from qwenvl.processing.media import Media, Seen
from qwenvl.processing.messages import Part
from qwenvl.processing.sampling import check_fps

Opened = Seen | ClipFile | Media


def open_part(part: Part, place: int) -> Opened:
    """What an image or video part holds.

    Args:
        place: of the part among those of its kind, from 1; it names what has no file name.

    Returns:
        A `Seen` for a picture, a list of frames, or a clip of one frame; a `ClipFile`; or the `Media` of an earlier
        run, as it is.

    Raises:
        MediaError: it cannot be read, or has a size that no model accepts.
    """
    if part.kind == "image":
        return _open_image(part.value, place)
    if isinstance(part.value, str | os.PathLike):
        return one_frame_is_a_still(open_clip(part.value))
    if isinstance(part.value, Media):
        return part.value
    return _open_frames(part, place)


def one_frame_is_a_still(clip: ClipFile, *, frames: bool = True) -> Seen | ClipFile:
    """A clip of one frame as a picture, with its pixels if `frames`; others as they are. The published tools refuse it."""
    if len(clip.times) > 1:
        return clip
    note = f"{clip.name} has one frame and is read as a still."
    return Seen("image", clip.name, clip.size, note=note, frames=tuple(clip.read([0])) if frames else ())


def _open_image(source: Any, place: int) -> Seen:
    picture = pictures.open_picture(source)
    name = f"picture {place}" if isinstance(source, Image.Image) else Path(source).name
    return Seen("image", name, picture.size, frames=(picture,))


def _open_frames(part: Part, place: int) -> Seen:
    """A clip given as a list of its frames: taken whole, `fps` tells their times."""
    if isinstance(part.value, Image.Image) or not isinstance(part.value, Sequence) or not part.value:
        raise MediaError("A clip is a file, or a list of its frames, at least one; each a path or a PIL image.")
    if part.given.get("nframes") is not None:
        raise MediaError("A list of frames is taken whole; leave nframes out, or give the clip's file.")
    fps = part.given.get("fps")
    check_fps(fps)
    frames = tuple(map(pictures.open_picture, part.value))
    sizes = sorted({frame.size for frame in frames})
    if len(sizes) > 1:
        first, second = (f"{width} × {height}" for width, height in sizes[:2])
        raise MediaError(f"The frames of a clip have one size; these have {first} and {second}.")
    return Seen("video", f"clip {place}", frames[0].size, len(frames), fps, frames=frames)
