"""Writes the page's example scenes and clips as files (`python -m qwenvl.tiny examples`)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from qwenvl.tiny.films import write_films
from qwenvl.tiny.scenes import random_page
from qwenvl.tiny.world import COLOURS, GROUNDS, Ground, Label, Scene, Thing, render


def _thing(colour: str, shape: str, centre: tuple[float, float], size: float) -> Thing:
    return Thing(shape, colour, COLOURS[colour], centre, size)


SHAPES_SCENE = Scene(
    size=(1064, 728),
    ground=Ground("gradient", "cyan", (130, 204, 208), (166, 243, 246), angle=60),
    things=(
        _thing("yellow", "cross", (491, 270), 208),
        _thing("purple", "triangle", (290, 552), 172),
        _thing("green", "diamond", (706, 572), 222),
    ),
)

PAIR = (
    Scene(
        size=(448, 308),
        ground=Ground("stripes", "beige", GROUNDS["beige"], (226, 208, 176), angle=30, scale=36),
        things=(_thing("red", "heart", (140, 150), 150), _thing("blue", "ring", (330, 180), 120)),
    ),
    Scene(
        size=(280, 420),
        ground=Ground("gradient", "navy", (16, 28, 66), (32, 48, 104), angle=90),
        things=(_thing("yellow", "star", (140, 130), 170),),
        labels=(Label("4821", "white", COLOURS["white"], (82, 300), 48, "DejaVuSans-Bold"),),
    ),
)


def write_examples(folder: Path) -> list[Path]:
    """Draw every scene of the gallery into a folder, as PNG files, and its clips as MP4. Returns their paths.

    The pan and the zoom are made of the photos that lie in that folder; without them there are neither.
    """
    page = random_page(np.random.default_rng(11), width=(1120, 1120), height=(196, 196), print_size=(13, 13))
    scenes = {"shapes": SHAPES_SCENE, "pair-1": PAIR[0], "pair-2": PAIR[1], "page": page}
    written = []
    for name, scene in scenes.items():
        path = folder / f"{name}.png"
        render(scene).save(path, optimize=True)
        written.append(path)
    return [*written, *write_films(folder, folder)] if (folder / "rocket.jpg").exists() else written
