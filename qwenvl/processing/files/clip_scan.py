"""Defines what a scan finds of a clip's file before its frames are read, whichever reader reads it."""

from __future__ import annotations

from dataclasses import dataclass

from qwenvl.errors import MediaError, Sentence

MAX_FRAMES = 1_000_000
"""More than nine hours at 30 frames a second; longer clips are refused."""


class UnknownCodecError(Exception):
    """No decoder for the stream."""


@dataclass(frozen=True)
class Scan:
    """What is known of a file before its frames are read; see `clips.ClipFile`."""

    size: tuple[int, int]
    times: tuple[float, ...]
    fps: float
    note: str = ""


def too_many_frames(name: str) -> MediaError:
    return MediaError(
        Sentence.of("{name} has more than {most} frames; cut it into shorter clips.", name=name, most=f"{MAX_FRAMES:,}")
    )
