"""Reads boxes and references in an answer, in either family's notation, as boxes on the original picture.

Both families write thousandths of the original picture's width and height (2308.12966, section 2.3.1; 2409.12191,
section 2.2.1)::

    <ref>the dog</ref><box>(120,310),(480,905)</box>
    <|object_ref_start|>the dog<|object_ref_end|><|box_start|>(120,310),(480,905)<|box_end|>
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from qwenvl.processing.geometry.coordinates import THOUSANDTHS
from qwenvl.processing.geometry.media import Box, Media
from qwenvl.processing.text.tokenizers import Tokenizer

# Either notation's tag -> what it does.
TAGS = {
    "<ref>": "ref",
    "</ref>": "end",
    "<box>": "box",
    "</box>": "end",
    "<quad>": "quad",
    "</quad>": "end",
    "<|object_ref_start|>": "ref",
    "<|object_ref_end|>": "end",
    "<|box_start|>": "box",
    "<|box_end|>": "end",
    "<|quad_start|>": "quad",
    "<|quad_end|>": "end",
}

_TAG = re.compile(f"({'|'.join(map(re.escape, TAGS))})")
CORNERS = re.compile(r"\s*\(\s*(-?\d+)\s*,\s*(-?\d+)\s*\)\s*,\s*\(\s*(-?\d+)\s*,\s*(-?\d+)\s*\)\s*")

Answer = str | Sequence[int]


@dataclass(frozen=True)
class GroundedBox:
    """A box the model drew.

    Attributes:
        phrase: what it is the box of; None where the answer names nothing.
        written: the four numbers as they stand in the answer.
        box: (left, top, right, bottom) in pixels of the original; corners in the wrong order are swapped, numbers
            beyond 0..1000 are brought to the edge.
        media: index of the media it lies on.
    """

    phrase: str | None
    written: tuple[int, int, int, int]
    box: Box
    media: int


def find_boxes(
    answer: Answer, media: Sequence[Media], *, tokenizer: Tokenizer | None = None, index: int | None = None
) -> list[GroundedBox]:
    """The boxes of an answer.

    A box belongs to the reference right before it, over blanks, commas and other boxes; other words end that. An
    unfinished tag, or a box that is not two corners, is left out; quadrilaterals are not read. A box whose corners
    coincide is kept: a point.

    Args:
        answer: text, in which tags are read as they are spelled; or ids, in which control tokens alone are tags.
        media: of the question.
        tokenizer: needed for ids.
        index: the media the boxes lie on; None for the latest, as Qwen-VL's own drawing does.

    Returns:
        In the order of the answer; none where the question has no media.
    """
    if not media:
        return []
    index = len(media) - 1 if index is None else index
    boxes, phrase = [], None
    for kind, text in _parts(answer, tokenizer):
        if kind == "ref":
            phrase = text.strip() or None
        elif kind == "box" and (corners := CORNERS.fullmatch(text)):
            left, top, right, bottom = written = tuple(map(int, corners.groups()))
            boxes.append(GroundedBox(phrase, (left, top, right, bottom), to_pixels(written, media[index]), index))
        elif kind == "text" and text.strip(" \t\r\n,;、，；"):
            phrase = None
    return boxes


def answer_parts(answer: Answer, *, tokenizer: Tokenizer | None = None) -> list[dict[str, Any]]:
    """An answer as content parts, so that its tags are tags again when it becomes a turn of the history.

    Args:
        answer, tokenizer: as in `find_boxes`.

    Returns:
        Parts of type "text", "ref" and "box"; a box that no part may hold is left as text.
    """
    parts: list[dict[str, Any]] = []
    for kind, text in _parts(answer, tokenizer):
        corners = CORNERS.fullmatch(text) if kind == "box" else None
        box = [int(edge) for edge in corners.groups()] if corners else []
        if kind == "ref":
            parts.append({"type": "ref", "text": text})
        elif box and all(0 <= edge < THOUSANDTHS for edge in box) and box[0] <= box[2] and box[1] <= box[3]:
            parts.append({"type": "box", "box": box})
        elif parts and parts[-1]["type"] == "text":
            parts[-1]["text"] += text
        else:
            parts.append({"type": "text", "text": text})
    return parts


def _parts(answer: Answer, tokenizer: Tokenizer | None) -> Iterator[tuple[str, str]]:
    """("text" | "ref" | "box" | "quad", what stands there); the inside of an unfinished tag is text."""
    kind, inside = "text", ""
    for is_tag, text in _pieces(answer, tokenizer):
        does = TAGS[text] if is_tag else None
        if does is None:
            inside += text
            continue
        if inside or kind != "text":
            yield (kind if does == "end" else "text"), inside
        kind, inside = ("text" if does == "end" else does), ""
    if inside:
        yield "text", inside


def _pieces(answer: Answer, tokenizer: Tokenizer | None) -> Iterable[tuple[bool, str]]:
    """The answer cut at its tags: (whether it is a tag, text)."""
    if isinstance(answer, str):
        return [(text in TAGS, text) for text in _TAG.split(answer) if text]
    if tokenizer is None:
        raise TypeError("ids need their tokenizer")
    return _pieces_of_ids(answer, tokenizer)


def _pieces_of_ids(ids: Sequence[int], tokenizer: Tokenizer) -> Iterator[tuple[bool, str]]:
    """Control tokens that are tags, and the text between; other control tokens are dropped."""
    run: list[int] = []
    for id_ in ids:
        if not tokenizer.is_special(id_):
            run.append(id_)
            continue
        if run:
            yield False, tokenizer.decode(run)
            run = []
        name = tokenizer.decode([id_])
        if name in TAGS:
            yield True, name
    if run:
        yield False, tokenizer.decode(run)


def to_pixels(written: Sequence[int], media: Media) -> Box:
    """Thousandths as pixels of the original, corners in the wrong order swapped, numbers beyond the edge held to it."""

    def side(first: int, second: int, length: int) -> tuple[float, float]:
        low, high = sorted(min(max(edge, 0), THOUSANDTHS) for edge in (first, second))
        return low * length / THOUSANDTHS, high * length / THOUSANDTHS

    (left, right), (top, bottom) = (
        side(written[0], written[2], media.size[0]),
        side(written[1], written[3], media.size[1]),
    )
    return left, top, right, bottom
