"""Packs scenes and clips for training: tokens, what to answer, and where to look.

A *lesson* is one picture, clip or pair of pictures with several questions about it. Its tokens are a prefix (the chat
format up to the media's end) that is read once, and a tail for each question, which sees the prefix and itself and
takes the positions right after the prefix, as if it were the only question. Lessons are packed one after another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from qwenvl.models.config import QwenVLConfig
from qwenvl.models.rope import multimodal_positions
from qwenvl.processing.geometry.media import Media
from qwenvl.processing.processor import Processor
from qwenvl.tiny.clips import Clip, render_clip
from qwenvl.tiny.marks import CLASSES, Moment, TokenMarks, mark_tokens
from qwenvl.tiny.phrases import say
from qwenvl.tiny.questions import Part, Question, Region, Spelled
from qwenvl.tiny.world import Item, Scene, Thing, render

TURNS = 8  # pictures or temporal patches of one media, after which the count begins anew
PIXELS = ("images", "pixel_values", "pixel_values_videos")  # under which name a lesson's pixels come

Look = tuple[str, int, Tensor]  # kind of row ("name" or "answer"), the row in its tail or lesson, bool (visual tokens,)


@dataclass(frozen=True)
class Tail:
    """One question with its answer: ids, where the answer begins, and which rows should fall where."""

    task: str
    ids: list[int]
    answer_start: int
    looks: list[Look]


@dataclass(frozen=True)
class LessonStage:
    """What questions of a lesson are about: the items, the owner of each visual token, and the tokens of characters."""

    items: tuple[Item | None, ...]
    owner: Tensor
    glyphs: dict[int, list[Tensor]]

    def tokens_of(self, indices: Sequence[int]) -> Tensor:
        """The visual tokens of some items, bool (visual tokens,)."""
        return torch.isin(self.owner, torch.tensor(indices, dtype=torch.int64) + 1)


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
    turns: (
        Tensor  # int64 (visual tokens,): which picture or temporal patch each belongs to; -1 where there is one alone
    )
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
    turns: Tensor
    rows: Tensor  # tokens that predict an answer's token
    targets: Tensor  # what they predict
    questions: list[tuple[str, int, int]]  # task, and its slice of `rows`
    looks: list[list[Look]]  # by segment

    def to(self, device: torch.device) -> Pack:
        """The same pack, its tensors on a device."""
        if device.type == "cpu":
            return self
        names = ("ids", "positions", "visual", "kept", "pixels", "boxes", "turns", "rows", "targets")
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
        """Ids of a question or an answer, boxes in the family's notation, print letter by letter."""
        ids: list[int] = []
        text = before
        for part in parts:
            if isinstance(part, str) and not isinstance(part, Spelled):
                text += part
                continue
            ids += self.tokenizer.encode(text)
            text = ""
            if isinstance(part, Region):
                ids += self._spell_region(part, rounded)
            else:
                ids += [id_ for letter in part for id_ in self.tokenizer.encode(letter)]
        return ids + self.tokenizer.encode(text)

    def _spell_region(self, region: Region, rounded: bool) -> list[int]:
        left, top, right, bottom = (min(round(edge, -1), 990) if rounded else edge for edge in region.box)
        encode, (ref, end_ref, box, end_box) = self.tokenizer.encode, self.tags
        named = [ref, *encode(region.phrase), end_ref] if region.phrase else []
        return [*named, box, *encode(f"({left},{top}),({right},{bottom})"), end_box]

    def tail(self, question: Question, stage: LessonStage) -> Tail:
        """A question and its answer as ids, and where its rows should look."""
        asked = self.spell(question.asked, self.before)
        answer = [*self.spell(question.answer, rounded=True), self.end]
        ids = asked + self.opening + answer
        start = len(ids) - len(answer)
        looks = self._looks_of_answer(question, answer, stage, start - 1)
        subjects = stage.tokens_of(question.subjects)
        names = _names(question, stage.items)
        known = {self.tokenizer.encode(before + name)[-1] for name in names for before in (" ", "")}
        rows = [row for row, id_ in enumerate(asked) if id_ in known]
        looks += [("name", row, subjects) for row in rows[-1:] if question.task != "caption"]
        return Tail(question.task, ids, start, [look for look in looks if bool(look[2].any())])

    def _looks_of_answer(self, question: Question, answer: Sequence[int], stage: LessonStage, first: int) -> list[Look]:
        """Where the rows that predict an answer's tokens should look; row `first` predicts its first token."""
        subjects = stage.tokens_of(question.subjects)
        if not question.about:
            count = len(answer) - 1 if question.task == "grounding" else 1
            return [("answer", first + row, subjects) for row in range(count)]
        ends = np.cumsum([len(self.tokenizer.piece(id_)) for id_ in answer[:-1]])
        looks: list[Look] = []
        place = 0
        for part, item in zip(question.answer, question.about, strict=True):
            assert isinstance(part, str)
            length = len(part.encode())
            rows = [row for row, end in enumerate(ends) if place < end <= place + length]
            place += length
            if item is not None:
                targets = [stage.tokens_of([item])] * len(rows)
                if isinstance(part, Spelled):
                    targets = stage.glyphs.get(item, [])
                looks += [("answer", first + row, target) for row, target in zip(rows, targets, strict=False)]
        return looks

    def scenes(self, scenes: Sequence[Scene], questions: Sequence[Question]) -> Lesson:
        """A lesson about one picture or several."""
        pictures = [{"type": "image", "image": render(scene)} for scene in scenes]
        items: tuple[Item, ...] = ()
        moments = []
        for scene in scenes:
            moments.append(Moment(scene, scene.items, first=len(items)))
            items += scene.items
        return self._lesson(pictures, moments, items, questions)

    def clip(self, clip: Clip, questions: Sequence[Question]) -> Lesson:
        """A lesson about a clip."""
        parts = [{"type": "video", "video": render_clip(clip), "fps": clip.fps}]
        directions = tuple(actor.direction for actor in clip.actors)
        moments = [
            Moment(clip.at(frame), tuple(actor.at(frame, clip.frames) for actor in clip.actors), directions)
            for frame in range(0, clip.frames, 1 if self.is_first else 2)
        ]
        return self._lesson(parts, moments, tuple(actor.thing for actor in clip.actors), questions)

    def _lesson(
        self,
        parts: list[dict[str, Any]],
        moments: list[Moment],
        items: tuple[Item, ...],
        questions: Sequence[Question],
    ) -> Lesson:
        prompt = self.processor([{"role": "user", "content": [*parts, {"type": "text", "text": "?"}]}])
        visual = torch.tensor([token.kind in ("image", "video") for token in prompt.tokens])
        end = int(visual.nonzero()[-1]) + 2
        prefix = prompt.input_ids[:end]
        token_grids = [media.token_grid[1:] for media in prompt.media for _ in range(media.token_grid[0])]
        marks = [mark_tokens(moment, grid) for moment, grid in zip(moments, token_grids, strict=True)]
        stage = LessonStage(items, torch.cat([mark.owner for mark in marks]), _spread(marks))
        pixels = next(value for name, value in prompt.model_inputs.items() if name in PIXELS)
        return Lesson(
            prefix,
            visual[:end],
            self._positions(torch.tensor(prefix), prompt.media),
            pixels,
            [] if self.is_first else [media.patch_grid for media in prompt.media],
            {name: torch.cat([mark.labels[name] for mark in marks]) for name in CLASSES},
            torch.cat([mark.boxes for mark in marks]),
            _turns([len(mark.owner) for mark in marks]),
            [self.tail(question, stage) for question in questions],
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


def _names(question: Question, items: Sequence[Item | None]) -> list[str]:
    things = [items[index] for index in question.subjects if index < len(items)]
    words = [getattr(thing, kind) for thing in things[:1] if isinstance(thing, Thing) for kind in ("shape", "colour")]
    return [say(word, question.language) for word in words]


def _turns(lengths: Sequence[int]) -> Tensor:
    """See `Lesson.turns`, of pictures with so many visual tokens."""
    numbers = torch.arange(len(lengths)) % TURNS if len(lengths) > 1 else torch.tensor([-1])
    return numbers.repeat_interleave(torch.tensor(lengths))


def _spread(marks: Sequence[TokenMarks]) -> dict[int, list[Tensor]]:
    """The tokens of each label's characters, among the visual tokens of all pictures."""
    spread: dict[int, list[Tensor]] = {}
    lengths = [len(mark.owner) for mark in marks]
    for place, mark in enumerate(marks):
        before, after = sum(lengths[:place]), sum(lengths[place + 1 :])
        for index, glyphs in mark.glyphs.items():
            spread[index] = [F.pad(glyph, (before, after)) for glyph in glyphs]
    return spread


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
            here += [
                (kind, place + row, tokens[chosen]) for kind, row, tokens in tail.looks if bool(tokens[chosen].any())
            ]
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
        turns=torch.cat([lesson.turns for lesson in lessons]),
        rows=torch.tensor(rows, dtype=torch.int64),
        targets=torch.tensor(targets, dtype=torch.int64),
        questions=questions,
        looks=looks,
    )
