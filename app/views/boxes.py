"""Answers the Boxes view: every box of the answer in three spaces, with the tokens that write it."""

from __future__ import annotations

from typing import TypedDict

from app.asking.posted import Posted
from app.views.contract import Look, selected
from qwenvl.analysis.answer_boxes import AnswerBox
from qwenvl.inference.run import Run
from qwenvl.processing.geometry.coordinates import convert


class WrittenBox(TypedDict):
    """One box of an answer; "original" and "resized" are in pixels: left, top, right, bottom."""

    phrase: str | None
    text: str
    problem: str | None
    tokens: list[int]
    written: list[int] | None
    coordinates: list[list[int]]
    original: list[float] | None
    resized: list[float] | None


class Boxes(TypedDict):
    """The boxes of an answer, in the order it writes them."""

    boxes: list[WrittenBox]


def boxes(look: Look, posted: Posted) -> Boxes:
    """{"run", "media"}: the boxes of the run's answer, drawn on this media."""
    chosen = selected(look, posted)
    return {"boxes": [_told(chosen.run, box) for box in chosen.run.boxes(chosen.media_index)]}


def _told(run: Run, box: AnswerBox) -> WrittenBox:
    resized = None
    if box.box is not None and box.media is not None:
        item = run.media[box.media]
        resized = convert(box.box, source="original", target="resized", size=item.size, resized=item.resized)
    return {
        "phrase": box.phrase,
        "text": box.text,
        "problem": box.problem,
        "tokens": list(box.tokens),
        "written": None if box.written is None else list(box.written),
        "coordinates": [list(tokens) for tokens in box.coordinates],
        "original": None if box.box is None else list(box.box),
        "resized": None if resized is None else list(resized),
    }
