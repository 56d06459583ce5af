"""Reads for how long each frame of an animated GIF, PNG or WebP stands, from its blocks, without drawing one.

Pillow learns a frame's duration by composing all frames before it. Each format writes it before the frame's pixels: a
GIF in its graphic control extension (GIF89a, section 23), a PNG in fcTL (PNG 3, section 11.3.6.2), a WebP in ANMF.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

UNITS = {"GIF": 10.0, "WEBP": 1.0}  # milliseconds
HUNDRED = 100  # of a second: what a PNG means by a denominator of 0


class CutShort(Exception):
    """The file ends within a block."""


def durations(file: BinaryIO, kind: str) -> list[float] | None:
    """Milliseconds of every frame, as the file has them; None for another format.

    Args:
        file: at its beginning.
        kind: "GIF", "PNG" or "WEBP".

    Raises:
        CutShort: it ends within a frame.
    """
    walks = {"GIF": _of_gif, "PNG": _of_png, "WEBP": _of_webp}
    return list(walks[kind](file)) if kind in walks else None


def _take(file: BinaryIO, count: int) -> bytes:
    found = file.read(count)
    if len(found) < count:
        raise CutShort
    return found


def _of_gif(file: BinaryIO) -> Iterator[float]:
    flags = _take(file, 13)[10]
    _take(file, _table(flags))
    duration = 0.0
    while True:
        begin = file.read(1)
        if begin in (b"\x3b", b""):  # the trailer, which some writers leave out
            return
        if begin == b"\x21":
            label = _take(file, 1)
            first = _sub_blocks(file)
            if label == b"\xf9" and len(first) >= 4:
                duration = UNITS["GIF"] * struct.unpack_from("<H", first, 1)[0]
        elif begin == b"\x2c":
            _take(file, _table(_take(file, 9)[8]) + 1)  # the colours of its own, and the size of its codes
            _sub_blocks(file)
            yield duration
            duration = 0.0


def _table(flags: int) -> int:
    """Bytes of a table of colours."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _sub_blocks(file: BinaryIO) -> bytes:
    """Go past a chain of blocks; the first one's bytes."""
    first = b""
    while length := _take(file, 1)[0]:
        content = _take(file, length)
        first = first or content
    return first


def _of_png(file: BinaryIO) -> Iterator[float]:
    _take(file, 8)
    while True:
        length, name = struct.unpack(">I4s", _take(file, 8))
        content = _take(file, length + 4)
        if name == b"IEND":
            return
        if name == b"fcTL":
            number, denominator = struct.unpack_from(">HH", content, 20)
            yield 1000 * number / (denominator or HUNDRED)


def _of_webp(file: BinaryIO) -> Iterator[float]:
    whole = struct.unpack("<I", _take(file, 12)[4:8])[0] + 8
    at = 12
    while at + 8 <= whole:
        name, length = struct.unpack("<4sI", _take(file, 8))
        content = _take(file, length + (length & 1))
        at += 8 + length + (length & 1)
        if name == b"ANMF":
            yield float(int.from_bytes(content[12:15], "little"))
