"""Reads a clip's file: how many frames it has, when each is shown, and any of them on demand.

Knows containers, codecs and animated pictures; no model and no budget. Opening reads no pixels but the first frame's:
the packets of a video tell when every frame is shown. Reading decodes each frame once at most, starts at a keyframe
where that saves work, and holds one frame at full size at a time. Frames are upright 8-bit RGB, as the rotation in the
file says; pixels that are not square stay as they are stored, as in the published tools.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal

from PIL import Image

from qwenvl.errors import MediaError, Sentence
from qwenvl.processing.files import animations
from qwenvl.processing.files.picture_files import (
    MAX_DECODED_PIXELS,
    begins_like,
    check_file,
    is_picture,
    open_file,
    path_of,
    shown_name,
)
from qwenvl.processing.files.truncated_files import check_ending
from qwenvl.processing.geometry.pictures import Frame, as_picture, check_size

Shrink = Callable[[Frame], Image.Image]

_SLOWEST, _FASTEST, _LONGEST = 1 / 60, 1000, 24 * 3600  # frames a second, and seconds: beyond is told of
_READABLE = "MP4, MOV, WebM, MKV, AVI, MPEG, GIF, or an animated WebP or PNG"
_PICTURES = (b"RIFF", b"GIF8", b"\x89PNG")  # as which an animation begins


class NotAClipError(MediaError):
    """A file that no reader of clips recognises."""


@dataclass(frozen=True)
class ClipFile:
    """A clip that was opened.

    Attributes:
        size: (width, height) of its upright frames, in pixels.
        times: seconds at which each frame is shown, counted from the first, in the order they are shown.
        fps: frames a second, on average.
        note: one sentence on what a viewer should know of the file; "" for nothing.
    """

    path: Path
    size: tuple[int, int]
    times: tuple[float, ...]
    fps: float
    animated: bool
    note: str = ""

    kind: ClassVar[Literal["video"]] = "video"

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return shown_name(self.path)

    def read(self, indices: Sequence[int], shrink: Shrink = as_picture) -> Iterator[Image.Image]:
        """Some frames, one after another.

        Args:
            indices: ascending, counted from 0.
            shrink: applied to each frame as it was decoded, so that none is held at full size.

        Raises:
            MediaError: the file is damaged at one of them, or gone.
        """
        read: Callable[[Path, Sequence[int]], Iterator[Frame]] = animations.read if self.animated else _streams().read
        with _clear_errors(self.path):
            for frame in read(self.path, indices):
                yield shrink(frame)


def is_clip(path: str | os.PathLike[str]) -> bool:
    """Whether a file is for `open_clip`: an animated picture, or no picture at all, whole or damaged."""
    path = Path(path)
    if not is_picture(path):
        return True
    try:
        with open_file(path) as picture:
            return picture.format in animations.FORMATS and len(animations.frame_places(picture)) > 1
    except Exception:  # a damaged picture, or none that is there: whoever opens it says so
        return False


def open_clip(path: str | os.PathLike[str]) -> ClipFile:
    """Open a clip, and learn when each of its frames is shown.

    A file that has not changed since it was last opened is not read again.

    Raises:
        MediaError: there is no such file; it is empty, damaged, a picture or sound alone; its codec is unknown here;
            its frames have a size no model accepts, or are more than `clip_scan.MAX_FRAMES`.
    """
    path = path_of(path).absolute()
    check_file(path, "a clip")
    stat = path.stat()
    return _open(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=16)
def _open(path: Path, _modified: int, _bytes: int) -> ClipFile:
    with _clear_errors(path):
        animated = _is_animated(path)
        found = (animations if animated else _streams()).scan(path)
        check_ending(path)
    width, height = found.size
    check_size(width, height, shown_name(path))
    if width * height > MAX_DECODED_PIXELS:
        raise MediaError(
            Sentence.of(
                "{name} has frames of more than {most} pixels; scale it down first.",
                name=shown_name(path),
                most=f"{MAX_DECODED_PIXELS:,}",
            )
        )
    note = found.note or _absurd(path, found.times, found.fps)
    return ClipFile(path, found.size, found.times, found.fps, animated, note)


def _streams() -> Any:
    """The reader of video files. FFmpeg comes in with the first of them: a plan of pictures needs none of it."""
    from qwenvl.processing.files import video_streams

    return video_streams


def _absurd(path: Path, times: Sequence[float], fps: float) -> str:
    """What to say of a rate or a duration that no camera makes; "" for one that may be."""
    seconds = len(times) / fps
    if len(times) > 1 and not _SLOWEST <= fps <= _FASTEST:
        rate = f"{fps:,.0f}" if fps > 1 else f"{fps:.2g}"
        return Sentence.of(
            "{name} says that it shows {rate} frames a second; its times are taken as they stand.",
            name=shown_name(path),
            rate=rate,
        )
    if seconds > _LONGEST:
        return Sentence.of(
            "{name} says that it lasts {hours} hours; its times are taken as they stand.",
            name=shown_name(path),
            hours=f"{seconds / 3600:,.0f}",
        )
    return ""


def _is_animated(path: Path) -> bool:
    """Whether Pillow reads it, as an animation. Raises MediaError for a still picture."""
    try:
        with open_file(path) as picture:
            if picture.format in animations.FORMATS and _count_frames(picture, path) > 1:
                return True
    except MediaError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise MediaError(
            Sentence.of("{name} has frames of too many pixels; scale it down first.", name=shown_name(path))
        ) from None
    except Exception:  # no picture, or one too damaged to tell
        if begins_like(path) != "picture":
            return False
    raise MediaError(Sentence.of("{name} is a picture, not a clip; ask about it as a picture.", name=shown_name(path)))


def _count_frames(picture: Image.Image, path: Path) -> int:
    try:
        return len(animations.frame_places(picture))
    except Exception:  # Pillow raises many kinds on a file that ends within a frame
        raise MediaError(
            Sentence.of("{name} is cut short or damaged; save or download it again.", name=shown_name(path))
        ) from None


@contextmanager
def _clear_errors(path: Path) -> Iterator[None]:
    """Whatever a reader trips over, as one sentence."""
    try:
        yield
    except MediaError:
        raise
    except PermissionError:
        raise MediaError(
            Sentence.of("{name} cannot be read; check that you may open it.", name=shown_name(path))
        ) from None
    except FileNotFoundError:
        raise MediaError(
            Sentence.of("There is no file {name} any more; give it again.", name=shown_name(path))
        ) from None
    except _streams().NO_DECODER:
        raise MediaError(
            Sentence.of(
                "{name} is in a codec that is not known here; save it as H.264, VP9 or AV1 and try again.",
                name=shown_name(path),
            )
        ) from None
    except (AttributeError, ImportError, NameError):  # a fault here or of a library's version, not of the file
        raise
    # Decoders raise many kinds: FFmpeg's own errors, OSError, ValueError, and Pillow's SyntaxError, struct.error ...
    except Exception:
        if _looks_like_a_clip(path):
            raise MediaError(
                Sentence.of("{name} is cut short or damaged; save or download it again.", name=shown_name(path))
            ) from None
        raise NotAClipError(
            Sentence.of("{name} is not a clip; give an {kinds} file.", name=shown_name(path), kinds=_READABLE)
        ) from None


def _looks_like_a_clip(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError:
        return False
    return start.startswith(_PICTURES) or begins_like(path) == "clip"
