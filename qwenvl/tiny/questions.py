"""Asks questions about scenes and clips of the synthetic world, and knows the answers, in two languages.

An answer follows from the description of the scene alone. Boxes are in thousandths of the picture's sides, as both
families write them; `spell` puts them in a family's own notation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from qwenvl.tiny.clips import Actor, Clip
from qwenvl.tiny.phrases import CHINESE, PHRASES, name_of, say, with_article
from qwenvl.tiny.scenes import PAIRS, held_out
from qwenvl.tiny.world import COLOURS, SHAPES, Box, Item, Label, Scene, Thing, box_of


@dataclass(frozen=True)
class Region:
    """A box in thousandths of the picture's sides, and the phrase it belongs to ("" for none)."""

    phrase: str
    box: Box


class Spelled(str):
    """Text that a twin is taught to say letter by letter, so that it can read a word it was never shown."""


Part = str | Region


@dataclass(frozen=True)
class Question:
    """One question with its answer.

    `subjects` are the indices of what the answer is about, in `scene.items`, or in those of all pictures in order.
    """

    task: str
    language: str
    asked: tuple[Part, ...]
    answer: tuple[Part, ...]
    subjects: tuple[int, ...] = ()
    about: tuple[int | None, ...] = ()  # for each part of the answer the item that it names; () where it names none


def spell(parts: Sequence[Part], family: str) -> str:
    """A question or an answer as text, boxes in the notation of "qwen-vl" or "qwen2-vl"."""
    tags = ("<ref>", "</ref>", "<box>", "</box>")
    if family == "qwen2-vl":
        tags = ("<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>", "<|box_end|>")
    text = ""
    for part in parts:
        if isinstance(part, str):
            text += part
        else:
            left, top, right, bottom = part.box
            reference = tags[0] + part.phrase + tags[1] if part.phrase else ""
            text += f"{reference}{tags[2]}({left},{top}),({right},{bottom}){tags[3]}"
    return text


def content(parts: Sequence[Part]) -> list[dict[str, Any]]:
    """A question or an answer as content parts of a message, for `Pipeline`."""
    made: list[dict[str, Any]] = []
    for part in parts:
        if isinstance(part, str):
            made.append({"type": "text", "text": part})
            continue
        if part.phrase:
            made.append({"type": "ref", "text": part.phrase})
        made.append({"type": "box", "box": list(part.box)})
    return made


def ask_pictures(scenes: Sequence[Scene], rng: np.random.Generator, *, chinese: float = 0.15) -> Question | None:
    """Which of several pictures holds a thing that only one of them holds. None where there is no such thing."""
    language = "zh" if rng.random() < chinese else "en"
    items = [(place, item) for place, scene in enumerate(scenes) for item in scene.items]
    where: dict[tuple[str, str], list[int]] = {}
    for index, (_, item) in enumerate(items):
        if isinstance(item, Thing):
            where.setdefault((item.colour, item.shape), []).append(index)
    only = [pair for pair in sorted(where) if len({items[index][0] for index in where[pair]}) == 1]
    if not only:
        return None
    colour, shape = only[rng.integers(len(only))]
    found = tuple(where[colour, shape])
    number = items[found[0]][0] + 1
    answer = f"picture {number}" if language == "en" else f"第{number}张"
    asked = _question("which picture", language, rng, name_of(colour, shape, language), answer, found)
    return replace(asked, about=found[:1])


def _question(
    phrase: str,
    language: str,
    rng: np.random.Generator,
    words: dict[str, str],
    answer: Part,
    subjects: tuple[int, ...] = (),
    task: str = "",
) -> Question:
    text = str(rng.choice(PHRASES[phrase][language])).format(**words)
    return Question(task or phrase, language, (text,), (answer,), subjects)


def _unique(things: Sequence[Thing], *fields: str) -> list[int]:
    """The indices of the things that no other thing equals in all of the fields."""
    keys = [tuple(getattr(thing, field) for field in fields) for thing in things]
    return [index for index, key in enumerate(keys) if keys.count(key) == 1]


def thousandths(box: Box, size: tuple[int, int]) -> Box:
    """A box in pixels as integers of 0 to 999, thousandths of the picture's width and height."""
    left, top, right, bottom = (
        min(round(1000 * edge / side), 999) for edge, side in zip(box, (*size, *size), strict=True)
    )
    return left, top, right, bottom


def _colour(scene: Scene, rng: np.random.Generator, language: str) -> Question | None:
    unique = _unique(scene.things, "shape")
    if not unique:
        return None
    index = int(rng.choice(unique))
    thing = scene.things[index]
    words = {"shape": say(thing.shape, language)}
    return _question("colour", language, rng, words, say(thing.colour, language), (index,))


def _shape(scene: Scene, rng: np.random.Generator, language: str) -> Question | None:
    unique = _unique(scene.things, "colour")
    if not unique:
        return None
    index = int(rng.choice(unique))
    thing = scene.things[index]
    words = {"colour": say(thing.colour, language)}
    return _question("shape", language, rng, words, say(thing.shape, language), (index,))


def _count(scene: Scene, rng: np.random.Generator, language: str) -> Question | None:
    if not scene.things:
        return None
    if rng.random() < 0.4:
        everything = tuple(range(len(scene.things)))
        return _question("count", language, rng, {}, str(len(everything)), everything)
    field, names = ("colour", list(COLOURS)) if rng.random() < 0.5 else ("shape", list(SHAPES))
    present = [getattr(thing, field) for thing in scene.things]
    kind = str(rng.choice(names if rng.random() < 0.2 else present))
    found = tuple(index for index, value in enumerate(present) if value == kind)
    words = {"kind": say(kind, language) + ("图形" if language == "zh" and field == "colour" else "")}
    return _question("count of", language, rng, words, str(len(found)), found, task="count")


def _existence(scene: Scene, rng: np.random.Generator, language: str) -> Question | None:
    present = [(thing.colour, thing.shape) for thing in scene.things]
    if not present:
        return None
    if rng.random() < 0.5:
        pair = present[rng.integers(len(present))]
        found = tuple(index for index, other in enumerate(present) if other == pair)
        return _question("existence", language, rng, name_of(*pair, language), say("yes", language), found)
    # a test may ask for a pair that training never names; training may not
    tests = any(held_out(*pair) for pair in present)
    absent = [pair for pair in PAIRS if pair not in present and (tests or not held_out(*pair))]
    near = [pair for pair in absent if any(pair[0] == c or pair[1] == s for c, s in present)]
    choices = near if near and rng.random() < 0.7 else absent
    pair = choices[rng.integers(len(choices))]
    return _question("existence", language, rng, name_of(*pair, language), say("no", language))


def _relation(scene: Scene, rng: np.random.Generator, language: str) -> Question | None:
    unique = _unique(scene.things, "colour", "shape")
    if len(unique) < 2:
        return None
    index, other_index = (int(choice) for choice in rng.choice(unique, 2, replace=False))
    thing, other = scene.things[index], scene.things[other_index]
    across, along = thing.centre[0] - other.centre[0], thing.centre[1] - other.centre[1]
    if max(abs(across), abs(along)) < 1.5 * min(abs(across), abs(along)):
        return None
    side = ("right" if across > 0 else "left") if abs(across) > abs(along) else ("below" if along > 0 else "above")
    words = name_of(thing.colour, thing.shape, language) | name_of(other.colour, other.shape, language, "other")
    return _question("relation", language, rng, words, say(side, language), (index, other_index))


def _furthest(scene: Scene, rng: np.random.Generator, language: str) -> Question | None:
    side = str(rng.choice(("left", "right")))
    order = sorted(range(len(scene.things)), key=lambda i: scene.things[i].centre[0], reverse=side == "right")
    if len(order) < 2:
        return None
    first, second = (scene.things[index] for index in order[:2])
    if abs(first.centre[0] - second.centre[0]) < 0.1 * scene.size[0]:
        return None
    answer = name_of(first.colour, first.shape, language)["thing"]
    return _question("furthest", language, rng, {"side": say(side, language)}, answer, (order[0],), task="relation")


def _reading(scene: Scene, rng: np.random.Generator, language: str) -> Question | None:
    first = len(scene.things)
    labels = scene.labels
    if _is_page(scene):
        return _read("heading", language, rng, {}, labels[0], first)
    if len(labels) == 1:
        return _read("text", language, rng, {}, labels[0], first)
    colours = [label.colour for label in labels]
    unique = [index for index, colour in enumerate(colours) if colours.count(colour) == 1]
    if not unique:
        return None
    index = int(rng.choice(unique))
    words = {"colour": say(colours[index], language)}
    return _read("text in", language, rng, words, labels[index], first + index)


def _read(
    phrase: str, language: str, rng: np.random.Generator, words: dict[str, str], label: Label, index: int
) -> Question:
    """A question that a label answers. Its task is the kind of print; that of small print is "small print"."""
    task = phrase if phrase == "small print" else kind_of(label.text)
    asked = _question(phrase, language, rng, words, Spelled(label.text), (index,), task=task)
    return replace(asked, about=(index,))


def kind_of(text: str) -> str:
    """ "glyph" for a single character, else "number" or "word"."""
    if len(text) == 1:
        return "glyph"
    return "number" if text.isdigit() else "word"


def _is_page(scene: Scene) -> bool:
    """A page is a heading and pairs of a word and its number."""
    sizes = [label.size for label in scene.labels]
    return len(sizes) >= 3 and not scene.things and sizes.count(sizes[1]) == len(sizes) - 1 and sizes[0] > sizes[1]


def _small_print(scene: Scene, rng: np.random.Generator, language: str) -> Question | None:
    if not _is_page(scene):
        return None
    index = 1 + 2 * int(rng.integers((len(scene.labels) - 1) // 2))
    word, number = scene.labels[index], scene.labels[index + 1]
    return _read("small print", language, rng, {"word": word.text}, number, index + 1)


def _grounding(scene: Scene, rng: np.random.Generator, language: str) -> Question | None:
    unique = _unique(scene.things, "colour", "shape")
    if not unique:
        return None
    index = int(rng.choice(unique))
    thing = scene.things[index]
    name = name_of(thing.colour, thing.shape, language)
    return _question("grounding", language, rng, name, _region(name["thing"], thing, scene), (index,))


def _region(phrase: str, item: Item, scene: Scene) -> Region:
    return Region(phrase, thousandths(box_of(item, scene.size), scene.size))


def _in_region(scene: Scene, rng: np.random.Generator, language: str) -> Question | None:
    if not scene.things:
        return None
    index = int(rng.integers(len(scene.things)))
    thing = scene.things[index]
    text = str(rng.choice(PHRASES["region"][language]))
    answer = name_of(thing.colour, thing.shape, language)["thing"]
    return Question("region", language, (text, _region("", thing, scene)), (answer,), (index,))


def _caption(scene: Scene, rng: np.random.Generator, language: str) -> Question | None:
    if _is_page(scene):
        return None
    parts = _described(scene, language)
    text = str(rng.choice(PHRASES["caption"][language]))
    everything = tuple(range(len(scene.items)))
    answer, about = (tuple(part[place] for part in parts) for place in (0, 1))
    return Question("caption", language, (text,), answer, everything, about)  # type: ignore[arg-type]


def describe(scene: Scene, language: str = "en") -> str:
    """A caption: the things from left to right, then the labels, then the ground."""
    return "".join(text for text, _ in _described(scene, language))


def _described(scene: Scene, language: str) -> list[tuple[str, int | None]]:
    """The parts of a caption, each with the item that it names."""
    things = sorted(range(len(scene.things)), key=lambda index: scene.things[index].centre[0])
    named: list[list[tuple[str, int | None]]] = []
    for index in things:
        thing = scene.things[index]
        english = with_article(f"{thing.colour} {thing.shape}")
        chinese = f"一个{CHINESE[thing.colour]}{CHINESE[thing.shape]}"
        named.append([(chinese if language == "zh" else english, index)])
    for index, label in enumerate(scene.labels, len(scene.things)):
        opening, closing = ("文字“", "”") if language == "zh" else (f'the {_kind_of(label)} "', '"')
        named.append([(opening, None), (Spelled(label.text), index), (closing, None)])
    commas = ("、", "和") if language == "zh" else (", ", " and ")
    parts: list[tuple[str, int | None]] = []
    for place, name in enumerate(named):
        if place:
            parts.append((commas[place == len(named) - 1], None))
        parts += name
    if language == "zh":
        ground = f"{CHINESE[scene.ground.colour]}背景" if scene.ground.colour else "照片"
        return [(f"{ground}上有", None), *parts, ("。", None)]
    ground = f"a {scene.ground.colour} background" if scene.ground.colour else "a photo"
    return [*parts, (f" on {ground}.", None)]


def _kind_of(label: Label) -> str:
    return "number" if label.text.isdigit() else "word"


def _direction(clip: Clip, rng: np.random.Generator, language: str) -> Question | None:
    moving = [index for index, actor in enumerate(clip.actors) if actor.deed == "moves"]
    if not moving:
        return None
    index = int(rng.choice(moving))
    actor = clip.actors[index]
    return _question("direction", language, rng, _actor_name(actor, language), say(actor.direction, language), (index,))


def _actor_name(actor: Actor, language: str, key: str = "thing") -> dict[str, str]:
    return name_of(actor.thing.colour, actor.thing.shape, language, key)


def _change(clip: Clip, rng: np.random.Generator, language: str) -> Question | None:
    index = int(rng.integers(len(clip.actors)))
    actor = clip.actors[index]
    answer = _deed(actor, language)
    return _question("change", language, rng, _actor_name(actor, language), answer, (index,))


def _deed(actor: Actor, language: str) -> str:
    """What an actor does, in words."""
    if actor.deed == "moves":
        way = say(actor.direction, language)
        return f"它向{way}移动" if language == "zh" else f"it moves {way}"
    if actor.deed == "turns":
        colour = say(actor.colour, language)
        return f"它变成{colour}" if language == "zh" else f"it turns {colour}"
    chinese = {"appears": "它出现了", "vanishes": "它消失了", "stays": "没有变化"}
    english = {"appears": "it appears", "vanishes": "it vanishes", "stays": "nothing"}
    return (chinese if language == "zh" else english)[actor.deed]


def _order(clip: Clip, rng: np.random.Generator, language: str) -> Question | None:
    sudden = [index for index, actor in enumerate(clip.actors) if actor.deed in ("appears", "vanishes", "turns")]
    if len(sudden) < 2:
        return None
    index, other = (int(choice) for choice in rng.choice(sudden, 2, replace=False))
    pair = (clip.actors[index], clip.actors[other])
    if abs(pair[0].when // 2 - pair[1].when // 2) < 2:
        return None  # both within what one temporal patch, or two that touch, may blur
    words = _actor_name(pair[0], language) | _actor_name(pair[1], language, "other")
    first = min(pair, key=lambda actor: actor.when)
    answer = _actor_name(first, language)["thing"]
    asked = _question("order", language, rng, words, answer, (index, other))
    return replace(asked, about=(index if first is pair[0] else other,))


SCENE_TASKS: dict[str, Callable[..., Question | None]] = {
    "colour": _colour,
    "shape": _shape,
    "count": _count,
    "existence": _existence,
    "relation": _relation,
    "furthest": _furthest,
    "reading": _reading,
    "small print": _small_print,
    "grounding": _grounding,
    "region": _in_region,
    "caption": _caption,
}

CLIP_TASKS: dict[str, Callable[..., Question | None]] = {
    "direction": _direction,
    "change": _change,
    "order": _order,
}
