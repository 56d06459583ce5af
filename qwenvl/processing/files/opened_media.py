"""Opens the media of a conversation: pictures and lists of frames at once, clips only as far as needed.

Knows files and PIL images; no model.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from PIL import Image

from qwenvl.errors import MediaError, Sentence, shown
from qwenvl.integers import as_integer, plain
from qwenvl.processing.files.clips import ClipFile, NotAClipError, open_clip
from qwenvl.processing.files.picture_files import Source as Picture
from qwenvl.processing.files.picture_files import (
    is_picture,
    measure_picture,
    name_of_source,
    path_of,
    read_picture,
)
from qwenvl.processing.geometry import pictures
from qwenvl.processing.geometry.media import Media, Seen
from qwenvl.processing.geometry.sampling import VideoOptions, check_fps
from qwenvl.processing.geometry.size_request import SizeRequest
from qwenvl.processing.text.messages import Part, read_part

Opened = Seen | ClipFile | Media
Size = tuple[int, int] | tuple[int, int, int]
Source = Picture | Size | Mapping[str, Any]


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
        return replace(_open_image(part.value, place), request=SizeRequest.of(part.given))
    if isinstance(part.value, str | os.PathLike):
        opened = one_frame_is_a_still(open_clip(part.value))
        return replace(opened, request=SizeRequest.of(part.given)) if isinstance(opened, Seen) else opened
    if isinstance(part.value, Media):
        return part.value
    return _open_frames(part, place)


def one_frame_is_a_still(clip: ClipFile, *, frames: bool = True) -> Seen | ClipFile:
    """A clip of one frame, which the published tools refuse, as a picture, with pixels if `frames`; others as is."""
    if len(clip.times) > 1:
        return clip
    note = Sentence.of("{name} has one frame and is read as a still.", name=clip.name)
    return Seen("image", clip.name, clip.size, note=note, frames=tuple(clip.read([0])) if frames else ())


def _open_image(source: Any, place: int) -> Seen:
    name = name_of_source(source, Sentence.of("picture {n}", n=place))
    read = read_picture(source, name)
    return Seen("image", name, read.picture.size, note=read.note, frames=(read.picture,))


def _open_frames(part: Part, place: int) -> Seen:
    """A clip given as a list of its frames: taken whole, `fps` tells their times."""
    if isinstance(part.value, bytes | Image.Image) or not isinstance(part.value, Sequence) or not part.value:
        raise MediaError("A clip is a file, or a list of its frames, at least one; each given as a picture is.")
    fps = _rate(part.given)
    read = [read_picture(one, name_of_source(one, f"Frame {number}")) for number, one in enumerate(part.value, 1)]
    frames = tuple(one.picture for one in read)
    notes = list(dict.fromkeys(one.note for one in read if one.note))
    note = " ".join([*notes[:2], *(["The same is to be said of other frames."] if len(notes) > 2 else [])])
    sizes = sorted({frame.size for frame in frames})
    if len(sizes) > 1:
        first, second = (f"{width} × {height}" for width, height in sizes[:2])
        raise MediaError(
            Sentence.of("The frames of a clip have one size; these have {one} and {other}.", one=first, other=second)
        )
    request = SizeRequest.of(part.given)
    return Seen(
        "video",
        Sentence.of("clip {n}", n=place),
        frames[0].size,
        len(frames),
        fps,
        note=note,
        request=request,
        frames=frames,
    )


def _rate(given: Mapping[str, Any]) -> float | None:
    """Frames a second of a list of them, as `fps` or as qwen-vl-utils calls it."""
    rates = [given[name] for name in ("fps", "sample_fps") if given.get(name) is not None]
    for rate in rates:
        check_fps(rate)
    if len(set(rates)) > 1:
        raise MediaError("fps and sample_fps both tell the rate of a list of frames; give one of them.")
    return rates[0] if rates else None


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
    if isinstance(source, str | os.PathLike) and _is_no_picture(source):
        return _measure_clip(source), options
    name = name_of_source(source, Sentence.of("picture {n}", n=place))
    found = measure_picture(source, name)
    return Seen("image", name, found.size, note=found.note), options


def _is_no_picture(source: str | os.PathLike[str]) -> bool:
    if isinstance(source, str) and source[:5].lower() == "data:":
        return False
    path = path_of(source)
    return os.path.isfile(path) and not is_picture(path)


def _measure_clip(source: str | os.PathLike[str]) -> Seen | ClipFile:
    try:
        return one_frame_is_a_still(open_clip(source), frames=False)
    except NotAClipError:
        raise MediaError(
            Sentence.of(
                "{name} is neither a picture nor a clip; give a JPEG, PNG or MP4 file.",
                name=name_of_source(source, "This file"),
            )
        ) from None


def _measure_part(part: Mapping[str, Any], place: int, options: VideoOptions) -> tuple[Seen | ClipFile, VideoOptions]:
    read = read_part(part)
    part, kind = read.given, read.kind
    if kind not in ("image", "video") or part.get(kind) is None:
        raise MediaError('A part to measure is {"type": "image", "image": ...} or {"type": "video", "video": ...}.')
    opened = open_part(Part(kind, part[kind], part), place)
    if isinstance(opened, Media):
        raise MediaError(f"{opened.name} was measured already; give its file or its frames.")
    return (opened if isinstance(opened, ClipFile) else replace(opened, frames=())), options.changed(part)


def _measure_size(source: tuple[int, ...], place: int) -> Seen:
    if not _is_size(source):
        raise MediaError(
            f"A size is (width, height), or (width, height, frames), in whole numbers, not {shown(source)}."
        )
    width, height, *frames = map(plain, source)
    pictures.check_size(width, height)
    if frames and frames[0] < 1:
        raise MediaError(f"A clip has at least one frame, not {frames[0]}.")
    if frames:
        return Seen("video", Sentence.of("clip {n}", n=place), (width, height), num_frames=frames[0])
    return Seen("image", Sentence.of("picture {n}", n=place), (width, height))


def _is_size(source: object) -> bool:
    return isinstance(source, tuple) and len(source) in (2, 3) and all(as_integer(side) is not None for side in source)
