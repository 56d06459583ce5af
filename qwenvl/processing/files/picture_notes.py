"""Says what of a picture file is not seen: further pages and pictures, transparency, depth, and what only HDR shows."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from qwenvl.errors import Sentence

_ANIMATED = ("GIF", "WEBP", "PNG", "AVIF")


def bytes_of(opened: Path | bytes) -> BinaryIO:
    """A file, or the bytes of one, at its beginning."""
    return io.BytesIO(opened) if isinstance(opened, bytes) else opened.open("rb")


def said_of(name: str, remarks: Sequence[str]) -> Sentence:
    """What was lost when a picture of this name became 8-bit RGB, see `colours.Converted`."""
    sentences = {
        "alpha": Sentence.of(
            "{name} is transparent in parts and is seen on white, as transformers does; the published Qwen-VL code "
            "drops the transparency instead.",
            name=name,
        ),
        "dim": Sentence.of(
            "{name} holds values of 16 bits none of which is above 4,095, so it is seen very dark: scale it to 65,535 "
            "first.",
            name=name,
        ),
        "bright": Sentence.of("{name} holds values above 65,535, which are seen as white: scale it first.", name=name),
        "float": Sentence.of(
            "{name} holds values beyond 0 to 255, which are cut off there: scale it first.", name=name
        ),
    }
    return Sentence.joined(sentences[remark] for remark in remarks)


def left_out(picture: Image.Image, opened: Path | bytes, name: str) -> Iterator[Sentence]:
    """What else a file holds: further pages and pictures, and what only an HDR screen shows."""
    count = _count(picture)
    if count > 1 and picture.format in _ANIMATED:
        yield Sentence.of(
            "{name} has {count} frames and the first is seen; ask about it as a clip for the others.",
            name=name,
            count=f"{count:,}",
        )
    elif count > 1 and picture.format == "TIFF":
        yield Sentence.of(
            "{name} has {count} pages and the first is seen; save the others as files of their own.",
            name=name,
            count=f"{count:,}",
        )
    elif count > 1:
        yield Sentence.of(
            "{name} holds {count} pictures and the main one is seen; save the others as files of their own.",
            name=name,
            count=f"{count:,}",
        )
    sizes = picture.info.get("sizes") or ()
    if picture.format == "ICO" and len(sizes) > 1:
        yield Sentence.of(
            "{name} holds {count} sizes of a picture and the largest is seen.", name=name, count=len(sizes)
        )
    depth = picture.info.get("bit_depth", 8)
    if isinstance(depth, int) and depth > 8:
        yield Sentence.of("{name} holds values of {depth} bits, which are brought to 8.", name=name, depth=depth)
    if _is_high_range(picture, opened):
        yield Sentence.of(
            "{name} is an HDR picture, of which the ordinary range alone is seen, as the models were trained.",
            name=name,
        )


def _count(picture: Image.Image) -> int:
    try:
        return int(getattr(picture, "n_frames", 1))
    except Exception:  # Pillow raises many kinds on a file that ends within a frame
        return 1


_GAIN_MAPS = (b"hdrgm:", b"urn:iso:std:iso:ts:21496:-1", b"hdrgainmap", b"HDRGainMap")
_HIGH_TRANSFERS = (16, 18)  # PQ and HLG, as ITU-T H.273 numbers them
_HEADER = 256 << 10  # bytes in which a file says so


def _is_high_range(picture: Image.Image, opened: Path | bytes) -> bool:
    """Whether a picture's header speaks of PQ, HLG or a gain map."""
    with bytes_of(opened) as file:
        header = file.read(_HEADER)
    if picture.format in ("JPEG", "MPO", "HEIF") and any(mark in header for mark in _GAIN_MAPS):
        return True
    if picture.format == "PNG":
        place = header.find(b"cICP", 0, max(header.find(b"IDAT"), 0))
        return place > 0 and header[place + 5 : place + 6] in (b"\x10", b"\x12")
    if picture.format in ("AVIF", "HEIF"):
        place = header.find(b"colrnclx")
        return place > 0 and int.from_bytes(header[place + 10 : place + 12], "big") in _HIGH_TRANSFERS
    return False
