"""Draws a map through time, a row of attention on each frame of a clip, as pictures and as a file."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from viz.theme import overlay, quieten, theme

Picture = NDArray[np.uint8]
_LINE, _PAD, _TEXT = 22, 10, 14  # pixels


def animated_map(
    maps: ArrayLike,
    *,
    frames: Sequence[ArrayLike],
    captions: Sequence[str] = (),
    size: tuple[int, int] | None = None,
    height: int = 320,
    maximum: float | None = None,
    dark: bool = False,
) -> list[Picture]:
    """One picture for each temporal cell: its frame, quietened, its cells on it, and words beneath.

    Args:
        maps: (t, rows, columns), shares of a row; all on one scale.
        frames: one 8-bit RGB picture (height, width, 3) for each cell, of any size.
        captions: of each cell, in as many lines as they have breaks; () for none. No word is cut: where they are wider
            than the picture, the sheet is.
        size: (width, height) of the original, whose shape is drawn; that of the first frame when it is None.
        height: pixels of the drawn frame.
        maximum: where the scale ends; the largest value of all cells when it is None.
        dark: on a dark ground.

    Returns:
        8-bit RGB pictures of one even size, (height, width, 3) each.
    """
    values = np.asarray(maps, dtype=float)
    if values.ndim != 3 or len(values) != len(frames) or (captions and len(captions) != len(frames)):
        raise ValueError(f"{len(frames)} frames and {len(captions)} captions for maps of shape {values.shape}")
    wide, tall = size or np.asarray(frames[0]).shape[1::-1]
    height = height - height % 2
    width = max(2, round(height * wide / tall / 2) * 2)
    top = float(values.max(initial=0.0)) if maximum is None else maximum
    told = list(captions) or [""] * len(frames)
    room = _room(told, (width, height))
    return [
        _with_words(_drawn(frame, cells, top, (width, height), dark), words, room, dark)
        for frame, cells, words in zip(frames, values, told, strict=True)
    ]


def beside(columns: Sequence[Sequence[Picture]], *, gap: int = 12, dark: bool = False) -> list[Picture]:
    """Animations of one height and length, side by side."""
    ground = np.array(_rgb(theme(dark).surface), dtype=np.uint8)
    joined = []
    for row in zip(*columns, strict=True):
        space = np.broadcast_to(ground, (row[0].shape[0], gap, 3))
        parts = [part for picture in row for part in (picture, space)][:-1]
        joined.append(np.concatenate(parts, axis=1))
    return joined


def animation(pictures: Sequence[ArrayLike], *, fps: float = 2.0, format: Literal["gif", "mp4"] = "gif") -> bytes:
    """Pictures of one size as the bytes of a file that plays them.

    Args:
        pictures: 8-bit RGB, (height, width, 3) each; sides are even for "mp4".
        fps: how many pass in a second.
        format: "gif", which repeats, or "mp4" (H.264).

    Raises:
        ValueError: no pictures, or another format.
    """
    if not pictures:
        raise ValueError("an animation has at least one picture")
    images = [Image.fromarray(np.asarray(picture, dtype=np.uint8)) for picture in pictures]
    if format == "gif":
        file = io.BytesIO()
        images[0].save(
            file, "GIF", save_all=True, append_images=images[1:], duration=round(1000 / fps), loop=0, optimize=False
        )
        return file.getvalue()
    if format == "mp4":
        return _mp4(images, fps)
    raise ValueError(f"an animation is written as gif or mp4, not {format!r}")


def _mp4(images: Sequence[Image.Image], fps: float) -> bytes:
    from fractions import Fraction

    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1000), options={"crf": "16"})
        (stream.width, stream.height), stream.pix_fmt = images[0].size, "yuv420p"
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_image(image)))
        container.mux(stream.encode())
    return file.getvalue()


def _drawn(frame: ArrayLike, cells: NDArray[np.float64], top: float, size: tuple[int, int], dark: bool) -> Image.Image:
    picture = Image.fromarray(quieten(frame, dark=dark)).resize(size, Image.Resampling.BICUBIC)
    colours = np.round(255 * overlay(cells, maximum=top)).astype(np.uint8)
    picture.paste(layer := Image.fromarray(colours, "RGBA").resize(size, Image.Resampling.NEAREST), (0, 0), layer)
    return picture


def _room(captions: Sequence[str], size: tuple[int, int]) -> tuple[int, int]:
    """Even (width, height) of a sheet that holds the picture and the longest words."""
    lines = [line for words in captions for line in words.split("\n")]
    if not any(lines):
        return size
    widest = max(ImageFont.load_default(_TEXT).getlength(line) for line in lines)
    tall = size[1] + _LINE * max(words.count("\n") + 1 for words in captions) + _PAD
    return max(size[0], 2 * math.ceil(widest / 2 + 2)), tall


def _with_words(picture: Image.Image, words: str, room: tuple[int, int], dark: bool) -> Picture:
    colours = theme(dark)
    sheet = Image.new("RGB", room, _rgb(colours.surface))
    sheet.paste(picture, (0, 0))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(_TEXT)
    for index, line in enumerate(words.split("\n")):
        draw.text((2, picture.height + 6 + _LINE * index), line, fill=_rgb(colours.text), font=font)
    return np.asarray(sheet)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
