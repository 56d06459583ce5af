"""Durations of frames, read from a file's blocks, are those that Pillow finds by drawing every frame."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from qwenvl.errors import MediaError
from qwenvl.processing.files import animations
from qwenvl.processing.files.clips import open_clip
from qwenvl.processing.files.frame_times import CutShort, durations
from qwenvl.processing.files.limits import LIBRARY, SERVER, set_limits

SHOWN = [40, 100, 10, 0, 250, 70, 70, 1000]
SUFFIXES = {"GIF": ".gif", "PNG": ".png", "WEBP": ".webp"}


def frames(count: int, side: int = 12) -> list[Image.Image]:
    drawn = np.random.default_rng(0).integers(0, 256, (count, side, side, 3), dtype=np.uint8)
    return [Image.fromarray(values) for values in drawn]


def animation(path: Path, kind: str, **more: object) -> Path:
    first, *others = frames(len(SHOWN))
    first.save(path, kind, save_all=True, append_images=others, duration=SHOWN, loop=0, **more)
    return path


@pytest.mark.parametrize("kind", list(SUFFIXES))
def test_the_blocks_say_what_drawing_every_frame_says(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = animation(tmp_path / f"a{SUFFIXES[kind]}", kind)
    drawn = animations.scan(path)
    monkeypatch.setattr(animations, "FEW", 1)
    monkeypatch.setattr(animations, "_shown_for", lambda *_: pytest.fail("a frame was drawn"))
    assert animations.scan(path) == drawn
    assert len(drawn.times) == len(SHOWN)


def test_the_default_image_of_a_png_has_no_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = animation(tmp_path / "a.png", "PNG", default_image=True)
    drawn = animations.scan(path)
    monkeypatch.setattr(animations, "FEW", 1)
    assert animations.scan(path) == drawn
    assert len(drawn.times) == len(SHOWN) - 1


@pytest.mark.parametrize("kind", list(SUFFIXES))
def test_a_file_that_ends_within_a_frame_is_cut_short(kind: str, tmp_path: Path) -> None:
    content = animation(tmp_path / f"a{SUFFIXES[kind]}", kind).read_bytes()
    with pytest.raises(CutShort):
        durations(io.BytesIO(content[: len(content) - 60]), kind)
    assert durations(io.BytesIO(content), "AVIF") is None


@pytest.fixture
def server() -> Iterator[None]:
    set_limits(SERVER)
    yield
    set_limits(LIBRARY)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "count"), [("GIF", 20_000), ("PNG", 5_000)])
def test_thousands_of_frames_are_scanned_in_seconds(kind: str, count: int, tmp_path: Path, server: None) -> None:
    path = tmp_path / f"long{SUFFIXES[kind]}"
    two = [Image.new("RGB", (60, 40), colour) for colour in ("red", "blue")]
    two[0].save(path, kind, save_all=True, append_images=[two[number % 2] for number in range(1, count)], duration=40)
    begun = time.process_time()
    clip = open_clip(path)
    assert time.process_time() - begun < 10
    assert len(clip.times) == count
    assert clip.fps == pytest.approx(25)


def test_what_would_take_too_long_to_draw_is_refused(tmp_path: Path, server: None) -> None:
    path = animation(tmp_path / "a.gif", "GIF")
    assert len(open_clip(path).times) == len(SHOWN)
    set_limits(replace(SERVER, composed_pixels=len(SHOWN) * 12 * 12 - 1))
    path = animation(tmp_path / "b.gif", "GIF")  # an opened clip is remembered
    with pytest.raises(MediaError, match=r"8 frames of 12 × 12, more than 1,151 pixels in all"):
        open_clip(path)
    assert SERVER.composed_pixels == 10**9
