"""Reads animated GIF, WebP, PNG and AVIF through Pillow: when each frame is shown, and any of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from PIL import Image

from qwenvl.errors import Sentence
from qwenvl.processing.files.clip_scan import MAX_FRAMES, Scan, too_many_frames
from qwenvl.processing.files.picture_files import open_file, shown_name, upright_rgb

FORMATS = ("GIF", "WEBP", "PNG", "AVIF")

# Browsers show a frame that asks for 10 ms or less for 100 ms, and files are made to look right in browsers.
_SHORTEST, _INSTEAD = 10, 100


def scan(path: Path) -> Scan:
    """Size, times and rate of an animation; raises what Pillow raises on damaged files."""
    name = shown_name(path)
    with open_file(path) as picture:
        places = frame_places(picture)
        if len(places) > MAX_FRAMES:
            raise too_many_frames(name)
        picture.seek(places[0])
        first = upright_rgb(picture, name)
        shown = [_shown_for(picture, frame) for frame in places]
        last = upright_rgb(picture, name)  # the last frame, which a file that is cut short lacks
    begins = accumulate(shown[:-1], initial=0.0)
    note = _seen_on_white(name) if "alpha" in (*first.remarks, *last.remarks) else ""
    times = tuple(milliseconds / 1000 for milliseconds in begins)
    return Scan(first.picture.size, times, 1000 * len(places) / sum(shown), note)


def read(path: Path, indices: Sequence[int]) -> Iterator[Image.Image]:
    """These frames, upright RGB, composed as a viewer sees them."""
    with open_file(path) as picture:
        places = frame_places(picture)
        for index in indices:
            picture.seek(places[index])
            yield upright_rgb(picture, shown_name(path)).picture


def frame_places(picture: Image.Image) -> range:
    """Where Pillow has the frames: in a PNG the first picture may be none, shown only where nothing moves."""
    count = getattr(picture, "n_frames", 1)
    return range(int(bool(getattr(picture, "default_image", False)) and count > 1), count)


def _seen_on_white(name: str) -> Sentence:
    return Sentence.of(
        "{name} is transparent in parts and its frames are seen on white; the published Qwen-VL code drops the "
        "transparency instead.",
        name=name,
    )


def _shown_for(picture: Image.Image, frame: int) -> float:
    """Milliseconds for which a frame stands."""
    picture.seek(frame)
    if picture.format in ("WEBP", "AVIF"):
        picture.load()  # they learn a frame's duration when they decode it
    duration = float(picture.info.get("duration", 0))
    return duration if duration > _SHORTEST else _INSTEAD
