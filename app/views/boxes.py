"""Answers the Boxes view: every box of the answer in three spaces, with the tokens that write it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.views.contract import Look
from app.views.rows import media_index
from qwenvl.analysis.answer_boxes import AnswerBox
from qwenvl.processing.coordinates import convert


def boxes(look: Look, asked: Mapping[str, Any]) -> dict[str, Any]:
    """{"run", "media"}: the boxes of the run's answer, drawn on this media; "original" and "resized" are in pixels."""
    run = look(asked.get("run")).run
    index = media_index(run, asked) if run.media else None
    return {"boxes": [_told(run, box) for box in run.boxes(index)]}


def _told(run: Any, box: AnswerBox) -> dict[str, Any]:
    resized = None
    if box.box is not None and box.media is not None:
        item = run.media[box.media]
        resized = convert(box.box, source="original", target="resized", size=item.size, resized=item.resized)
    return {
        **{"phrase": box.phrase, "text": box.text, "problem": box.problem, "tokens": list(box.tokens)},
        **{"written": box.written, "coordinates": [list(tokens) for tokens in box.coordinates]},
        **{"original": box.box, "resized": resized},
    }
