"""A PNG that is read strip by strip is, bit for bit, what it is read whole."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

from qwenvl.errors import MediaError
from qwenvl.processing.files import png_strips
from qwenvl.processing.files.picture_files import read_picture
from qwenvl.processing.files.png_strips import CHANNELS, WHOLE_BYTES, chunk, read_header
from tests.support.pngs import large_png, png

SIZE = (67, 41)  # rows, columns


def values(kind: int, depth: int, *, clear: bool) -> np.ndarray:
    drawn = np.random.default_rng(kind + depth).integers(0, 1 << depth, (*SIZE, CHANNELS[kind]))
    if kind in (4, 6) and not clear:
        drawn[..., -1] = (1 << depth) - 1
    return drawn


def chunks(drawn: np.ndarray, kind: int, *, clear: bool, turned: int) -> bytes:
    """A palette, what is transparent where there is no alpha, and how the picture is to be turned."""
    exif = Image.Exif()
    exif[0x0112] = turned
    found = chunk(b"eXIf", exif.tobytes()[6:])
    if kind == 3:
        colours = np.random.default_rng(3).integers(0, 256, 768, dtype=np.uint8).tobytes()
        return chunk(b"PLTE", colours) + (chunk(b"tRNS", bytes(range(256))) if clear else b"") + found
    if kind in (0, 2) and clear:
        return chunk(b"tRNS", struct.pack(f">{CHANNELS[kind]}H", *map(int, drawn[0, 0]))) + found
    return found


@pytest.mark.parametrize("clear", [True, False])
@pytest.mark.parametrize(("kind", "depth"), sorted(WHOLE_BYTES))
def test_every_kind_of_pixel_in_every_turn(kind: int, depth: int, clear: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = values(kind, depth, clear=clear)
    for turned in range(1, 9):
        content = png(drawn, depth, kind, others=chunks(drawn, kind, clear=clear, turned=turned), seed=turned)
        whole = read_picture(content)
        with monkeypatch.context() as patch:
            patch.setattr(png_strips, "LARGE", 1)
            patch.setattr(png_strips, "STRIP_BYTES", 1500)
            strips = read_picture(content)
        header = read_header(io.BytesIO(content))
        assert header is not None
        assert header.height > 1500 // header.line_bytes
        assert np.array_equal(np.asarray(strips.picture), np.asarray(whole.picture)), turned
        assert strips.note == whole.note


def test_what_cannot_be_read_in_strips_is_left_to_pillow() -> None:
    drawn = values(2, 8, clear=False)
    assert read_header(io.BytesIO(png(drawn, 8, 2, interlaced=1))) is None
    assert read_header(io.BytesIO(b"\x89PNG\r\n\x1a\n")) is None
    assert read_header(io.BytesIO(b"GIF89a")) is None
    file = io.BytesIO()
    Image.new("1", (8, 8)).save(file, "PNG")
    assert read_header(io.BytesIO(file.getvalue())) is None


@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_a_large_file_that_is_cut_is_damaged(kept: float) -> None:
    drawn = np.random.default_rng(0).integers(0, 256, (2100, 2100, 3))
    content = png(drawn, 8, 2)
    assert read_picture(content).picture.size == (2100, 2100)
    with pytest.raises(MediaError, match="is cut short or damaged"):
        read_picture(content[: int(len(content) * kept)])


def test_a_clip_in_a_png_shows_its_default_image() -> None:
    frames = [Image.new("RGB", (2100, 2100), colour) for colour in ("red", "blue")]
    file = io.BytesIO()
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:])
    assert read_picture(file.getvalue()).picture.getpixel((5, 5)) == (255, 0, 0)


def test_a_strip_is_small() -> None:
    header = read_header(io.BytesIO(large_png(9000, 40, 16, 6)))
    assert header is not None
    assert header.rows_of_strip * header.line_bytes <= png_strips.STRIP_BYTES
