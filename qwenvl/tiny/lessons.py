"""Packs scenes and clips for training: tokens, what to answer, and where to look.

A *lesson* is one picture, clip or pair of pictures with several questions about it. Its tokens are a prefix (the chat
format up to the media's end) that is read once, and a tail for each question, which sees the prefix and itself and
takes the positions right after the prefix, as if it were the only question. Lessons are packed one after another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from qwenvl.models.config import QwenVLConfig
from qwenvl.models.rope import multimodal_positions
from qwenvl.processing.media import Media
from qwenvl.processing.processor import Processor
from qwenvl.tiny.clips import Clip, render_clip
from qwenvl.tiny.phrases import say
from qwenvl.tiny.questions import Part, Question, Region
from qwenvl.tiny.scenes import MIN_CONTRAST, WORDS, pairs_of, random_ground
from qwenvl.tiny.world import COLOURS, SHAPES, Item, Label, Scene, Thing, box_of, contrast, footprint, render

SHAPE_NAMES, COLOUR_NAMES = list(SHAPES), list(COLOURS)
MOVES = ("left", "right", "up", "down")
# What each visual token is taught to name: its owner's shape (last: print), colour, word (last: a number) and movement.
CLASSES = {
    "shape": len(SHAPE_NAMES) + 2,
    "colour": len(COLOUR_NAMES) + 1,
    "word": len(WORDS) + 2,
    "motion": len(MOVES) + 1,
}
PIXELS = ("images", "pixel_values", "pixel_values_videos")  # under which name a lesson's pixels come
MIN_SHARE = 0.2  # of a visual token's area, from which the item on it owns it


@dataclass(frozen=True)
class Moment:
    """A picture, what questions count as its items (None for one that is not there), and which way each moves."""

    scene: Scene
    items: tuple[Item | None, ...]
    directions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Marks:
    """Of each visual token: its owner, int64 (tokens,), 0 none, i + 1 item i; its classes; its owner's box."""

    owner: Tensor
    labels: dict[str, Tensor]
    boxes: Tensor


@dataclass(frozen=True)
class Tail:
    """One question with its answer: ids, where the answer begins, and which visual tokens it is about."""

    task: str
    ids: list[int]
    answer_start: int
    name_row: int | None  # the last token that names the subject
    subjects: Tensor  # bool (visual tokens,)


@dataclass(frozen=True)
class Lesson:
    """See the module. `labels` holds, for each visual token, its classes; `boxes` (visual tokens, 4) shares of 1."""

    prefix: list[int]
    visual: Tensor  # bool (prefix,)
    positions: Tensor  # int64 (3, prefix)
    pixels: Tensor
    grids: list[tuple[int, int, int]]
    labels: dict[str, Tensor]
    boxes: Tensor
    tails: list[Tail]

    @property
    def num_tokens(self) -> int:
        return len(self.prefix) + sum(len(tail.ids) for tail in self.tails)


@dataclass
class Segment:
    """Where one lesson lies in a pack, and which of its tokens each token of its tails sees."""

    start: int
    tails_start: int
    end: int
    sees: Tensor  # bool (tail tokens, lesson tokens)


@dataclass
class Pack:
    """Lessons one after another: the tensors of one step."""

    ids: Tensor
    positions: Tensor  # int64 (3, tokens)
    visual: Tensor  # bool (tokens,)
    kept: Tensor  # which of all visual tokens stand in `ids`; training may leave out some that show only ground
    pixels: Tensor
    grids: list[tuple[int, int, int]]
    segments: list[Segment]
    labels: dict[str, Tensor]
    boxes: Tensor
    rows: Tensor  # tokens that predict an answer's token
    targets: Tensor  # what they predict
    questions: list[tuple[str, int, int]]  # task, and its slice of `rows`
    looks: list[list[tuple[str, int, Tensor]]]  # by segment: kind of row, row in it, bool (visual tokens,)

    def to(self, device: torch.device) -> Pack:
        """The same pack, its tensors on a device."""
        if device.type == "cpu":
            return self
        names = ("ids", "positions", "visual", "kept", "pixels", "boxes", "rows", "targets")
        return replace(
            self,
            **{name: getattr(self, name).to(device) for name in names},
            labels={name: label.to(device) for name, label in self.labels.items()},
            segments=[replace(segment, sees=segment.sees.to(device)) for segment in self.segments],
            looks=[[(kind, row, subject.to(device)) for kind, row, subject in looks] for looks in self.looks],
        )


class Teacher:
    """Writes lessons in one family's own format."""

    def __init__(self, processor: Processor) -> None:
        self.processor, self.tokenizer = processor, processor.tokenizer
        self.config: Any = processor.config  # type: ignore[attr-defined]
        self.is_first = isinstance(self.config, QwenVLConfig)
        special = self.tokenizer.special
        tags = ("<ref>", "</ref>", "<box>", "</box>")
        if not self.is_first:
            tags = ("<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>", "<|box_end|>")
        self.tags = [special(tag) for tag in tags]
        self.end = special("<|im_end|>")
        newline = self.tokenizer.encode("\n")
        self.opening = [self.end, *newline, special("<|im_start|>"), *self.tokenizer.encode("assistant"), *newline]
        self.before = "\n" if self.is_first else ""

    def spell(self, parts: Sequence[Part], before: str = "", *, rounded: bool = False) -> list[int]:
        """Ids of a question or an answer, boxes in the family's notation."""
        ids: list[int] = []
        text = before
        for part in parts:
            if isinstance(part, Region):
                ids += self.tokenizer.encode(text)
                text = ""
                ids += self._spell_region(part, rounded)
            else:
                text += part
        return ids + self.tokenizer.encode(text)

    def _spell_region(self, region: Region, rounded: bool) -> list[int]:
        left, top, right, bottom = (min(round(edge, -1), 990) if rounded else edge for edge in region.box)
        encode, (ref, end_ref, box, end_box) = self.tokenizer.encode, self.tags
        named = [ref, *encode(region.phrase), end_ref] if region.phrase else []
        return [*named, box, *encode(f"({left},{top}),({right},{bottom})"), end_box]

    def tail(self, question: Question, subjects: Tensor, names: Sequence[str]) -> Tail:
        """A question and its answer as ids; `names` are the words that single out its subject."""
        asked = self.spell(question.asked, self.before)
        answer = [*self.spell(question.answer, rounded=True), self.end]
        known = {self.tokenizer.encode(before + name)[-1] for name in names for before in (" ", "")}
        rows = [row for row, id_ in enumerate(asked) if id_ in known]
        ids = asked + self.opening + answer
        return Tail(question.task, ids, len(ids) - len(answer), rows[-1] if rows else None, subjects)

    def scenes(self, scenes: Sequence[Scene], questions: Sequence[Question]) -> Lesson:
        """A lesson about one picture or several; `questions` name subjects of a single picture only."""
        pictures = [{"type": "image", "image": render(scene)} for scene in scenes]
        return self._lesson(pictures, [Moment(scene, scene.items) for scene in scenes], questions)

    def clip(self, clip: Clip, questions: Sequence[Question]) -> Lesson:
        """A lesson about a clip."""
        parts = [{"type": "video", "video": render_clip(clip), "fps": clip.fps}]
        directions = tuple(actor.direction for actor in clip.actors)
        moments = [
            Moment(clip.at(frame), tuple(actor.at(frame, clip.frames) for actor in clip.actors), directions)
            for frame in range(0, clip.frames, 1 if self.is_first else 2)
        ]
        return self._lesson(parts, moments, questions)

    def _lesson(self, parts: list[dict[str, Any]], moments: list[Moment], questions: Sequence[Question]) -> Lesson:
        prompt = self.processor([{"role": "user", "content": [*parts, {"type": "text", "text": "?"}]}])
        visual = torch.tensor([token.kind in ("image", "video") for token in prompt.tokens])
        end = int(visual.nonzero()[-1]) + 2
        prefix = prompt.input_ids[:end]
        token_grids = [media.token_grid[1:] for media in prompt.media for _ in range(media.token_grid[0])]
        marks = [mark_tokens(moment, grid) for moment, grid in zip(moments, token_grids, strict=True)]
        owner = torch.cat([mark.owner for mark in marks])
        tails = [
            self.tail(
                question, torch.isin(owner, torch.tensor(question.subjects) + 1), _names(question, moments[0].items)
            )
            for question in questions
        ]
        pixels = next(value for name, value in prompt.model_inputs.items() if name in PIXELS)
        return Lesson(
            prefix,
            visual[:end],
            self._positions(torch.tensor(prefix), prompt.media),
            pixels,
            [] if self.is_first else [media.patch_grid for media in prompt.media],
            {name: torch.cat([mark.labels[name] for mark in marks]) for name in CLASSES},
            torch.cat([mark.boxes for mark in marks]),
            tails,
        )

    def _positions(self, ids: Tensor, media: Sequence[Media]) -> Tensor:
        if self.is_first:
            return torch.arange(len(ids)).expand(3, -1)
        return multimodal_positions(
            ids[None],
            [item.patch_grid for item in media if item.kind == "image"],
            [item.patch_grid for item in media if item.kind == "video"],
            image_token_id=self.config.image_token_id,
            video_token_id=self.config.video_token_id,
            merge_size=self.config.vision.merge_size,
        )[:, 0]


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
        length = max(20.0, pitch * float(rng.uniform(0.5, 0.84)))
        room = max(0.0, (pitch - 1.15 * length) / 2)
        x, y = ((place + 0.5) * pitch + float(rng.uniform(-room, room)) for place in (column, row))
        tilt = 0.0 if shape in ("circle", "ring") else float(rng.uniform(-12, 12))
        rgb = tuple(int(np.clip(value * rng.uniform(0.95, 1.05), 0, 255)) for value in COLOURS[colour])
        things.append(Thing(shape, colour, (rgb[0], rgb[1], rgb[2]), (x, y), length, tilt))
    return Scene(size, ground, tuple(things))


def _names(question: Question, items: Sequence[Item | None]) -> list[str]:
    things = [items[index] for index in question.subjects if index < len(items)]
    words = [getattr(thing, kind) for thing in things[:1] if isinstance(thing, Thing) for kind in ("shape", "colour")]
    return [say(word, question.language) for word in words]


def mark_tokens(moment: Moment, grid: tuple[int, int]) -> Marks:
    """What lies on each visual token of one picture; `grid` is its rows and columns of visual tokens."""
    scene = moment.scene
    present = [(index, item) for index, item in enumerate(moment.items) if item is not None]
    owner = torch.from_numpy(_owners(scene, [item for _, item in present], grid))
    table = torch.zeros(len(present) + 1, len(CLASSES), dtype=torch.int64)
    edges = torch.zeros(len(present) + 1, 4)
    for place, (index, item) in enumerate(present):
        table[place + 1] = torch.tensor(_classes(item, moment.directions[index] if moment.directions else ""))
        edges[place + 1] = torch.tensor(box_of(item, scene.size)) / torch.tensor([*scene.size, *scene.size])
    labels = {name: table[owner, column] for column, name in enumerate(CLASSES)}
    return Marks(torch.tensor([0, *(index + 1 for index, _ in present)])[owner], labels, edges[owner])


def _owners(scene: Scene, present: Sequence[Item], grid: tuple[int, int], samples: int = 7) -> np.ndarray:
    """For each visual token the thing that covers most of it, as its place in `present` plus one; 0 for none."""
    owned = footprint(scene).copy()
    for place, item in enumerate(present):
        if isinstance(item, Label):  # ink is thin: the label's box counts
            left, top, right, bottom = box_of(item, scene.size)
            owned[top:bottom, left:right] = place + 1
    small = Image.fromarray(owned).resize((grid[1] * samples, grid[0] * samples), Image.Resampling.NEAREST)
    tokens = np.asarray(small).reshape(grid[0], samples, grid[1], samples).transpose(0, 2, 1, 3).reshape(-1, samples**2)
    counts = (tokens[:, :, None] == np.arange(len(present) + 1)).sum(axis=1)
    counts[:, 0] = MIN_SHARE * samples**2
    return counts.argmax(axis=1)


def _classes(item: Item, direction: str) -> tuple[int, int, int, int]:
    if isinstance(item, Thing):
        motion = MOVES.index(direction) + 1 if direction else 0
        return SHAPE_NAMES.index(item.shape) + 1, COLOUR_NAMES.index(item.colour) + 1, 0, motion
    word = WORDS.index(item.text) + 1 if item.text in WORDS else len(WORDS) + 1
    return len(SHAPE_NAMES) + 1, COLOUR_NAMES.index(item.colour) + 1, word, 0


def pack(lessons: Sequence[Lesson], *, ground: float = 1.0, rng: np.random.Generator | None = None) -> Pack:
    """Lessons as one sequence; of the visual tokens that show only ground, a share `ground` is kept."""
    ids: list[int] = []
    rows: list[int] = []
    targets: list[int] = []
    questions: list[tuple[str, int, int]] = []
    positions, visual, segments, looks, kept, start = [], [], [], [], [], 0
    for lesson in lessons:
        chosen = lesson.labels["shape"] > 0
        if ground < 1.0:
            assert rng is not None
            chosen |= torch.from_numpy(rng.random(len(chosen)) < ground)
        else:
            chosen = torch.ones_like(chosen)
        stays = torch.ones(len(lesson.prefix), dtype=torch.bool)
        stays[lesson.visual] = chosen
        kept.append(chosen)
        prefix = int(stays.sum())
        total = prefix + lesson.num_tokens - len(lesson.prefix)
        ids += torch.tensor(lesson.prefix)[stays].tolist()
        positions.append(lesson.positions[:, stays])
        visual += [lesson.visual[stays], torch.zeros(total - prefix, dtype=torch.bool)]
        sees = torch.zeros(total - prefix, total, dtype=torch.bool)
        sees[:, :prefix] = True
        place, first, here = prefix, int(lesson.positions.max()) + 1, []
        for tail in lesson.tails:
            length = len(tail.ids)
            ids += tail.ids
            positions.append((torch.arange(length) + first).expand(3, -1))
            sees[place - prefix : place - prefix + length, place : place + length] = (
                torch.ones(length, length).tril() > 0
            )
            answer = range(start + place + tail.answer_start, start + place + length)
            questions.append((tail.task, len(rows), len(rows) + len(answer)))
            rows += [row - 1 for row in answer]
            targets += tail.ids[tail.answer_start :]
            here += _looks(tail, place, chosen)
            place += length
        segments.append(Segment(start, start + prefix, start + total, sees))
        looks.append(here)
        start += total
    return Pack(
        ids=torch.tensor(ids),
        positions=torch.cat(positions, dim=1),
        visual=torch.cat(visual),
        kept=torch.cat(kept).nonzero()[:, 0],
        pixels=torch.cat([lesson.pixels for lesson in lessons]),
        grids=[grid for lesson in lessons for grid in lesson.grids],
        segments=segments,
        labels={name: torch.cat([lesson.labels[name] for lesson in lessons]) for name in CLASSES},
        boxes=torch.cat([lesson.boxes for lesson in lessons]),
        rows=torch.tensor(rows, dtype=torch.int64),
        targets=torch.tensor(targets, dtype=torch.int64),
        questions=questions,
        looks=looks,
    )


def _looks(tail: Tail, place: int, chosen: Tensor) -> list[tuple[str, int, Tensor]]:
    """Rows of a tail that should fall on its subjects."""
    subjects = tail.subjects[chosen]
    if tail.task in ("caption", "which picture") or not bool(subjects.any()):
        return []
    looks = [("name", place + tail.name_row, subjects)] if tail.name_row is not None else []
    rows = range(tail.answer_start - 1, len(tail.ids) - 1 if tail.task == "grounding" else tail.answer_start)
    return looks + [("answer", place + row, subjects) for row in rows]
