"""Pixels of any mode to 8-bit RGB, on white where they are transparent, and what was lost in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image, ImageCms

Remark = Literal["alpha", "dim", "bright", "float"]

FULL = 65_535  # of 16 bits
STRIP_PIXELS = 1 << 18
DIM = 4_095  # of 12 bits in 16: the largest value of a picture that will be nearly black


@dataclass(frozen=True)
class Converted:
    """8-bit RGB, and what there is to be said of it.

    Attributes:
        remarks: "alpha": it was transparent somewhere; "dim", "bright": 16-bit values that all lie low, or beyond the
            range; "float": values out of their range.
    """

    picture: Image.Image
    remarks: tuple[Remark, ...] = ()


@dataclass
class Facts:
    """What was met with while a picture was converted strip by strip.

    Attributes:
        highest: of 16-bit values; None where there are none.
    """

    alpha: bool = False
    highest: int | None = None
    bright: bool = False

    def remarks(self) -> tuple[Remark, ...]:
        """What there is to be said of it."""
        found: list[Remark] = []
        if self.alpha:
            found.append("alpha")
        elif self.highest is not None and 0 < self.highest <= DIM:
            found.append("dim")
        return (*found, "bright") if self.bright else tuple(found)


def strips_of(height: int, width: int) -> Iterator[tuple[int, int]]:
    """From which row to which, a few megabytes at a time."""
    rows = max(1, STRIP_PIXELS // max(1, width))
    return ((top, min(top + rows, height)) for top in range(0, height, rows))


def to_rgb(picture: Image.Image) -> Converted:
    """A PIL image of any mode; the very picture where it is 8-bit RGB already."""
    if picture.mode == "I" or picture.mode.startswith("I;16"):
        return _of_wide(picture)
    if picture.mode == "F":
        return _of_floats(np.asarray(picture))
    if picture.mode == "LAB":
        return Converted(_lab_to_rgb(picture))
    if picture.mode in ("La", "RGBa"):  # premultiplied: Pillow goes through the straight form only
        picture = picture.convert({"La": "LA", "RGBa": "RGBA"}[picture.mode])
    if "A" in picture.getbands() or picture.info.get("transparency") is not None:
        return _flat(picture)
    return Converted(picture if picture.mode == "RGB" else picture.convert("RGB"))


def _flat(picture: Image.Image) -> Converted:
    """What is transparent, on white, as transformers does it."""
    facts, whole = Facts(), Image.new("RGB", picture.size)
    for top, bottom in strips_of(picture.height, picture.width):
        strip = picture.crop((0, top, picture.width, bottom))
        strip.info = picture.info
        whole.paste(strip_on_white(strip, facts), (0, top))
    return Converted(whole, facts.remarks())


def strip_on_white(strip: Image.Image, facts: Facts) -> Image.Image:
    """A strip of 8 bits a value as RGB, on white where it is transparent."""
    straight = strip if strip.mode == "RGBA" else strip.convert("RGBA")
    if straight.getchannel("A").getextrema()[0] == 255:
        return strip.convert("RGB") if "A" in strip.getbands() else straight.convert("RGB")
    facts.alpha = True
    white = Image.new("RGBA", straight.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, straight).convert("RGB")


def of_high_and_low(high: Image.Image, low: Image.Image) -> Converted:
    """Colour of 16 bits, RGB or RGBA, as the high and the low bytes of its values."""
    facts, whole = Facts(), high if high.mode == "RGB" else Image.new("RGB", high.size)
    for top, bottom in strips_of(high.height, high.width):
        box = (0, top, high.width, bottom)
        whole.paste(deep_on_white(high.crop(box), low.crop(box), facts), box)
    return Converted(whole, facts.remarks())


def deep_on_white(high: Image.Image, low: Image.Image, facts: Facts) -> Image.Image:
    """A strip of 16-bit colour as 8-bit RGB, on white where it is transparent: values over 257, rounded."""
    values = np.asarray(high).astype(np.float32) * 256 + np.asarray(low)
    colours = values[..., :3] / 257
    facts.highest = max(facts.highest or 0, int(values[..., :3].max()))
    if values.shape[2] == 4 and values[..., 3].min() < FULL:
        alpha = values[..., 3:] / FULL
        colours = colours * alpha + 255 * (1 - alpha)
        facts.alpha = True
    return Image.fromarray(colours.round().clip(0, 255).astype(np.uint8))


def strip_to_rgb(strip: Image.Image, low: Image.Image | None, facts: Facts) -> Image.Image:
    """A strip of a picture as 8-bit RGB, on white; `low` holds the low bytes of 16-bit colour."""
    if low is not None:
        return deep_on_white(strip, low, facts)
    if strip.mode == "I" or strip.mode.startswith("I;16"):
        return wide_on_white(strip, facts)
    if "A" in strip.getbands() or strip.info.get("transparency") is not None:
        return strip_on_white(strip, facts)
    return strip if strip.mode == "RGB" else strip.convert("RGB")


def _of_wide(picture: Image.Image) -> Converted:
    """Grey of 16 bits, of which one value may stand for transparent."""
    facts, whole = Facts(), Image.new("RGB", picture.size)
    for top, bottom in strips_of(picture.height, picture.width):
        strip = picture.crop((0, top, picture.width, bottom))
        strip.info = picture.info
        whole.paste(wide_on_white(strip, facts), (0, top))
    return Converted(whole, facts.remarks())


def wide_on_white(strip: Image.Image, facts: Facts) -> Image.Image:
    """A strip of 16-bit grey as 8-bit RGB, white where it is transparent."""
    values, transparent = np.asarray(strip).astype(np.int64), strip.info.get("transparency")
    grey, highest = values.astype(np.float32) / 257, int(values.max(initial=0))
    if isinstance(transparent, int) and bool((values == transparent).any()):
        grey = np.where(values == transparent, 255, grey)
        facts.alpha = True
    facts.highest, facts.bright = max(facts.highest or 0, highest), facts.bright or highest > FULL
    return _grey(grey)


def _of_floats(values: np.ndarray) -> Converted:
    finite = np.nan_to_num(values, posinf=np.inf, neginf=-np.inf)
    scale = 255 if finite.max(initial=0) <= 1 else 1
    beyond = finite.max(initial=0) > 255 or finite.min(initial=0) < 0
    return Converted(_grey(finite * scale), ("float",) if beyond else ())


def _grey(values: np.ndarray) -> Image.Image:
    """An RGB picture of float values on the scale 0..255, rounded."""
    return Image.fromarray(np.nan_to_num(values).round().clip(0, 255).astype(np.uint8)).convert("RGB")


def _lab_to_rgb(picture: Image.Image) -> Image.Image:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(picture, lab, srgb, outputMode="RGB")
    assert converted is not None  # None is for in-place conversion alone
    return converted
