"""Reads the boxes of a run's answer: which tokens write which edge, and what is wrong with a box.

`processing.grounding` reads boxes for whoever wants the boxes. Here nothing is left out: a box that cannot be read, or
cannot be, is told with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from qwenvl.errors import Sentence
from qwenvl.processing.geometry.coordinates import THOUSANDTHS
from qwenvl.processing.geometry.media import Box
from qwenvl.processing.text.grounding import CORNERS, TAGS, to_pixels
from qwenvl.recorded.rows import RunRows

_EDGES = ("left", "top", "right", "bottom")
_BETWEEN = " \t\r\n,;、，；"


@dataclass(frozen=True)
class AnswerBox:
    """One box as an answer writes it.

    Attributes:
        phrase: what it is the box of; None where the answer names nothing.
        text: what stands between its tags.
        tokens: the tokens of the box, its tags included.
        written: (left, top, right, bottom) in thousandths, as written; None where they cannot be read.
        coordinates: the tokens that write each of these four; () where they cannot be read.
        box: in pixels of the original, corners in order and held to the picture; None where it cannot be read.
        media: the media it is drawn on; None where the question has none.
        problem: what is wrong with it, one sentence; None for a sound box.
    """

    phrase: str | None
    text: str
    tokens: tuple[int, ...]
    written: tuple[int, int, int, int] | None = None
    coordinates: tuple[tuple[int, ...], ...] = ()
    box: Box | None = None
    media: int | None = None
    problem: str | None = None


@dataclass
class _Span:
    """Tokens between two tags: what the tags make of it, the tokens inside, the tags' own."""

    kind: str
    inside: list[int] = field(default_factory=list)
    tags: list[int] = field(default_factory=list)
    closed: bool = False


def answer_boxes(run: RunRows, *, media: int | None = None) -> list[AnswerBox]:
    """Every box that a run's answer begins, in order; sound or not.

    A box belongs to the reference right before it, over blanks, commas and other boxes; other words end that.

    Args:
        media: the media they are drawn on, since neither notation names one; None for the latest, as Qwen-VL's own
            drawing does.

    Raises:
        RunError: there is no such media.
    """
    if media is not None:
        media = run.check_media(media)
    elif run.media:
        media = len(run.media) - 1
    found, phrase = list[AnswerBox](), None
    for span in _spans(run):
        text = _text(run, span.inside)
        if span.kind == "ref":
            phrase = text.strip() or None
        elif span.kind in ("box", "quad"):
            found.append(_box(run, span, text, phrase, media))
        elif text.strip(_BETWEEN):
            phrase = None
    return found


def overlap(one: Sequence[float], two: Sequence[float]) -> float:
    """Intersection over union of two boxes (left, top, right, bottom) in one space; 0 where both are empty."""
    width, height = min(one[2], two[2]) - max(one[0], two[0]), min(one[3], two[3]) - max(one[1], two[1])
    shared = max(width, 0.0) * max(height, 0.0)
    union = _area(one) + _area(two) - shared
    return shared / union if union > 0 else 0.0


def _area(box: Sequence[float]) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)


def _spans(run: RunRows) -> Iterator[_Span]:
    """The answer cut at its tags; only control tokens are tags, whatever is spelled in text."""
    span = _Span("text")
    for index in range(run.answer_start, len(run.tokens)):
        token = run.tokens[index]
        does = TAGS.get(token.text) if token.kind == "special" else None
        if does is None:
            if token.kind != "special":
                span.inside.append(index)
            continue
        if does == "end":
            span.tags.append(index)
            span.closed = True
        if span.inside or span.kind != "text":
            yield span
        span = _Span("text") if does == "end" else _Span(does, tags=[index])
    if span.inside or span.kind != "text":
        yield span


def _text(run: RunRows, tokens: Sequence[int]) -> str:
    """What tokens spell together; without the tokenizer, a character cut in two stays so."""
    if run.pipeline is not None:
        return run.pipeline.processor.tokenizer.decode([run.tokens[index].id for index in tokens])
    return "".join(run.tokens[index].text for index in tokens)


def _box(run: RunRows, span: _Span, text: str, phrase: str | None, media: int | None) -> AnswerBox:
    plain = AnswerBox(phrase, text, tuple(sorted((*span.tags, *span.inside))), media=media)
    corners = CORNERS.fullmatch("".join(run.tokens[index].text for index in span.inside))
    if span.kind == "quad":
        return _with(plain, problem=Sentence.of("“{text}” is a quadrilateral: only boxes are drawn.", text=text))
    if corners is None:
        end = "" if span.closed else ", and the answer ends inside it"
        return _with(plain, problem=Sentence.of("“{text}” is not two corners" + end + ".", text=text))
    left, top, right, bottom = written = tuple(map(int, corners.groups()))
    edges = (left, top, right, bottom)
    problem = _impossible(edges)
    if problem is None and not span.closed:
        problem = "The answer ends before the box is closed."
    return _with(
        plain,
        written=edges,
        coordinates=tuple(_spelling(run, span.inside, *corners.span(group)) for group in range(1, 5)),
        box=None if media is None else to_pixels(written, run.media[media]),
        problem=problem or ("The question has no picture to draw it on." if media is None else None),
    )


def _with(plain: AnswerBox, **more: object) -> AnswerBox:
    return AnswerBox(**{**plain.__dict__, **more})  # type: ignore[arg-type]


def _impossible(written: tuple[int, int, int, int]) -> str | None:
    """Why there can be no such box, or None."""
    for name, edge in zip(_EDGES, written, strict=True):
        if not 0 <= edge <= THOUSANDTHS:
            return Sentence.of(
                "Its {name} edge, {edge}, is outside 0 to {limit}; it is drawn at the picture's edge.",
                name=name,
                edge=edge,
                limit=THOUSANDTHS,
            )
    left, top, right, bottom = written
    if right < left:
        return Sentence.of(
            "Its right edge, {right}, is left of its left edge, {left}; it is drawn with the two swapped.",
            right=right,
            left=left,
        )
    if bottom < top:
        return Sentence.of(
            "Its bottom edge, {bottom}, is above its top edge, {top}; it is drawn with the two swapped.",
            bottom=bottom,
            top=top,
        )
    return None


def _spelling(run: RunRows, tokens: Sequence[int], start: int, stop: int) -> tuple[int, ...]:
    """The tokens that spell characters start to stop of their joined text."""
    found, at = [], 0
    for index in tokens:
        end = at + len(run.tokens[index].text)
        if at < stop and end > start and re.search(r"[-\d]", run.tokens[index].text):
            found.append(index)
        at = end
    return tuple(found)
