"""Writes PNG files of any colour type and depth, with every kind of filter, which Pillow's writer does not choose."""

from __future__ import annotations

import struct
import zlib

import numpy as np

from qwenvl.processing.files.png_strips import CHANNELS, SIGNATURE, chunk


def png(values: np.ndarray, depth: int, kind: int, *, others: bytes = b"", seed: int = 0, interlaced: int = 0) -> bytes:
    """A file of these values, (height, width, channels), whose rows are filtered in ways drawn by chance.

    Args:
        depth: 8 or 16 bits.
        kind: colour type.
        others: chunks that stand before the pixels.
    """
    height, width, _ = values.shape
    raw = values.astype(">u2" if depth == 16 else np.uint8).tobytes()
    rows = np.frombuffer(raw, np.uint8).reshape(height, -1).astype(int)
    step = CHANNELS[kind] * depth // 8
    random, above, packed = np.random.default_rng(seed), np.zeros(rows.shape[1], int), bytearray()
    for row in rows:
        filter_type = int(random.integers(0, 5))
        packed.append(filter_type)
        packed += bytes(((row - _foretold(filter_type, row, above, step)) % 256).astype(np.uint8))
        above = row
    stream = zlib.compress(bytes(packed))
    third = max(1, len(stream) // 3)  # in several chunks, as writers do it
    pixels = b"".join(chunk(b"IDAT", stream[place : place + third]) for place in range(0, len(stream), third))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced))
    return SIGNATURE + header + others + pixels + chunk(b"IEND", b"")


def _foretold(filter_type: int, row: np.ndarray, above: np.ndarray, step: int) -> np.ndarray:
    """What a filter takes from a row: nothing, left, above, their mean, or Paeth's choice (RFC 2083, section 6)."""
    left = np.concatenate([np.zeros(step, int), row[:-step]])
    corner = np.concatenate([np.zeros(step, int), above[:-step]])
    guess = left + above - corner
    by_left, by_above, by_corner = abs(guess - left), abs(guess - above), abs(guess - corner)
    paeth = np.where(
        (by_left <= by_above) & (by_left <= by_corner), left, np.where(by_above <= by_corner, above, corner)
    )
    return [np.zeros_like(row), left, above, (left + above) // 2, paeth][filter_type]


def large_png(width: int, height: int, depth: int, kind: int) -> bytes:
    """A black or transparent picture of any size, in a small file."""
    line = b"\2" + bytes(width * CHANNELS[kind] * depth // 8)
    packer = zlib.compressobj(1)
    stream = b"".join(packer.compress(line) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", stream) + chunk(b"IEND", b"")
