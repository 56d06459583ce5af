"""Pixels of any mode to 8-bit RGB, on white where they are transparent, and what was lost in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image, ImageCms

Remark = Literal["alpha", "dim", "bright", "float"]

FULL = 65_535  # of 16 bits
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


def to_rgb(picture: Image.Image) -> Converted:
    """A PIL image of any mode; the very picture where it is 8-bit RGB already."""
    if picture.mode == "I" or picture.mode.startswith("I;16"):
        return _of_wide(np.asarray(picture).astype(np.int64), picture.info.get("transparency"))
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
    straight = picture.convert("RGBA")
    if straight.getchannel("A").getextrema()[0] == 255:
        return Converted(picture.convert("RGB") if "A" in picture.getbands() else straight.convert("RGB"))
    white = Image.new("RGBA", straight.size, (255, 255, 255, 255))
    return Converted(Image.alpha_composite(white, straight).convert("RGB"), ("alpha",))


def on_white(values: np.ndarray) -> Converted:
    """Colours of 16 bits as floats, (height, width, 3), or with alpha (height, width, 4)."""
    remarks: list[Remark] = []
    colours = values[..., :3] / 257
    if values.shape[2] == 4 and values[..., 3].min() < FULL:
        alpha = values[..., 3:] / FULL
        colours = colours * alpha + 255 * (1 - alpha)
        remarks.append("alpha")
    elif 0 < values[..., :3].max() <= DIM:
        remarks.append("dim")
    return Converted(Image.fromarray(colours.round().clip(0, 255).astype(np.uint8)), tuple(remarks))


def _of_wide(values: np.ndarray, transparent: object) -> Converted:
    """Grey of 16 bits; `transparent` is the one value that is."""
    remarks: list[Remark] = []
    grey = values.astype(np.float32) / 257
    if isinstance(transparent, int) and bool((values == transparent).any()):
        grey = np.where(values == transparent, 255, grey)
        remarks.append("alpha")
    elif 0 < values.max(initial=0) <= DIM:
        remarks.append("dim")
    if values.max(initial=0) > FULL:
        remarks.append("bright")
    return Converted(_grey(grey), tuple(remarks))


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
