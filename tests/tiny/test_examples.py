"""The page's examples are whole: every file is listed, opens, and says where it comes from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from qwenvl.processing.files.clips import open_clip
from qwenvl.processing.files.picture_files import open_picture
from qwenvl.tiny.films import FILM_FPS, FILM_FRAMES, FILM_SIZE, MOVING_SHAPE, pan_window, zoom_window

FOLDER = Path(__file__).parents[2] / "app" / "examples"
MANIFEST = json.loads((FOLDER / "examples.json").read_text(encoding="utf-8"))


def test_every_picture_is_listed_and_its_licence_is_named() -> None:
    listed = [name for example in MANIFEST for name in example["files"]]
    pictures = {path.name for path in FOLDER.iterdir() if path.suffix in (".png", ".jpg", ".mp4")}
    licences = (FOLDER / "LICENSES.md").read_text(encoding="utf-8")
    assert set(listed) == pictures
    assert all(f"`{name}`" in licences for name in listed)


def test_examples_say_what_they_are_and_begin_with_the_shapes() -> None:
    assert MANIFEST[0]["name"] == "shapes"
    assert len({example["name"] for example in MANIFEST}) == len(MANIFEST)
    for example in MANIFEST:
        assert set(example) - {"max_pixels"} == {"name", "title", "kind", "files", "question"}
        assert example["kind"] in ("photo", "scene")
        assert example["question"]


def test_one_example_has_two_pictures_of_different_sizes() -> None:
    sizes = []
    for example in MANIFEST:
        pictures = [open_picture(FOLDER / name) for name in example["files"] if not name.endswith(".mp4")]
        sizes.append({picture.size for picture in pictures})
    assert max(len(found) for found in sizes) == 2
    assert sizes[0] == {(1064, 728)}


def test_the_pan_and_the_zoom_move_as_they_say() -> None:
    for name, still, window in (("pan", "rocket.jpg", pan_window), ("zoom", "chelsea.png", zoom_window)):
        clip = open_clip(FOLDER / f"{name}.mp4")
        assert (len(clip.times), clip.fps, clip.size) == (FILM_FRAMES, FILM_FPS, FILM_SIZE)
        picture = open_picture(FOLDER / still)
        wanted = [0, 17, FILM_FRAMES - 1]
        for frame, shown in zip(wanted, clip.read(wanted), strict=True):
            off = [_distance(shown, picture, window(frame), step) for step in (0, 3)]
            assert off[0] < 12 < 2 * off[0] + 12
            assert off[0] < 0.8 * off[1]  # three pixels aside it would not be the same picture


def _distance(shown: Image.Image, still: Image.Image, window: tuple[int, int, int, int], aside: int) -> float:
    """Mean difference of a frame and a window of the still, moved aside, in grey levels of 255."""
    left, top, right, bottom = window
    cut = still.crop((left + aside, top, right + aside, bottom)).resize(shown.size, Image.Resampling.LANCZOS)
    return float(np.abs(np.asarray(shown, dtype=float) - np.asarray(cut, dtype=float)).mean())


def test_the_moving_shape_stands_where_its_frame_says() -> None:
    clip = open_clip(FOLDER / "diamond.mp4")
    assert (len(clip.times), clip.fps) == (MOVING_SHAPE.frames, MOVING_SHAPE.fps)
    wanted = [0, 60, 149]
    for frame, shown in zip(wanted, clip.read(wanted), strict=True):
        far = np.abs(np.asarray(shown, dtype=float) - MOVING_SHAPE.ground.first).sum(axis=2) > 120
        rows, columns = np.nonzero(far)
        (thing,) = MOVING_SHAPE.at(frame).things
        assert (columns.mean(), rows.mean()) == pytest.approx(thing.centre, abs=3)
