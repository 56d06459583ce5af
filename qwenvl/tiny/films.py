"""Draws the page's example clips: a shape that moves, a pan and a zoom over stills, all with known motion."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import av
from PIL import Image

from qwenvl.tiny.clips import Actor, Clip, render_clip
from qwenvl.tiny.world import COLOURS, GROUNDS, Ground, Thing

MOVING_SHAPE = Clip(
    size=(784, 448),
    ground=Ground("plain", "beige", GROUNDS["beige"], GROUNDS["beige"]),
    actors=(
        Actor(
            Thing("diamond", "purple", COLOURS["purple"], (190, 110), 170),
            "moves",
            direction="down",
            goal=(190, 350),
        ),
    ),
    frames=150,
    fps=25.0,
)

FILM_SIZE, FILM_FPS, FILM_FRAMES = (336, 224), 12, 60
PAN_STEP = 5  # pixels of the still from frame to frame
ZOOM_STEP = 2  # pixels that each side of the window loses from frame to frame; its height, two thirds as many


def pan_window(frame: int) -> tuple[int, int, int, int]:
    """What frame `frame` of the pan shows of its still: a window of the film's size that goes to the right."""
    left, top = PAN_STEP * frame, 90
    return left, top, left + FILM_SIZE[0], top + FILM_SIZE[1]


def zoom_window(frame: int) -> tuple[int, int, int, int]:
    """What frame `frame` of the zoom shows: a window of 3 : 2 that closes in on (222, 130)."""
    width = 444 - 2 * ZOOM_STEP * frame
    height = width * 2 // 3
    left, top = max(0, 222 - width // 2), max(0, 130 - height // 2)
    return left, top, left + width, top + height


def film(still: Image.Image, windows: Iterable[tuple[int, int, int, int]]) -> list[Image.Image]:
    """A still through one window after another, each at the film's size."""
    return [still.crop(window).resize(FILM_SIZE, Image.Resampling.LANCZOS) for window in windows]


def encode(path: Path, frames: Iterable[Image.Image], fps: int) -> Path:
    """Frames of one size as an H.264 file that browsers play."""
    with av.open(path, "w", options={"movflags": "faststart"}) as file:
        stream = None
        for frame in frames:
            if stream is None:
                stream = file.add_stream("libx264", rate=fps, options={"crf": "23", "preset": "veryslow"})
                (stream.width, stream.height), stream.pix_fmt = frame.size, "yuv420p"
            file.mux(stream.encode(av.VideoFrame.from_image(frame)))
        if stream is not None:
            file.mux(stream.encode())
    return path


def write_films(folder: Path, stills: Path) -> list[Path]:
    """Write the example clips into a folder; `stills` is the folder of rocket.jpg and chelsea.png."""
    rocket, cat = (Image.open(stills / name).convert("RGB") for name in ("rocket.jpg", "chelsea.png"))
    numbers = range(FILM_FRAMES)
    return [
        encode(folder / "diamond.mp4", render_clip(MOVING_SHAPE), round(MOVING_SHAPE.fps)),
        encode(folder / "pan.mp4", film(rocket, map(pan_window, numbers)), FILM_FPS),
        encode(folder / "zoom.mp4", film(cat, map(zoom_window, numbers)), FILM_FPS),
    ]
