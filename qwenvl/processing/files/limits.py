"""Bounds what reading one picture may take, in memory and time: wide for a library, narrow for a server.

A file says how it is packed before a pixel of it is read, and what each packing takes was measured: bytes of memory per
pixel while it becomes RGB, which itself is 4. Whoever runs a server calls `set_limits(SERVER)` once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from PIL import Image

from qwenvl.errors import MediaError, Sentence

DEAR = 1 << 22  # pixels from which a picture counts as large: those wait for each other


@dataclass(frozen=True)
class Limits:
    """What one picture may take.

    Attributes:
        spare_bytes: memory beyond 3 bytes per pixel; None for as much as there is.
        jpeg_scans: passes over a progressive JPEG, each of which decodes it once more.
        at_once: how many large pictures are read at the same time.
        composed_pixels: of all frames of an animation together; its last frame is drawn over all others.
    """

    spare_bytes: int | None
    jpeg_scans: int
    at_once: int
    composed_pixels: int


LIBRARY = Limits(None, 512, 64, 1 << 40)
SERVER = Limits(150_000_000, 64, 2, 10**9)

# Bytes per pixel at the peak of reading, measured at 25 to 81 million pixels in a process of their own. A mode of one
# byte per pixel is held beside its RGB; of CMYK and of what has alpha a second copy is made. HEIF was not measured:
# nothing here writes one, and it counts as WebP, on the safe side.
_OF_FORMAT = {"WEBP": 16.5, "AVIF": 9.6, "HEIF": 16.5, "JPEG2000": 19.6}
_OF_MODE = {"1": 5.2, "L": 5.2, "P": 5.2, "RGB": 4.2}
_OTHERWISE = 8.4
_PROGRESSIVE = 6.0  # what a progressive JPEG holds besides: its coefficients
_IN_STRIPS = 4.2  # a large PNG that is read so

_chosen = LIBRARY
_turns = threading.BoundedSemaphore(LIBRARY.at_once)


def set_limits(limits: Limits) -> None:
    """Bound every picture that this process reads from now on."""
    global _chosen, _turns
    _chosen, _turns = limits, threading.BoundedSemaphore(limits.at_once)


@contextmanager
def turn(pixels: int) -> Iterator[None]:
    """Wait until not too many large pictures are being read."""
    if pixels < DEAR:
        yield
        return
    with _turns:
        yield


def check_cost(picture: Image.Image, file: BinaryIO, name: str, *, in_strips: bool, is_deep: bool) -> None:
    """Refuse, before a pixel is read, what would take more than it may.

    Args:
        picture: opened, and not loaded.
        file: the same, at its beginning.
        in_strips: whether it is a PNG that is read so.
        is_deep: whether it is 16-bit colour, which is read two times.

    Raises:
        MediaError: it is too large for its packing, or a JPEG of too many scans.
    """
    pixels = picture.width * picture.height
    if picture.format in ("JPEG", "MPO"):
        _check_scans(file.read(), name)
    if _chosen.spare_bytes is None or pixels < DEAR:
        return
    needed = int(pixels * (_IN_STRIPS if in_strips else _bytes_per_pixel(picture) + (8.4 if is_deep else 0)))
    if needed > 3 * pixels + _chosen.spare_bytes:
        raise MediaError(
            Sentence.of(
                "{name} has {pixels} pixels, packed so that reading it takes {megabytes} MB, more than a picture may "
                "take here: save it as an 8-bit PNG or JPEG, or scale it down.",
                name=name,
                pixels=f"{pixels:,}",
                megabytes=f"{needed // 10**6:,}",
            )
        )


def check_frames(count: int, size: tuple[int, int], name: str) -> None:
    """Refuse an animation of more pixels in all than may be composed. Raises `MediaError`."""
    pixels = count * size[0] * size[1]
    if pixels > _chosen.composed_pixels:
        raise MediaError(
            Sentence.of(
                "{name} has {count} frames of {width} × {height}, more than {most} pixels in all, and each is drawn "
                "over those before it: save it as MP4 or WebM.",
                name=name,
                count=f"{count:,}",
                width=size[0],
                height=size[1],
                most=f"{_chosen.composed_pixels:,}",
            )
        )


def _bytes_per_pixel(picture: Image.Image) -> float:
    usual = _OF_FORMAT.get(picture.format or "", _OF_MODE.get(picture.mode, _OTHERWISE))
    return usual + (_PROGRESSIVE if picture.info.get("progressive") else 0)


def _check_scans(content: bytes, name: str) -> None:
    scans = content.count(b"\xff\xda")  # begins a scan; within one a byte of FF is followed by 00
    if scans > _chosen.jpeg_scans:
        raise MediaError(
            Sentence.of(
                "{name} is a JPEG of {scans} scans, each of which decodes it once more, and {most} is the most: save "
                "it again.",
                name=name,
                scans=f"{scans:,}",
                most=_chosen.jpeg_scans,
            )
        )
