"""Reads animated GIF, WebP, PNG and AVIF through Pillow: when each frame is shown, and any of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from PIL import Image

from qwenvl.processing.clip_scan import Scan, check_frame_count
from qwenvl.processing.pictures import open_file, upright_rgb

FORMATS = ("GIF", "WEBP", "PNG", "AVIF")

# Browsers show a frame that asks for 10 ms or less for 100 ms, and files are made to look right in browsers.
_SHORTEST, _INSTEAD = 10, 100


def scan(path: Path) -> Scan:
    """Size, times and rate of an animation; raises what Pillow raises on damaged files."""
    with open_file(path) as picture:
        count = getattr(picture, "n_frames", 1)
        check_frame_count(path.name, count)
        size = upright_rgb(picture, path.name).size
        shown = [_shown_for(picture, frame) for frame in range(count)]
        picture.load()  # the last frame, which a file that is cut short lacks
    begins = accumulate(shown[:-1], initial=0.0)
    return Scan(size, tuple(milliseconds / 1000 for milliseconds in begins), 1000 * count / sum(shown))


def read(path: Path, indices: Sequence[int]) -> Iterator[Image.Image]:
    """These frames, upright RGB, composed as a viewer sees them."""
    with open_file(path) as picture:
        for index in indices:
            picture.seek(index)
            yield upright_rgb(picture, path.name)


def _shown_for(picture: Image.Image, frame: int) -> float:
    """Milliseconds a frame stands."""
    picture.seek(frame)
    if picture.format in ("WEBP", "AVIF"):
        picture.load()  # they learn a frame's duration when they decode it
    duration = float(picture.info.get("duration", 0))
    return duration if duration > _SHORTEST else _INSTEAD
