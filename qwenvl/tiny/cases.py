"""Questions about scenes that training never drew, row by row and by size: what `evaluate` asks.

Every row draws its own scenes from the seed, so a row does not depend on which other rows were asked for.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from qwenvl.tiny.clips import random_clip, render_clip
from qwenvl.tiny.questions import CLIP_TASKS, SCENE_TASKS, Question, ask_pictures, content
from qwenvl.tiny.scenes import (
    PRINT_SIZE,
    TRAINED_WORDS,
    UNSEEN_WORDS,
    Print,
    printed_on,
    random_page,
    random_scene,
    random_strip,
)
from qwenvl.tiny.world import TRAINED_FONTS, UNSEEN_FONT, Scene, render

SIDES = (112, 320)  # of the scenes, in pixels
STRIPS = (672, 1008)  # the longer side of pages full of small things
SMALL_SHAPES = (16.0, 28.0)
SMALL_PRINT = (12, 18)
TRIES = 200  # scenes drawn before a row gives up finding one it can ask about


@dataclass(frozen=True)
class Case:
    """One question about some media; `scenes` are the stills it is about, () for a clip. `row` is where it counts."""

    media: tuple[dict[str, Any], ...]
    question: Question
    scenes: tuple[Scene, ...] = ()
    row: str = ""

    def messages(self) -> list[dict[str, Any]]:
        return [{"role": "user", "content": [*self.media, *content(self.question.asked)]}]


def still(rng: np.random.Generator, task: str, **drawn: Any) -> Case | None:
    """A case about one random scene."""
    scene = random_scene(rng, **({"sides": SIDES} | drawn))
    return of_scene(scene, SCENE_TASKS[task](scene, rng, "en"))


def of_scene(scene: Scene, question: Question | None) -> Case | None:
    """A case about a scene, if there is a question."""
    if question is None:
        return None
    return Case(({"type": "image", "image": render(scene)},), question, (scene,))


def unseen_pair(rng: np.random.Generator, task: str) -> Case | None:
    """A case about a thing whose pair of colour and shape training never showed."""
    scene = random_scene(rng, split="held-out", sides=SIDES)
    question = SCENE_TASKS[task](scene, rng, "en")
    return of_scene(scene, question) if question is not None and question.subjects == (0,) else None


def small_thing(rng: np.random.Generator, **drawn: Any) -> Case | None:
    """A case about one of many small shapes: its colour or its shape."""
    scene = random_strip(rng, **({"long_side": STRIPS, "shape_size": SMALL_SHAPES} | drawn))
    return of_scene(scene, SCENE_TASKS[("colour", "shape")[rng.integers(2)]](scene, rng, "en"))


def printed(rng: np.random.Generator, kind: str, words: Any = TRAINED_WORDS, fonts: Any = TRAINED_FONTS) -> Case | None:
    """A case about large print: "glyph", "number" or "word"."""
    prints = Print({kind: 1.0}, words, fonts, PRINT_SIZE, share=0.1)
    case = still(rng, "reading", things=(0, 2), labels=(1, 2), prints=prints)
    return case if case is not None and case.question.task in (kind, "glyph") else None


def small_print(rng: np.random.Generator) -> Case | None:
    """A case about the small print of a wide page."""
    scene = random_page(rng, width=(560, 1120), print_size=SMALL_PRINT, fonts=TRAINED_FONTS)
    return of_scene(scene, SCENE_TASKS["small print"](scene, rng, "en"))


def which_picture(rng: np.random.Generator) -> Case | None:
    """A case about two pictures."""
    scenes = tuple(random_scene(rng, things=(1, 3), sides=SIDES) for _ in range(2))
    question = ask_pictures(scenes, rng, chinese=0.0)
    media = tuple({"type": "image", "image": render(scene)} for scene in scenes)
    return Case(media, question, scenes) if question else None


def clip(rng: np.random.Generator, task: str) -> Case | None:
    """A case about a clip whose deeds fit the question."""
    drawn = random_clip(rng, sides=(84, 168), task=task)
    question = CLIP_TASKS[task](drawn, rng, "en")
    return Case(({"type": "video", "video": render_clip(drawn), "fps": drawn.fps},), question) if question else None


ROWS: dict[str, Callable[[np.random.Generator], Case | None]] = {
    "colour": lambda rng: still(rng, "colour"),
    "shape": lambda rng: still(rng, "shape"),
    "existence": lambda rng: still(rng, "existence"),
    "count": lambda rng: still(rng, "count"),
    "relation": lambda rng: still(rng, "relation"),
    "grounding": lambda rng: still(rng, "grounding"),
    "region": lambda rng: still(rng, "region"),
    "small things": small_thing,
    "glyph": lambda rng: printed(rng, "glyph"),
    "number": lambda rng: printed(rng, "number"),
    "word": lambda rng: printed(rng, "word"),
    "unseen word": lambda rng: printed(rng, "word", words=UNSEEN_WORDS),
    "unseen font": lambda rng: printed(rng, ("glyph", "number")[rng.integers(2)], fonts=(UNSEEN_FONT,)),
    "reading": lambda rng: still(rng, "reading", labels=(1, 2)),
    "small print": small_print,
    "caption": lambda rng: still(rng, "caption"),
    "which picture": which_picture,
    "held-out colour": lambda rng: unseen_pair(rng, "colour"),
    "held-out shape": lambda rng: unseen_pair(rng, "shape"),
    "direction": lambda rng: clip(rng, "direction"),
    "change": lambda rng: clip(rng, "change"),
    "order": lambda rng: clip(rng, "order"),
}


def draw_cases(row: str, seed: int, count: int) -> Iterator[Case]:
    """`count` cases of a row, the same for the same seed."""
    yield from _draw(row, ROWS[row], seed, count)


def _draw(row: str, draw: Callable[[np.random.Generator], Case | None], seed: int, count: int) -> Iterator[Case]:
    rng = np.random.default_rng([seed, zlib.crc32(row.encode())])
    for _ in range(count):
        case = next((case for _ in range(TRIES) if (case := draw(rng)) is not None), None)
        if case is not None:
            yield replace(case, row=row)


# --- by size ---

SIZES = (12, 16, 20, 24, 28, 36, 48)  # of the asked thing, in pixels
LONG_SIDES = (224, 336, 504, 672, 840, 1008)  # of the page
PAGE_ASPECT = (3.0, 5.0)


def sized_thing(rng: np.random.Generator, size: int, long_side: tuple[int, int]) -> Case | None:
    """The shape of one of the shapes of one size on a page 3 to 5 times as wide as high, or as high as wide."""
    scene = random_strip(rng, long_side=long_side, aspect=PAGE_ASPECT, shape_size=(size, size + 1.0))
    return of_scene(scene, SCENE_TASKS["shape"](scene, rng, "en"))


def sized_print(rng: np.random.Generator, kind: str, size: int, long_side: tuple[int, int]) -> Case | None:
    """One to three labels of one size on such a page."""
    page = random_strip(rng, long_side=long_side, aspect=PAGE_ASPECT)
    labels = printed_on(rng, page, Print({kind: 1.0}, TRAINED_WORDS, TRAINED_FONTS, size), size)
    question = SCENE_TASKS["reading"](labels, rng, "en") if labels.labels else None
    return of_scene(labels, question) if question is not None and question.task in (kind, "glyph") else None


SWEEPS: dict[str, dict[int, Callable[[np.random.Generator], Case | None]]] = {
    "shape by its size": {size: partial(sized_thing, size=size, long_side=STRIPS) for size in SIZES},
    "glyph by its size": {size: partial(sized_print, kind="glyph", size=size, long_side=STRIPS) for size in SIZES},
    "number by its size": {size: partial(sized_print, kind="number", size=size, long_side=STRIPS) for size in SIZES},
    "shape of 22 px by the page's longer side": {
        side: partial(sized_thing, size=22, long_side=(side, side)) for side in LONG_SIDES
    },
    "number of 28 px by the page's longer side": {
        side: partial(sized_print, kind="number", size=28, long_side=(side, side)) for side in LONG_SIDES
    },
}


def draw_sweep(sweep: str, value: int, seed: int, count: int) -> Iterator[Case]:
    """`count` cases of one point of a curve."""
    yield from _draw(f"{sweep} {value}", SWEEPS[sweep][value], seed, count)


def difficulty(case: Case) -> str:
    """ "easy": at most two large things on a plain or gradient ground; "hard": patterns, or a small thing.

    Small things are told apart by what is asked of them, "colour" or "shape".
    """
    if not case.scenes:
        return "clip"
    if case.row == "small things":
        return case.question.task
    scene = case.scenes[0]
    small = any(thing.size < 0.2 * min(scene.size) for thing in scene.things)
    if small or scene.ground.kind not in ("plain", "gradient"):
        return "hard"
    return "easy" if len(scene.things) <= 2 else "medium"
