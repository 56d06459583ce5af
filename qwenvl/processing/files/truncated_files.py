"""Detects truncated video files: compares the declared length with the bytes present.

Containers of which a header tells: MP4 and MOV by their boxes, Matroska and WebM by their segment, AVI by its list.
Others (a transport stream, a recording that was never closed) do not say where they end.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from qwenvl.errors import MediaError, Sentence

_BOXES = (b"ftyp", b"styp", b"moov", b"mdat", b"moof", b"mfra", b"sidx", b"free", b"skip", b"wide", b"uuid", b"udta")
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"


def check_ending(path: Path) -> None:
    """Refuse a file that ends before it should.

    Raises:
        MediaError: it is cut short; the sentence has both sizes.
    """
    there = path.stat().st_size
    with path.open("rb") as file:
        promised = _promised(file, there)
    if promised > there:
        raise MediaError(
            Sentence.of(
                "{name} is cut short: {promised} bytes are promised and {there} there; save or download it again.",
                name=path.name,
                promised=f"{promised:,}",
                there=f"{there:,}",
            )
        )


def _promised(file: BinaryIO, there: int) -> int:
    start = file.read(12)
    file.seek(0)
    if start[4:8] in _BOXES:
        return _end_of_boxes(file, there)
    if start[:4] == _EBML:
        return _end_of_segment(file)
    if start[:4] == b"RIFF" and start[8:12] == b"AVI ":
        return 8 + int.from_bytes(start[4:8], "little")
    return 0


def _end_of_boxes(file: BinaryIO, there: int) -> int:
    """Where the last box ends; what follows a box of no known name is not looked at."""
    place = 0
    while place < there:
        file.seek(place)
        header = file.read(16)
        size = int.from_bytes(header[:4], "big")
        if header[4:8] not in _BOXES or size == 0:  # 0: to the end of the file
            break
        size = int.from_bytes(header[8:16], "big") if size == 1 else size
        if size < 8:
            break
        place += size
    return place


def _end_of_segment(file: BinaryIO) -> int:
    """Where the segment ends; 0 where its length is left open, as in a recording."""
    file.seek(4)
    file.seek(_read_size(file) or 0, 1)
    if file.read(4) != _SEGMENT:
        return 0
    length = _read_size(file)
    return 0 if length is None else file.tell() + length


def _read_size(file: BinaryIO) -> int | None:
    """An EBML size: the first byte's leading zeros tell how many follow; all ones mean that it is not known."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    more = 8 - first[0].bit_length()
    rest = file.read(more)
    bits = 7 * (more + 1)
    value = int.from_bytes(first + rest, "big") & ((1 << bits) - 1)
    return None if value == (1 << bits) - 1 else value
