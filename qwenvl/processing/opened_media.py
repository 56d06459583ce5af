"""Opens the media of a conversation: pictures and lists of frames at once, clips only as far as needed.

Knows files and PIL images; no model.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from qwenvl.errors import MediaError
from qwenvl.processing import pictures
from qwenvl.processing.clips import ClipFile, NotAClipError, open_clip
from qwenvl.processing.integers import as_integer, plain
from qwenvl.processing.media import Media, Seen
from qwenvl.processing.messages import Part
from qwenvl.processing.sampling import VideoOptions, check_fps

Opened = Seen | ClipFile | Media
Size = tuple[int, int] | tuple[int, int, int]
Source = str | os.PathLike[str] | Image.Image | Size | Mapping[str, Any]


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
    """A clip of one frame, which the published tools refuse, as a picture, with pixels if `frames`; others as is."""
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


# --- measured, not read ---


def as_list(sources: Source | Sequence[Source]) -> list[Source]:
    """One source or several, as several."""
    return list(sources) if isinstance(sources, list | tuple) and not _is_size(sources) else [sources]  # type: ignore[list-item]


def measure(source: Source, place: int, options: VideoOptions) -> tuple[Seen | ClipFile, VideoOptions]:
    """Size and name of a source without its pixels, and the options of a clip: a part's own before the given ones.

    Files are opened, to know that they can be, and that they stand upright.

    Raises:
        MediaError: it cannot be read, or is a size that no model accepts.
    """
    if isinstance(source, Mapping):
        return _measure_part(source, place, options)
    if isinstance(source, tuple):
        return _measure_size(source, place), options
    if isinstance(source, str | os.PathLike) and Path(source).is_file() and not pictures.is_picture(Path(source)):
        return _measure_clip(source), options
    return replace(_open_image(source, place), frames=()), options


def _measure_clip(source: str | os.PathLike[str]) -> Seen | ClipFile:
    try:
        return one_frame_is_a_still(open_clip(source), frames=False)
    except NotAClipError:
        raise MediaError(
            f"{Path(source).name} is neither a picture nor a clip; give a JPEG, PNG or MP4 file."
        ) from None


def _measure_part(part: Mapping[str, Any], place: int, options: VideoOptions) -> tuple[Seen | ClipFile, VideoOptions]:
    kind = part.get("type")
    if kind not in ("image", "video") or part.get(kind) is None:
        raise MediaError('A part to measure is {"type": "image", "image": ...} or {"type": "video", "video": ...}.')
    opened = open_part(Part(kind, part[kind], part), place)
    if isinstance(opened, Media):
        raise MediaError(f"{opened.name} was measured already; give its file or its frames.")
    return (opened if isinstance(opened, ClipFile) else replace(opened, frames=())), options.changed(part)


def _measure_size(source: tuple[int, ...], place: int) -> Seen:
    if not _is_size(source):
        raise MediaError(f"A size is (width, height), or (width, height, frames), in whole numbers, not {source!r}.")
    width, height, *frames = map(plain, source)
    pictures.check_size(width, height)
    if frames and frames[0] < 1:
        raise MediaError(f"A clip has at least one frame, not {frames[0]}.")
    if frames:
        return Seen("video", f"clip {place}", (width, height), num_frames=frames[0])
    return Seen("image", f"picture {place}", (width, height))


def _is_size(source: object) -> bool:
    return isinstance(source, tuple) and len(source) in (2, 3) and all(as_integer(side) is not None for side in source)
