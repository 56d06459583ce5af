"""Reads a large PNG a strip of rows at a time, so that no more of it than the strip is held as the file has it.

Pillow decodes a picture whole, and 16-bit colour takes it two times. Here the rows are unpacked in strips, each strip
becomes a small PNG file of its own, and Pillow reads that: filters, palettes, transparency and 16 bits are its work.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from PIL import ExifTags, Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
WHOLE_BYTES = {(kind, 8) for kind in CHANNELS} | {(kind, 16) for kind in (0, 2, 6)}  # what is read in strips
STRIP_BYTES = 1 << 20
LARGE = 1 << 22  # pixels from which strips are worth their trouble
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

Strip = tuple[Image.Image, Image.Image | None]  # as Pillow reads it; of 16-bit colour the low bytes too


@dataclass(frozen=True)
class Header:
    """What stands before and after the pixels of a PNG file.

    Attributes:
        before, after: the other chunks, as they stand in the file.
    """

    width: int
    height: int
    depth: int
    kind: int
    before: bytes
    after: bytes

    @property
    def line_bytes(self) -> int:
        """Bytes of a row, without its filter."""
        return self.width * CHANNELS[self.kind] * self.depth // 8

    @property
    def rows_of_strip(self) -> int:
        """Rows of a strip."""
        return max(1, STRIP_BYTES // self.line_bytes)

    def file(self, rows: int, content: bytes) -> io.BytesIO:
        """A PNG file of some of the rows, which come with their filters."""
        size = struct.pack(">IIBBBBB", self.width, rows, self.depth, self.kind, 0, 0, 0)
        packed = zlib.compress(content, 0)
        chunks = chunk(b"IHDR", size), self.before, chunk(b"IDAT", packed), self.after, chunk(b"IEND", b"")
        return io.BytesIO(b"".join((SIGNATURE, *chunks)))


def chunk(name: bytes, content: bytes) -> bytes:
    """A chunk as it stands in a file."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def read_header(file: BinaryIO) -> Header | None:
    """The header of a PNG whose rows can be read in strips; None for others, such as interlaced or damaged ones."""
    if file.read(8) != SIGNATURE:
        return None
    start, before, after, has_pixels = b"", b"", b"", False
    for name, length in _chunks(file):
        if name == b"IDAT":
            has_pixels = True
            file.seek(length + 4, io.SEEK_CUR)
        elif name in (b"fcTL", b"fdAT", b"acTL"):  # of the frames of a clip
            file.seek(length + 4, io.SEEK_CUR)
        else:
            content = struct.pack(">I", length) + name + file.read(length + 4)
            if name == b"IHDR":
                start = content[8:21]
            elif has_pixels:
                after += content
            else:
                before += content
    if len(start) != 13 or not has_pixels:
        return None
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", start)
    if interlaced or (kind, depth) not in WHOLE_BYTES or not width or not height:
        return None
    return Header(width, height, depth, kind, before, after)


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    while len(head := file.read(8)) == 8:
        length, name = struct.unpack(">I4s", head)
        if name == b"IEND":
            return
        yield name, length


def strips(file: BinaryIO, header: Header, swapped: Callable[[Any], list[Any]]) -> Iterator[Strip]:
    """The rows of a PNG from its top, strip by strip.

    Args:
        file: at its beginning.
        swapped: what tells Pillow to read 16-bit colour with the bytes of a value swapped.

    Raises:
        OSError: rows are missing.
    """
    line = header.line_bytes + 1
    rest, last, done = b"", b"", 0
    content = _unpacked(file, line * header.rows_of_strip)
    while done < header.height:
        rows = min(header.rows_of_strip, header.height - done)
        while len(rest) < rows * line:
            more = next(content, b"")
            if not more:
                raise OSError("rows are missing")
            rest += more
        above = b"\0" + last if last else b""  # the row before, which filters build on
        block, rest = above + rest[: rows * line], rest[rows * line :]
        strip, last = _strip(header, rows + bool(above), block, swapped)
        yield tuple(each and _without_first_row(each, bool(above)) for each in strip)  # type: ignore[misc]
        done += rows


def _strip(header: Header, rows: int, block: bytes, swapped: Callable[[Any], list[Any]]) -> tuple[Strip, bytes]:
    """A strip, and its last row as bytes without a filter."""
    with Image.open(header.file(rows, block), formats=("PNG",)) as high:
        tiles = swapped(high.tile)
        high.load()
    lowest = high.crop((0, rows - 1, header.width, rows))
    if header.depth == 8:
        return (high, None), lowest.tobytes()
    if not tiles:  # grey
        return (high, None), np.asarray(lowest).astype(">u2").tobytes()
    with Image.open(header.file(rows, block), formats=("PNG",)) as low:
        low.tile = tiles
        low.load()
    row = np.stack([np.asarray(lowest), np.asarray(low.crop((0, rows - 1, header.width, rows)))], axis=-1)
    return (high, low), row.tobytes()


def _without_first_row(strip: Image.Image, has_one_more: bool) -> Image.Image:
    if not has_one_more:
        return strip
    cut = strip.crop((0, 1, *strip.size))
    cut.info = strip.info
    return cut


def _unpacked(file: BinaryIO, size: int) -> Iterator[bytes]:
    """What the pixels of a PNG unpack to, in pieces of at most this size."""
    unpack = zlib.decompressobj()
    file.seek(8)
    for name, length in _chunks(file):
        if name != b"IDAT":
            file.seek(length + 4, io.SEEK_CUR)
            continue
        while length:
            packed = file.read(min(length, 1 << 20))
            if not packed:
                return
            length -= len(packed)
            while packed:
                yield unpack.decompress(packed, size)
                packed = unpack.unconsumed_tail
        file.seek(4, io.SEEK_CUR)
    yield unpack.flush()


def orientation(header: Header) -> int:
    """How the picture is to be turned, as its EXIF or XMP says; 1 for not at all."""
    empty = bytes(header.line_bytes + 1)
    with Image.open(header.file(1, empty), formats=("PNG",)) as picture:
        picture.load()
        try:
            found = picture.getexif().get(ExifTags.Base.Orientation, 1)
        except Exception:  # damaged EXIF, of whatever kind
            return 1
    return found if found in TURNS else 1


def put(strip: Image.Image, whole: Image.Image, top: int, height: int, turn: int) -> None:
    """Place a strip, which begins at row `top` of `height`, where it stands in the upright picture."""
    bottom = top + strip.height
    turned = strip.transpose(TURNS[turn]) if turn in TURNS else strip
    start = height - bottom if turn in (3, 4, 6, 7) else top
    whole.paste(turned, (start, 0) if turn in (5, 6, 7, 8) else (0, start))
