"""Clips for tests, encoded here: each frame spells its own number in black and white squares, which any codec keeps."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

COLUMNS, ROWS = 4, 3  # twelve binary digits, the highest at the top left
CODECS = {
    "h264.mp4": "libx264",
    "h264.mkv": "libx264",
    "h264.mov": "libx264",
    "h264.ts": "libx264",
    "vp9.webm": "libvpx-vp9",
    "vp9.mkv": "libvpx-vp9",
    "mpeg4.mp4": "mpeg4",
    "mpeg4.avi": "mpeg4",
    "mpeg4.mkv": "mpeg4",
    "gif.gif": "gif",
}


def drawn(number: int, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    """The frame that spells a number, from 4,096 on its rest: uint8 (height, width, 3)."""
    width, height = size
    digits = np.array([int(digit) for digit in f"{number % 4096:012b}"]).reshape(ROWS, COLUMNS)
    rows, columns = np.arange(height) * ROWS // height, np.arange(width) * COLUMNS // width
    return np.repeat((digits[rows][:, columns] * 255).astype(np.uint8)[..., None], 3, axis=2)


def number_of(frame: Image.Image) -> int:
    """The number a frame spells, at any size."""
    centres = [
        ((2 * column + 1) * frame.width // (2 * COLUMNS), (2 * row + 1) * frame.height // (2 * ROWS))
        for row in range(ROWS)
        for column in range(COLUMNS)
    ]
    return int("".join(str(int(sum(frame.getpixel(centre)) > 384)) for centre in centres), 2)


def encode(
    path: Path,
    codec: str = "libx264",
    *,
    count: int = 30,
    rate: int = 25,
    stamps: Sequence[int] | None = None,
    size: tuple[int, int] = (64, 48),
    sound: bool = False,
    container: dict[str, str] | None = None,
    **options: Any,
) -> Path:
    """A clip of `count` frames, frame n spelling n; `stamps` in milliseconds make its rate variable."""
    base = Fraction(1, 1000) if stamps else Fraction(1, rate)
    with av.open(path, "w", options=container or {}) as file:
        stream = file.add_stream(codec, rate=rate, options={name: str(value) for name, value in options.items()})
        stream.width, stream.height = size
        stream.pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
        stream.codec_context.time_base = base
        voice = file.add_stream("aac" if path.suffix == ".mp4" else "libopus", rate=48_000) if sound else None
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(drawn(index, size), "rgb24")
            frame.pts, frame.time_base = stamps[index] if stamps else index, base
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
        if voice is not None:
            _hum(file, voice)
    return path


def encode_sound(path: Path) -> Path:
    """Sound and nothing else."""
    with av.open(path, "w") as file:
        _hum(file, file.add_stream("aac", rate=48_000))
    return path


def _hum(file: av.container.OutputContainer, stream: av.AudioStream) -> None:
    for _ in range(20):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 960), np.float32), "fltp", layout="mono")
        frame.sample_rate = 48_000
        file.mux(stream.encode(frame))
    file.mux(stream.encode())


def patched(path: Path, after: bytes, skip: int, content: bytes) -> Path:
    """The same file with some bytes replaced, `skip` bytes after the last place where `after` stands."""
    data = bytearray(path.read_bytes())
    start = data.rindex(after) + len(after) + skip
    data[start : start + len(content)] = content
    path.write_bytes(data)
    return path


def turned(path: Path, quarter_turns: int) -> Path:
    """An MP4 whose header asks for quarter turns clockwise."""
    cosine, sine = ((1, 0), (0, 1), (-1, 0), (0, -1))[quarter_turns % 4]
    one = 1 << 16
    matrix = struct.pack(">9i", cosine * one, sine * one, 0, -sine * one, cosine * one, 0, 0, 0, 1 << 30)
    return patched(path, b"tkhd", 40, matrix)
