"""Makes clips of the synthetic world: things that move, appear, vanish and change colour.

A `Clip` is a function from a frame's number to a `Scene`; each frame is drawn like any other picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from qwenvl.tiny.scenes import MIN_CONTRAST, pairs_of, random_ground, random_size
from qwenvl.tiny.world import COLOURS, RGB, Ground, Scene, Thing, contrast, render

SUDDEN = ("appears", "vanishes", "turns")
DEEDS = ("moves", *SUDDEN, "stays")
DEED_WEIGHTS = {"moves": 0.3, "appears": 0.2, "vanishes": 0.2, "turns": 0.2, "stays": 0.1}


@dataclass(frozen=True)
class Actor:
    """A thing and what it does. `deed` is one of `DEEDS`; what it does at once, it does at frame `when`.

    A mover goes steadily from `thing.centre` to `goal` (pixels), in `direction`; one that turns takes on `colour`.
    """

    thing: Thing
    deed: str
    when: int = 0
    direction: str = ""
    goal: tuple[float, float] = (0.0, 0.0)
    colour: str = ""
    rgb: RGB = (0, 0, 0)

    def at(self, frame: int, frames: int) -> Thing | None:
        """The thing as it is in one frame; None while it is not there."""
        has_happened = frame >= self.when
        if self.deed == "moves":
            share = frame / (frames - 1)
            x, y = ((1 - share) * start + share * end for start, end in zip(self.thing.centre, self.goal, strict=True))
            return replace(self.thing, centre=(x, y))
        if self.deed == "turns" and has_happened:
            return replace(self.thing, colour=self.colour, rgb=self.rgb)
        is_there = self.deed not in ("appears", "vanishes") or (self.deed == "appears") == has_happened
        return self.thing if is_there else None


@dataclass(frozen=True)
class Clip:
    """A clip of `frames` pictures of one size, `fps` of them a second."""

    size: tuple[int, int]
    ground: Ground
    actors: tuple[Actor, ...]
    frames: int
    fps: float = 2.0

    def at(self, frame: int) -> Scene:
        """One frame, as a scene. `scene.things` are the actors that are there, in order."""
        present = (actor.at(frame, self.frames) for actor in self.actors)
        return Scene(self.size, self.ground, tuple(thing for thing in present if thing is not None))


def render_clip(clip: Clip) -> list[Image.Image]:
    """Every frame of a clip, as RGB pictures."""
    return [render(clip.at(frame)) for frame in range(clip.frames)]


def random_clip(
    rng: np.random.Generator,
    *,
    split: str = "train",
    frames: tuple[int, int] = (4, 8),
    actors: tuple[int, int] = (1, 2),
    sides: tuple[int, int] = (84, 224),
    task: str = "",
) -> Clip:
    """One or more actors, each in a band of its own so that they never meet, on a quiet ground.

    Args:
        task: what will be asked, so that the deeds fit it: for "direction" the first actor moves, for "order" two do
            something sudden, two temporal patches apart at least; "" leaves them to chance.
    """
    if task == "order":
        frames, actors = (max(8, frames[0]), max(10, frames[1])), (2, 2)
    size = random_size(rng, sides, max_aspect=1.5)
    ground = replace(random_ground(rng, size), kind="plain", grain=int(rng.integers(0, 5)))
    length = int(rng.integers(frames[0] // 2, frames[1] // 2 + 1)) * 2
    count = int(rng.integers(actors[0], actors[1] + 1))
    cast: list[Actor] = []
    for index in range(count):
        pairs = pairs_of(split if index == 0 else "train")
        deeds = _deeds_for(task, index)
        cast.append(_random_actor(rng, pairs, ground, size, length, band=(index, count), others=cast, deeds=deeds))
    return Clip(size, ground, tuple(cast), length)


def _deeds_for(task: str, index: int) -> tuple[str, ...]:
    """What the actor of this index may do."""
    if task == "order":
        return SUDDEN
    return ("moves",) if task == "direction" and index == 0 else DEEDS


def _is_apart(patch: int, patches: int, others: list[int]) -> bool:
    """Whether a temporal patch is two from those of others, or leaves room for another one that is."""
    if others:
        return all(abs(patch - other) >= 2 for other in others)
    return patch - 2 >= 1 or patch + 2 < patches


def _random_actor(
    rng: np.random.Generator,
    pairs: list[tuple[str, str]],
    ground: Ground,
    size: tuple[int, int],
    frames: int,
    band: tuple[int, int],
    others: list[Actor],
    deeds: tuple[str, ...] = DEEDS,
) -> Actor:
    """One actor in band `band[0]` of `band[1]`, unlike the others in colour and shape, and in when it acts."""
    free = [
        (colour, shape)
        for colour, shape in pairs
        if contrast(COLOURS[colour], ground.first) >= MIN_CONTRAST
        and all(colour != other.thing.colour and shape != other.thing.shape for other in others)
    ]
    colour, shape = free[rng.integers(len(free))]
    chances = np.array([DEED_WEIGHTS[deed] for deed in deeds])
    deed = str(rng.choice(deeds, p=chances / chances.sum()))
    width, height = size
    if rng.random() < 0.5 or band[1] > 1:  # bands lie one above the other
        area = (0.0, band[0] * height / band[1], float(width), (band[0] + 1) * height / band[1])
    else:
        area = (0.0, 0.0, float(width), float(height))
    side = float(rng.uniform(0.35, 0.6)) * min(area[2] - area[0], area[3] - area[1], min(size) * 0.7)
    times = [frame for frame in range(2, frames) if all(frame != other.when for other in others)]
    if deeds is SUDDEN:
        times = [frame for frame in times if _is_apart(frame // 2, frames // 2, [other.when // 2 for other in others])]
    thing = Thing(shape, colour, COLOURS[colour], _spot(rng, area, side), side, float(rng.uniform(-10, 10)))
    actor = Actor(thing, deed, when=int(rng.choice(times)))
    if deed == "moves":
        return _set_moving(rng, actor, area)
    if deed == "turns":
        turned = str(rng.choice(_other_colours(thing, ground)))
        return replace(actor, colour=turned, rgb=COLOURS[turned])
    return actor


def _other_colours(thing: Thing, ground: Ground) -> list[str]:
    """What a thing may turn: a training pair of its shape that stands out from the ground."""
    return [
        colour
        for colour, shape in pairs_of("train")
        if shape == thing.shape and colour != thing.colour and contrast(COLOURS[colour], ground.first) >= MIN_CONTRAST
    ]


def _spot(rng: np.random.Generator, area: tuple[float, float, float, float], side: float) -> tuple[float, float]:
    """A centre from which a thing of this side stays inside the area."""
    left, top, right, bottom = area
    reach = side * 0.6
    return float(rng.uniform(left + reach, right - reach)), float(rng.uniform(top + reach, bottom - reach))


def _set_moving(rng: np.random.Generator, actor: Actor, area: tuple[float, float, float, float]) -> Actor:
    """Send an actor from one edge of its area to the other, along the axis on which it has more room."""
    left, top, right, bottom = area
    reach = actor.thing.size * 0.6
    rooms = {"x": right - left - 2 * reach, "y": bottom - top - 2 * reach}
    axis = (
        str(rng.choice(list(rooms)))
        if min(rooms.values()) > 0.5 * actor.thing.size
        else max(rooms, key=rooms.__getitem__)
    )
    low, high = (left + reach, right - reach) if axis == "x" else (top + reach, bottom - reach)
    forward = rng.random() < 0.5
    start, end = (low, high) if forward else (high, low)
    x, y = actor.thing.centre
    thing = replace(actor.thing, centre=(start, y) if axis == "x" else (x, start))
    direction = {("x", True): "right", ("x", False): "left", ("y", True): "down", ("y", False): "up"}[axis, forward]
    return replace(actor, thing=thing, when=0, direction=direction, goal=(end, y) if axis == "x" else (x, end))
