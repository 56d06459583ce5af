"""Pictures full of shapes or of print, about which nothing is asked: what eyes learn most from."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np

from qwenvl.tiny.scenes import MIN_CONTRAST, TRAINED_WORDS, Print, pairs_of, random_ground
from qwenvl.tiny.world import COLOURS, TRAINED_FONTS, Label, Scene, Thing, box_of, contrast

SMALLEST_ON_SHEET = 14.0  # side of a shape, in pixels


def random_sheet(rng: np.random.Generator, side: tuple[int, int], cell: tuple[int, int]) -> Scene:
    """A picture full of shapes, one in most cells of a grid: what eyes learn most from.

    Args:
        side: the smallest and the largest side of the picture, in pixels.
        cell: the smallest and the largest side of a cell.
    """
    pitch = float(rng.uniform(*cell))
    columns, rows = (max(1, int(rng.uniform(*side) / pitch)) for _ in range(2))
    size = (round(columns * pitch), round(rows * pitch))
    ground = random_ground(rng, size)
    grounds = (ground.first, ground.second)
    clear = [name for name, rgb in COLOURS.items() if min(contrast(rgb, other) for other in grounds) >= MIN_CONTRAST]
    seen = [pair for pair in pairs_of("train") if pair[0] in clear]
    things = []
    for row, column in product(range(rows), range(columns)):
        if rng.random() < 0.15:
            continue
        colour, shape = seen[rng.integers(len(seen))]
        length = max(SMALLEST_ON_SHEET, pitch * float(rng.uniform(0.5, 0.84)))
        room = max(0.0, (pitch - 1.15 * length) / 2)
        x, y = ((place + 0.5) * pitch + float(rng.uniform(-room, room)) for place in (column, row))
        tilt = 0.0 if shape in ("circle", "ring") else float(rng.uniform(-12, 12))
        rgb = tuple(int(np.clip(value * rng.uniform(0.95, 1.05), 0, 255)) for value in COLOURS[colour])
        things.append(Thing(shape, colour, (rgb[0], rgb[1], rgb[2]), (x, y), length, tilt))
    return Scene(size, ground, tuple(things))


def random_print_sheet(
    rng: np.random.Generator, side: tuple[int, int], sizes: tuple[int, int], kinds: Mapping[str, float]
) -> Scene:
    """A picture full of print, line by line: what eyes learn characters from.

    Args:
        side: the smallest and the largest side of the picture, in pixels.
        sizes: the smallest and the largest print.
        kinds: of text, with their weights.
    """
    size = (int(rng.integers(side[0], side[1] + 1)), int(rng.integers(side[0], side[1] + 1)))
    ground = random_ground(rng, size)
    grounds = (ground.first, ground.second)
    clear = [name for name, rgb in COLOURS.items() if min(contrast(rgb, other) for other in grounds) >= MIN_CONTRAST]
    height = int(rng.integers(sizes[0], sizes[1] + 1))
    prints = Print(kinds, TRAINED_WORDS, TRAINED_FONTS)
    labels: list[Label] = []
    top = int(rng.integers(0, height))
    while top + 1.4 * height < size[1]:
        left = int(rng.integers(2, height))
        while True:
            colour, font = str(rng.choice(clear)), str(rng.choice(TRAINED_FONTS))
            rgb = tuple(int(np.clip(value * rng.uniform(0.95, 1.05), 0, 255)) for value in COLOURS[colour])
            corner = (left, top + int(rng.integers(0, max(2, height // 4))))
            label = Label(prints.text(rng), colour, (rgb[0], rgb[1], rgb[2]), corner, height, font)
            right = box_of(label, (1 << 14, 1 << 14))[2]
            if right >= size[0]:
                break
            labels.append(label)
            left = right + int(rng.integers(height // 3, height))
        top += round(height * 1.5)
    return Scene(size, ground, (), tuple(labels))
