"""Exports the Boxes view: the boxes each answer wrote, on the original picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import viz
from app.asking.finished import Finished
from app.asking.posted import Posted, named, whole
from app.asking.selection import Selection
from app.exports.captions import model_title, quoted, weights_words
from app.exports.exported import Exported, selections
from app.exports.figures.frames import frame_index, frame_of
from app.exports.python_code import Name, call, closing, opening
from qwenvl.analysis.answer_boxes import AnswerBox, overlap
from qwenvl.errors import RunError


def export(runs: Mapping[str, Finished], posted: Mapping[str, Posted]) -> Exported:
    """The boxes of each answer in pixels of the original; an answer without one is shown as such.

    Raises:
        RunError: there is no picture.
    """
    looks = selections(runs, posted)
    looks = [look for look in looks if look.run.media]
    if not looks:
        raise RunError("No picture in this question: there is nothing to draw boxes on.")
    found = {look.letter: look.run.boxes(look.media) for look in looks}
    yours = _yours(looks[0], named(posted, looks[0].letter))
    given = _given(looks, found, yours)
    arrays = {f"boxes_{letter}": _pixels(boxes) for letter, boxes in found.items()}
    return Exported(
        figure=viz.boxes_side_by_side(list(arrays.values()), picture=frame_of(looks[0]), **given),
        caption=given["caption"],
        arrays=arrays,
        facts={look.letter: _facts(look, found[look.letter]) for look in looks} | {"yours": yours},
        lines=_lines(looks, given),
    )


def _pixels(boxes: Sequence[AnswerBox]) -> np.ndarray:
    return np.array([box.box for box in boxes if box.box]).reshape(-1, 4)


def _yours(look: Selection, posted: Posted) -> tuple[float, ...] | None:
    """The visitor's box in pixels of the original; posted in thousandths of its sides."""
    edges = posted.get("yours")
    if edges is None:
        return None
    if not isinstance(edges, list) or len(edges) != 4:
        raise RunError("yours must be four whole numbers from 0 to 1,000: draw a box.")
    held = [whole({"an edge": edge}, "an edge", 0, 1000) for edge in edges]
    return tuple(edge / 1000 * look.item.size[at % 2] for at, edge in enumerate(held))


def _given(
    looks: Sequence[Selection],
    found: Mapping[str, Sequence[AnswerBox]],
    yours: tuple[float, ...] | None,
) -> dict[str, Any]:
    return {
        "titles": [f"{look.letter}  {model_title(look.finished)}" for look in looks],
        "subtitles": [quoted(look.run.answer) for look in looks],
        "phrases": [[box.phrase or "" for box in found[look.letter] if box.box] for look in looks],
        "yours": yours,
        "caption": _caption(looks, found, yours),
    }


def _caption(
    looks: Sequence[Selection],
    found: Mapping[str, Sequence[AnswerBox]],
    yours: tuple[float, ...] | None,
) -> str:
    parts = ["Boxes that the answers write, in thousandths of the original picture's sides, drawn on it."]
    for look in looks:
        written = [_words(box, yours) for box in found[look.letter]] or ["no box in this answer"]
        parts.append(f"{look.letter}: {model_title(look.finished)}, {'; '.join(written)}.")
    if yours is not None:
        parts.append(
            f"Dashed: a visitor's box, {', '.join(f'{edge:.1f}' for edge in yours)} in pixels of the original."
        )
    return " ".join([*parts, weights_words(look.finished for look in looks)]).strip()


def _words(box: AnswerBox, yours: tuple[float, ...] | None) -> str:
    name = f"“{box.phrase}” " if box.phrase else ""
    numbers = f"({box.written[0]},{box.written[1]}),({box.written[2]},{box.written[3]})" if box.written else box.text
    shared = f", IoU {overlap(box.box, yours):.3f} with the dashed box" if yours is not None and box.box else ""
    return f"{name}{numbers}{shared}" + (f" ({box.problem.rstrip('.')})" if box.problem else "")


def _facts(look: Selection, boxes: Sequence[AnswerBox]) -> dict[str, Any]:
    media = look.run.media[look.media]
    return {
        **{
            "media": look.media,
            "size": list(media.size),
            "resized": list(media.resized),
            "unit": "pixels of the original",
        },
        "boxes": [
            {"phrase": box.phrase, "written": box.written, "tokens": list(box.tokens), "problem": box.problem}
            for box in boxes
        ],
    }


def _lines(looks: Sequence[Selection], given: dict[str, Any]) -> str:
    lines = [opening({look.letter: look.finished for look in looks}, uses="numpy"), ""]
    for look in looks:
        boxes = f"[box.box for box in run_{look.letter}.boxes({look.media}) if box.box]"
        lines.append(f"boxes_{look.letter} = numpy.array({boxes}).reshape(-1, 4)")
    first = looks[0]
    lines.append(f"picture = numpy.asarray(run_{first.letter}.media[{first.media}].frames[{frame_index(first)}])")
    names = ", ".join(f"boxes_{look.letter}" for look in looks)
    drawn = call("viz.boxes_side_by_side", f"[{names}]", picture=Name("picture"), **given)
    return "\n".join([*lines, "", f"figure = {drawn}", closing("boxes"), ""])
