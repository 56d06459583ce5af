"""Defines and draws the synthetic world: coloured shapes and printed labels on a ground.

A `Scene` is a plain description; `render` turns it into pixels, always the same ones. Knows no chance (scenes.py draws
the lots) and no language beyond the names of things (questions.py asks and answers).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

RGB = tuple[int, int, int]
Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels; right and bottom are one past the last

COLOURS: dict[str, RGB] = {
    "red": (214, 40, 40),
    "orange": (245, 133, 24),
    "yellow": (247, 214, 30),
    "green": (34, 145, 52),
    "cyan": (30, 190, 210),
    "blue": (38, 84, 204),
    "purple": (134, 44, 165),
    "pink": (248, 130, 178),
    "black": (24, 24, 28),
    "white": (250, 250, 250),
}

GROUNDS: dict[str, RGB] = {
    "white": (244, 244, 242),
    "grey": (150, 153, 158),
    "black": (30, 31, 36),
    "navy": (24, 38, 84),
    "cyan": (156, 226, 232),
    "beige": (236, 220, 190),
    "mint": (186, 232, 200),
}

FONTS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSansMono", "STIXGeneral")
UNSEEN_FONT = "DejaVuSerif"  # kept from training, for a row of its own
TRAINED_FONTS = tuple(font for font in FONTS if font != UNSEEN_FONT)

OVERSAMPLE = 4  # shapes are drawn at four times their size and averaged


def _circle(radius: float) -> np.ndarray:
    angles = np.linspace(0, 2 * math.pi, 96, endpoint=False)
    return radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _star() -> np.ndarray:
    angles = np.arange(10) * math.pi / 5 - math.pi / 2
    radii = np.where(np.arange(10) % 2 == 0, 1.0, 0.42)
    return radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _heart() -> np.ndarray:
    t = np.linspace(0, 2 * math.pi, 96, endpoint=False)
    x = 16 * np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    return np.stack([x / 17, (y - 2.5) / 15.5], axis=1)


def _cross(arm: float = 0.36) -> np.ndarray:
    corners = [(arm, 1), (arm, arm), (1, arm)]
    quarter = np.array([*corners, (1, -arm), (arm, -arm), (arm, -1)])
    return np.concatenate([quarter, -quarter])


# Outlines in a square from -1 to 1, y down. A second polygon is a hole.
SHAPES: dict[str, tuple[np.ndarray, ...]] = {
    "circle": (_circle(1.0),),
    "square": (np.array([(-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)]),),
    "triangle": (np.array([(0, -0.92), (1, 0.86), (-1, 0.86)]),),
    "cross": (_cross(),),
    "diamond": (np.array([(0, -1), (0.86, 0), (0, 1), (-0.86, 0)]),),
    "star": (_star(),),
    "ring": (_circle(1.0), _circle(0.55)),
    "heart": (_heart(),),
}


@dataclass(frozen=True)
class Thing:
    """A coloured shape. `centre` and `size`, the side of its outline's square, are in pixels, `tilt` in degrees."""

    shape: str
    colour: str
    rgb: RGB
    centre: tuple[float, float]
    size: float
    tilt: float = 0.0


@dataclass(frozen=True)
class Label:
    """A printed word or number. `corner` is the top left of its line, `size` the font's, both in pixels."""

    text: str
    colour: str
    rgb: RGB
    corner: tuple[int, int]
    size: int
    font: str = FONTS[0]


Item = Thing | Label


@dataclass(frozen=True)
class Ground:
    """What lies behind the things: `kind` is one of plain, gradient, stripes, checks, speckle, photo.

    `colour` is its name, "" for a photo. A pattern mixes `first` and `second`; `scale` is its period in pixels and
    `angle` its direction in degrees. A photo is a file, of which `crop` (left, top, right, bottom, as shares of its
    sides) is stretched over the scene. `grain` is the largest step of the noise on top, which `seed` fixes.
    """

    kind: str
    colour: str
    first: RGB
    second: RGB
    angle: float = 0.0
    scale: float = 24.0
    grain: int = 0
    seed: int = 0
    photo: str = ""
    crop: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class Scene:
    """One picture: `size` is (width, height); later items are drawn over earlier ones, labels over things."""

    size: tuple[int, int]
    ground: Ground
    things: tuple[Thing, ...] = ()
    labels: tuple[Label, ...] = ()

    @property
    def items(self) -> tuple[Item, ...]:
        """Everything drawn, in drawing order."""
        return (*self.things, *self.labels)


def render(scene: Scene) -> Image.Image:
    """Draw a scene: an RGB picture of `scene.size`, a pure function of the description."""
    picture = Image.fromarray(render_ground(scene.ground, scene.size))
    for item in scene.items:
        mask, corner = stencil(item)
        picture.paste(_paint(item.rgb, mask.size), corner, mask)
    return picture


def box_of(item: Item, size: tuple[int, int]) -> Box:
    """The smallest box that holds every pixel of an item that lies in a scene of this size."""
    mask, (left, top) = stencil(item)
    cut_left, cut_top = max(0, -left), max(0, -top)
    cut_right = max(cut_left, min(mask.width, size[0] - left))
    cut_bottom = max(cut_top, min(mask.height, size[1] - top))
    visible = mask.crop((cut_left, cut_top, cut_right, cut_bottom))
    first_x, first_y, last_x, last_y = visible.getbbox() or (0, 0, 0, 0)
    left, top = max(0, left), max(0, top)
    return first_x + left, first_y + top, last_x + left, last_y + top


def glyph_boxes(label: Label, size: tuple[int, int]) -> list[Box]:
    """The box of each character of a label, as wide as its advance and as high as the whole label's ink."""
    font = typeface(label.font, label.size)
    _, top, _, bottom = box_of(label, size)
    edges = [label.corner[0] + round(font.getlength(label.text[:count])) for count in range(len(label.text) + 1)]
    return [(left, top, right, bottom) for left, right in pairwise(edges)]


def footprint(scene: Scene) -> np.ndarray:
    """Which item covers at least half of each pixel: uint8 (height, width), 0 the ground, i + 1 `scene.items[i]`."""
    owner = Image.new("L", scene.size)
    for index, item in enumerate(scene.items):
        mask, corner = stencil(item)
        owner.paste(index + 1, corner, mask.point(lambda alpha: 255 * (alpha >= 128)))
    return np.asarray(owner)


@lru_cache(maxsize=512)
def stencil(item: Item) -> tuple[Image.Image, tuple[int, int]]:
    """An item's coverage of each pixel (0 to 255), and where the stencil's top left corner lies in the scene."""
    return _shape_stencil(item) if isinstance(item, Thing) else _label_stencil(item)


def _shape_stencil(thing: Thing) -> tuple[Image.Image, tuple[int, int]]:
    reach = thing.size * 0.75 + 1  # a tilted square is wider than its side
    left, top = math.floor(thing.centre[0] - reach), math.floor(thing.centre[1] - reach)
    side = math.ceil(2 * reach) + 1
    mask = Image.new("L", (side * OVERSAMPLE, side * OVERSAMPLE))
    draw = ImageDraw.Draw(mask)
    turn = math.radians(thing.tilt)
    rotation = np.array([(math.cos(turn), math.sin(turn)), (-math.sin(turn), math.cos(turn))])
    centre = np.array(thing.centre) - (left, top)
    for layer, outline in enumerate(SHAPES[thing.shape]):
        points = (outline @ rotation * (thing.size / 2) + centre) * OVERSAMPLE
        draw.polygon([(float(x), float(y)) for x, y in points], fill=0 if layer else 255)
    return mask.reduce(OVERSAMPLE), (left, top)


def _label_stencil(label: Label) -> tuple[Image.Image, tuple[int, int]]:
    font = typeface(label.font, label.size)
    left, top, right, bottom = (int(edge) for edge in font.getbbox(label.text))
    mask = Image.new("L", (right - left + 2, bottom - top + 2))
    ImageDraw.Draw(mask).text((1 - left, 1 - top), label.text, fill=255, font=font)
    return mask, (label.corner[0] + left - 1, label.corner[1] + top - 1)


def _paint(rgb: RGB, size: tuple[int, int]) -> Image.Image:
    """A flat colour with a little light from above, so that no object is quite one number."""
    light = np.linspace(1.05, 0.95, size[1], dtype=np.float32)[:, None, None]
    rows = np.clip(np.array(rgb, np.float32) * light, 0, 255).round().astype(np.uint8)
    return Image.fromarray(np.broadcast_to(rows, (size[1], size[0], 3)).copy())


def render_ground(ground: Ground, size: tuple[int, int]) -> np.ndarray:
    """The ground alone: uint8 (height, width, 3)."""
    width, height = size
    if ground.kind == "photo":
        pixels = _crop_of_photo(ground, size)
    else:
        mix = _pattern(ground, width, height)[..., None]
        pixels = np.array(ground.first, np.float32) * (1 - mix) + np.array(ground.second, np.float32) * mix
    if ground.grain:
        noise = np.random.default_rng(ground.seed)
        pixels = pixels + noise.integers(-ground.grain, ground.grain + 1, (height, width, 1), np.int16)
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def _pattern(ground: Ground, width: int, height: int) -> np.ndarray:
    """How much of the second colour each pixel has: float32 (height, width), 0 to 1."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    turn = math.radians(ground.angle)
    along = x * math.cos(turn) + y * math.sin(turn)
    match ground.kind:
        case "gradient":
            return (along - along.min()) / max(float(np.ptp(along)), 1.0)
        case "stripes":
            return (along % ground.scale < ground.scale / 2).astype(np.float32)
        case "checks":
            across = y * math.cos(turn) - x * math.sin(turn)
            return ((along // ground.scale + across // ground.scale) % 2).astype(np.float32)
        case "speckle":
            return (np.random.default_rng(ground.seed + 1).random((height, width)) < 0.12).astype(np.float32)
    return np.zeros((height, width), np.float32)


def _crop_of_photo(ground: Ground, size: tuple[int, int]) -> np.ndarray:
    photo = _open_photo(ground.photo)
    left, top, right, bottom = ground.crop
    box = (left * photo.width, top * photo.height, right * photo.width, bottom * photo.height)
    return np.asarray(photo.resize(size, Image.Resampling.BILINEAR, box=box), np.float32)


@lru_cache(maxsize=16)
def _open_photo(path: str) -> Image.Image:
    with Image.open(path) as photo:
        return photo.convert("RGB")


@cache
def typeface(name: str, size: int) -> ImageFont.FreeTypeFont:
    """One of `FONTS`, from the files that Matplotlib carries: the same ones on every machine."""
    spec = find_spec("matplotlib")
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" / f"{name}.ttf"
    return ImageFont.truetype(str(path), size)


def contrast(first: Sequence[float], second: Sequence[float]) -> float:
    """How different two RGB colours look: their distance in OKLab, 1 from black to white."""
    return float(np.linalg.norm(_oklab(first) - _oklab(second)))


def _oklab(rgb: Sequence[float]) -> np.ndarray:
    share = np.array(rgb, np.float64) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    cones = np.array(
        [
            (0.4122214708, 0.5363325363, 0.0514459929),
            (0.2119034982, 0.6806995451, 0.1073969566),
            (0.0883024619, 0.2817188376, 0.6299787005),
        ]
    )
    opponents = np.array(
        [
            (0.2104542553, 0.7936177850, -0.0040720468),
            (1.9779984951, -2.4285922050, 0.4505937099),
            (0.0259040371, 0.7827717662, -0.8086757660),
        ]
    )
    return opponents @ np.cbrt(cones @ linear)
