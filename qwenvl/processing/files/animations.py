"""Reads animated GIF, WebP, PNG and AVIF through Pillow: when each frame is shown, and any of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from PIL import Image

from qwenvl.errors import Sentence
from qwenvl.processing.files.clip_scan import MAX_FRAMES, Scan, too_many_frames
from qwenvl.processing.files.frame_times import durations
from qwenvl.processing.files.limits import check_frames
from qwenvl.processing.files.picture_files import open_file, shown_name, upright_rgb

FORMATS = ("GIF", "WEBP", "PNG", "AVIF")

# Browsers show a frame that asks for 10 ms or less for 100 ms, and files are made to look right in browsers.
_SHORTEST, _INSTEAD = 10, 100

COMPOSED, FEW = 1 << 26, 100  # pixels of all frames, and frames, of an animation that is composed to be scanned


def scan(path: Path) -> Scan:
    """Size, times and rate of an animation; raises what Pillow raises on damaged files."""
    name = shown_name(path)
    with open_file(path) as picture:
        places = frame_places(picture)
        if len(places) > MAX_FRAMES:
            raise too_many_frames(name)
        check_frames(len(places), picture.size, name)
        picture.seek(places[0])
        first = last = upright_rgb(picture, name)
        shown = _written(picture, path, len(places))
        if shown is None:
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


def _written(picture: Image.Image, path: Path, count: int) -> list[float] | None:
    """Milliseconds for which each frame of a long animation stands, as the file writes it; None for what is composed.

    A short one is composed up to its last frame, which tells what is transparent there too.

    Raises:
        CutShort: the file ends within a frame.
    """
    if count * picture.width * picture.height <= COMPOSED and count <= FEW:
        return None
    with path.open("rb") as file:
        found = durations(file, picture.format or "")
    return [_as_browsers(one) for one in found] if found is not None and len(found) == count else None


def _shown_for(picture: Image.Image, frame: int) -> float:
    """Milliseconds for which a frame stands."""
    picture.seek(frame)
    if picture.format in ("WEBP", "AVIF"):
        picture.load()  # they learn a frame's duration when they decode it
    return _as_browsers(float(picture.info.get("duration", 0)))


def _as_browsers(duration: float) -> float:
    return duration if duration > _SHORTEST else _INSTEAD
