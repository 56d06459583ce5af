"""Makes random scenes of the synthetic world, shapes on any ground and printed pages, from one generator.

A colour-shape pair is either for training or held out for testing, never both: `held_out` says which. Scenes of the
"train" split hold no held-out pair; every scene of the "held-out" split holds at least one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qwenvl.tiny.world import (
    COLOURS,
    FONTS,
    GROUNDS,
    RGB,
    SHAPES,
    Box,
    Ground,
    Item,
    Label,
    Scene,
    Thing,
    box_of,
    contrast,
    render_ground,
)

PAIRS = [(colour, shape) for colour in COLOURS for shape in SHAPES]
GROUND_KINDS = {"plain": 0.3, "gradient": 0.35, "stripes": 0.1, "checks": 0.1, "speckle": 0.15}
PAPERS = ("white", "beige", "mint", "grey")
INKS = ("black", "blue", "red", "purple", "green")
SMALLEST = 24.0  # side of a shape in pixels: below it, a merged token of 28 pixels holds more ground than shape
MIN_CONTRAST = 0.2  # below it, people too hesitate to name a shape or read a word

# fmt: off
WORDS = (
    "apple", "bread", "cloud", "chair", "door", "eagle", "flame", "glass", "honey", "island", "jelly", "kite", "lemon",
    "mango", "night", "ocean", "paper", "queen", "river", "stone", "table", "uncle", "violin", "water", "yarn", "zebra",
    "boat", "candle", "dance", "elbow", "forest", "guitar", "hammer", "ink", "jacket", "key", "ladder", "mirror",
    "nest", "onion",
)
# fmt: on

UNSEEN_WORDS = WORDS[4::5]  # a fifth, never printed in training
TRAINED_WORDS = tuple(word for word in WORDS if word not in UNSEEN_WORDS)
GLYPHS = "0123456789abcdefghijklmnopqrstuvwxyz"
TINIEST = 16.0  # side of a shape on a strip, in pixels
PRINT_SIZE = 28  # of a label, in pixels, from which print is large


def held_out(colour: str, shape: str) -> bool:
    """Whether a pair is kept from training: one colour of every shape."""
    return (list(COLOURS).index(colour) + 3 * list(SHAPES).index(shape)) % len(COLOURS) == 0


def pairs_of(split: str) -> list[tuple[str, str]]:
    """The colour-shape pairs of a split, "train" or "held-out"."""
    return [pair for pair in PAIRS if held_out(*pair) == (split == "held-out")]


@dataclass(frozen=True)
class Print:
    """What labels are made of: `kinds` of text with their weights, words and fonts to choose from, and sizes."""

    kinds: Mapping[str, float]
    words: Sequence[str] = WORDS
    fonts: Sequence[str] = FONTS
    smallest: int = 18
    share: float = 0.0  # of the shorter side, below which no label is

    def text(self, rng: np.random.Generator) -> str:
        """A character, a number of one to four digits, a word, or one to six random letters."""
        chances = np.array(list(self.kinds.values()))
        match str(rng.choice(list(self.kinds), p=chances / chances.sum())):
            case "glyph":
                return GLYPHS[rng.integers(len(GLYPHS))]
            case "number":
                digits = int(rng.integers(1, 5))
                return str(rng.integers(10 ** (digits - 1), 10**digits))
            case "word":
                return str(rng.choice(np.array(self.words)))
        return "".join(GLYPHS[10 + rng.integers(26)] for _ in range(int(rng.integers(1, 7))))


ANY_PRINT = Print({"word": 0.5, "number": 0.5})


def random_scene(
    rng: np.random.Generator,
    *,
    split: str = "train",
    things: tuple[int, int] = (1, 4),
    labels: tuple[int, int] = (0, 0),
    sides: tuple[int, int] = (112, 448),
    photos: Sequence[str] = (),
    prints: Print = ANY_PRINT,
) -> Scene:
    """Shapes, and large labels if wanted, that do not overlap, on any ground.

    Args:
        rng: where all chance comes from.
        split: "train" or "held-out".
        things: the fewest and the most shapes. A crowded scene may hold fewer than were drawn, never none.
        labels: the fewest and the most words or numbers.
        sides: the smallest and the largest square-like side in pixels; the aspect ratio is at most 2 : 1.
        photos: picture files, crops of which are the ground in a fifth of the scenes.
        prints: what the labels say, and how large.
    """
    size = random_size(rng, sides)
    ground = random_ground(rng, size, photos)
    wanted = int(rng.integers(things[0], things[1] + 1))
    placed: list[Item] = []
    for index in range(wanted):
        pairs = pairs_of(split if index == 0 else "train")
        placed.extend(_place_thing(rng, pairs, ground, size, placed, tries=40 if index else 400))
    shapes = tuple(item for item in placed if isinstance(item, Thing))
    for _ in range(int(rng.integers(labels[0], labels[1] + 1))):
        placed.extend(_place_label(rng, ground, size, placed, prints))
    return Scene(size, ground, shapes, tuple(item for item in placed if isinstance(item, Label)))


def random_size(rng: np.random.Generator, sides: tuple[int, int], max_aspect: float = 2.0) -> tuple[int, int]:
    """A (width, height): its area's root spread evenly over the logarithm of `sides`, its aspect ratio likewise."""
    side = math.exp(rng.uniform(math.log(sides[0]), math.log(sides[1])))
    stretch = math.exp(rng.uniform(-1, 1) * math.log(max_aspect) / 2)
    return round(side * stretch), round(side / stretch)


def random_ground(rng: np.random.Generator, size: tuple[int, int], photos: Sequence[str] = ()) -> Ground:
    """A ground of any kind. The two colours of a pattern are shades of the one it is called by."""
    seed = int(rng.integers(1 << 31))
    if photos and rng.random() < 0.2:
        left, top = rng.uniform(0, 0.5, 2)
        right, bottom = rng.uniform((left + 0.3, top + 0.3), (1, 1))
        crop = (float(left), float(top), float(right), float(bottom))
        grey = (128, 128, 128)
        return Ground("photo", "", grey, grey, photo=str(rng.choice(np.array(photos))), crop=crop, seed=seed)
    kind = str(rng.choice(list(GROUND_KINDS), p=list(GROUND_KINDS.values())))
    colour = str(rng.choice(list(GROUNDS)))
    first = _shade(rng, GROUNDS[colour], 0.06)
    second = _shade(rng, first, 0.14)
    scale = float(rng.uniform(8, max(min(size) / 3, 9)))
    angle = float(rng.uniform(0, 180))
    return Ground(kind, colour, first, second, angle=angle, scale=scale, grain=int(rng.integers(0, 13)), seed=seed)


def _shade(rng: np.random.Generator, rgb: RGB, amount: float) -> RGB:
    """A little lighter or darker, and a little off in each channel."""
    factor = 1 + rng.uniform(-amount, amount)
    red, green, blue = (int(np.clip(round(value * factor + rng.uniform(-5, 5)), 0, 255)) for value in rgb)
    return red, green, blue


def _place_thing(
    rng: np.random.Generator,
    pairs: Sequence[tuple[str, str]],
    ground: Ground,
    size: tuple[int, int],
    placed: Sequence[Item],
    tries: int,
) -> Iterator[Thing]:
    """One shape that stands out from the ground and touches nothing, or none where no place was found."""
    width, height = size
    taken = [box_of(item, size) for item in placed]
    for attempt in range(tries):
        colour, shape = pairs[int(rng.integers(len(pairs)))]
        largest = 0.42 if attempt < tries / 2 else 0.25
        side = max(SMALLEST, float(rng.uniform(0.17, largest)) * min(size))
        margin = side * 0.5 + 2
        centre = (float(rng.uniform(margin, width - margin)), float(rng.uniform(margin, height - margin)))
        tilt = 0.0 if shape in ("circle", "ring") else float(rng.uniform(-12, 12))
        thing = Thing(shape, colour, _shade(rng, COLOURS[colour], 0.05), centre, side, tilt)
        box = box_of(thing, size)
        if _is_free(box, taken) and _stands_out(thing.rgb, ground, size, box):
            yield thing
            return


def _place_label(
    rng: np.random.Generator,
    ground: Ground,
    size: tuple[int, int],
    placed: Sequence[Item],
    prints: Print,
    largest: int = 0,
) -> Iterator[Label]:
    """One label of a colour that no other label has, where there is room for it."""
    taken = [box_of(item, size) for item in placed]
    inks = [item.colour for item in placed if isinstance(item, Label)]
    smallest = max(prints.smallest, math.ceil(prints.share * min(size)))
    largest = largest + 1 if largest else max(smallest + 2, min(size) // 3)
    for attempt in range(60):
        colour = str(rng.choice([name for name in COLOURS if name not in inks]))
        height = int(rng.integers(smallest, largest if attempt < 30 else min(largest, smallest + 2)))
        corner = (int(rng.integers(0, size[0])), int(rng.integers(0, size[1])))
        rgb = _shade(rng, COLOURS[colour], 0.05)
        label = Label(prints.text(rng), colour, rgb, corner, height, str(rng.choice(np.array(prints.fonts))))
        whole, inside = box_of(label, (1 << 14, 1 << 14)), box_of(label, size)
        if whole == inside and _is_free(inside, taken) and _stands_out(rgb, ground, size, inside):
            yield label
            return


def _is_free(box: Box, taken: Sequence[Box], gap: int = 4) -> bool:
    left, top, right, bottom = box
    return all(
        right + gap <= other[0] or other[2] + gap <= left or bottom + gap <= other[1] or other[3] + gap <= top
        for other in taken
    )


def _stands_out(rgb: RGB, ground: Ground, size: tuple[int, int], box: Box) -> bool:
    if ground.kind != "photo":
        return min(contrast(rgb, ground.first), contrast(rgb, ground.second)) >= MIN_CONTRAST
    scale = 8 / max(size)  # a few pixels of the photo are enough
    small = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    left, top, right, bottom = (round(edge * scale) for edge in box)
    left, top = min(left, small[0] - 1), min(top, small[1] - 1)
    behind = render_ground(ground, small)[top : max(bottom, top + 1), left : max(right, left + 1)]
    return min(contrast(rgb, pixel) for pixel in behind.reshape(-1, 3).tolist()) >= MIN_CONTRAST


def random_strip(
    rng: np.random.Generator,
    *,
    split: str = "train",
    long_side: tuple[int, int] = (336, 1008),
    aspect: tuple[float, float] = (3.0, 5.0),
    shape_size: tuple[float, float] = (TINIEST, 28.0),
    max_area: int = 256 * 28 * 28,
) -> Scene:
    """A page 3 to 5 times as wide as high, or as high as wide, with many small shapes.

    Four to seven of them have a colour and a shape that no other one has; the others, up to eight, are all alike.
    """
    ratio, length = rng.uniform(*aspect), math.exp(rng.uniform(*np.log(long_side)))
    length = min(length, math.sqrt(max_area * ratio))
    size = (round(length), round(length / ratio))
    size = size if rng.random() < 0.5 else (size[1], size[0])
    ground = random_ground(rng, size)
    pairs = [
        pair
        for pair in pairs_of(split)
        if min(contrast(COLOURS[pair[0]], behind) for behind in (ground.first, ground.second)) >= MIN_CONTRAST
    ]
    placed: list[Item] = []
    for turn in range(int(rng.integers(4, 8)) + 1):
        names = {name for thing in placed if isinstance(thing, Thing) for name in (thing.colour, thing.shape)}
        free = [pair for pair in pairs if not names & set(pair)]
        if not free:
            break
        pair = free[rng.integers(len(free))]
        for _ in range(1 if turn else int(rng.integers(0, 9))):  # the first kind is the crowd
            placed.extend(_place_small(rng, pair, ground, size, placed, shape_size))
    return Scene(size, ground, tuple(item for item in placed if isinstance(item, Thing)))


def _place_small(
    rng: np.random.Generator,
    pair: tuple[str, str],
    ground: Ground,
    size: tuple[int, int],
    placed: Sequence[Item],
    shape_size: tuple[float, float],
) -> Iterator[Thing]:
    """One small shape where nothing is, or none where no place was found."""
    taken = [box_of(item, size) for item in placed]
    for _ in range(30):
        side = float(rng.uniform(*shape_size))
        margin = side * 0.6 + 2
        centre = (float(rng.uniform(margin, size[0] - margin)), float(rng.uniform(margin, size[1] - margin)))
        tilt = 0.0 if pair[1] in ("circle", "ring") else float(rng.uniform(-12, 12))
        thing = Thing(pair[1], pair[0], _shade(rng, COLOURS[pair[0]], 0.05), centre, side, tilt)
        box = box_of(thing, size)
        if _is_free(box, taken):
            yield thing
            return


def printed_on(rng: np.random.Generator, scene: Scene, prints: Print, size: int) -> Scene:
    """One to three labels of one size in place of a scene's shapes."""
    placed: list[Item] = []
    for _ in range(int(rng.integers(1, 4))):
        placed.extend(_place_label(rng, scene.ground, scene.size, placed, prints, largest=size))
    return Scene(scene.size, scene.ground, labels=tuple(item for item in placed if isinstance(item, Label)))


def random_page(
    rng: np.random.Generator,
    *,
    width: tuple[int, int] = (420, 1120),
    height: tuple[int, int] = (84, 224),
    print_size: tuple[int, int] = (9, 16),
    words: Sequence[str] = WORDS,
    fonts: Sequence[str] = FONTS,
) -> Scene:
    """A printed page, wider than high: a heading, then columns of small print, each a word and its number.

    Squashed to a square, the small print of a wide page is narrower than letters can be told apart.
    """
    size = (int(rng.integers(width[0], width[1] + 1)), int(rng.integers(height[0], height[1] + 1)))
    paper = GROUNDS[str(rng.choice(PAPERS))]
    name = next(name for name, rgb in GROUNDS.items() if rgb == paper)
    shade = _shade(rng, paper, 0.03)
    ground = Ground("plain", name, shade, shade, grain=int(rng.integers(0, 7)), seed=int(rng.integers(1 << 31)))
    texts = [str(word) for word in rng.permutation(np.array(words))]
    heading = _ink(rng, texts.pop(), (int(rng.integers(8, 40)), 6), int(rng.integers(26, 41)), fonts=fonts)
    small = int(rng.integers(print_size[0], print_size[1] + 1))
    rows = _small_print(rng, texts, size, box_of(heading, size)[3] + 6, small, fonts)
    return Scene(size, ground, labels=(heading, *rows))


def _ink(
    rng: np.random.Generator,
    text: str,
    corner: tuple[int, int],
    size: int,
    colour: str = "",
    font: str = "",
    fonts: Sequence[str] = FONTS,
) -> Label:
    colour = colour or str(rng.choice(INKS))
    rgb = _shade(rng, COLOURS[colour], 0.1)
    return Label(text, colour, rgb, corner, size, font or str(rng.choice(np.array(fonts))))


def _small_print(
    rng: np.random.Generator,
    words: list[str],
    size: tuple[int, int],
    top: int,
    print_size: int,
    fonts: Sequence[str],
) -> Iterator[Label]:
    """Rows and columns of word, number, word, number, as many as fit."""
    line = round(print_size * 1.7)
    column = print_size * 13
    colour, font = str(rng.choice(INKS)), str(rng.choice(np.array(fonts)))
    for y in range(top, size[1] - line, line):
        for x in range(10, size[0] - column, column):
            if not words:
                return
            yield _ink(rng, words.pop(), (x, y), print_size, colour, font)
            number = str(rng.integers(100, 10000))
            yield _ink(rng, number, (x + print_size * 6, y), print_size, colour, font)
