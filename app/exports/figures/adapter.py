"""Exports the Adapter view: what every query of Qwen-VL's adapter reads, and one query on the picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import viz
from app.asking import words
from app.asking.finished import Finished
from app.asking.posted import Posted
from app.asking.selection import Selection
from app.exports.captions import head_words, model_title, weights_words
from app.exports.exported import Exported, selections
from app.exports.figures.frames import frame_code, frame_of
from app.exports.python_code import Name, call, closing, opening
from app.views.rows import entropy
from qwenvl.errors import RunError

NO_QUERIES = "Neither model has adapter queries: the merger of Qwen2-VL joins four patches, which Patches shows."


def export(runs: Mapping[str, Finished], posted: Mapping[str, Posted]) -> Exported:
    """A sheet for each model that has adapter queries.

    Raises:
        RunError: none has, or there is no picture.
    """
    if not any(finished.run.media for finished in runs.values()):
        raise RunError("No picture in this question: there is no map to draw.")
    reading = {letter: one for letter, one in runs.items() if one.run.media and "adapter" in one.run.sites}
    if not reading:
        raise RunError(NO_QUERIES)
    looks = selections(reading, posted, "adapter")
    sheets = {
        f"queries_{look.letter}": look.run.adapter_matrix(media=look.media, frame=look.frame, head=look.head).numpy()
        for look in looks
    }
    given = _given(runs, looks)
    return Exported(
        figure=viz.queries_for_print(list(sheets.values()), picture=frame_of(looks[0]), **given),
        caption=given["caption"],
        arrays=sheets,
        facts={look.letter: _facts(look) for look in looks},
        lines=_lines(looks, given),
    )


def _given(runs: Mapping[str, Finished], looks: Sequence[Selection]) -> dict[str, Any]:
    titles = [
        f"{look.letter}  {model_title(look.finished)}, {head_words(look.run, 'adapter', look.head)}" for look in looks
    ]
    return {
        "grids": [tuple(look.item.patch_grid[1:]) for look in looks],
        "queries": [_query(look) for look in looks],
        "titles": titles,
        "caption": _caption(runs, looks),
    }


def _query(look: Selection) -> int:
    """The chosen query within its picture or frame."""
    return look.chosen % math.prod(look.item.token_grid[1:])


def _caption(runs: Mapping[str, Finished], looks: Sequence[Selection]) -> str:
    parts = ["What the adapter's queries read: cross-attention of each query over all patches, one softmax, sums to 1."]
    for look in looks:
        query = _query(look)
        row = look.run.adapter_matrix(media=look.media, frame=look.frame, head=look.head)[query]
        grid = words.grid((1, *look.item.patch_grid[1:]))
        parts.append(
            f"{look.letter}: {model_title(look.finished)}, {head_words(look.run, 'adapter', look.head)}, on {grid} "
            f"patches; query {query} (outlined) has an entropy of {entropy(row):.1f} bits and puts at most "
            f"{words.percent(float(row.max()))} of its row on one patch."
        )
    parts.append("A query is no place in the picture: the order of the sheet is theirs, not the picture's.")
    others = [letter for letter in runs if letter not in {look.letter for look in looks}]
    parts += [f"{letter}: {model_title(runs[letter])} has a merger and no such queries." for letter in others]
    return " ".join([*parts, weights_words(look.finished for look in looks)]).strip()


def _facts(look: Selection) -> dict[str, Any]:
    sheet = look.run.adapter_matrix(media=look.media, frame=look.frame, head=look.head)
    return {
        "media": look.media,
        "frame": look.frame,
        "head": look.head,
        "query": _query(look),
        "patch_grid": list(look.run.media[look.media].patch_grid),
        "entropy_bits": [entropy(row) for row in sheet],
    }


def _lines(looks: Sequence[Selection], given: dict[str, Any]) -> str:
    lines = [opening({look.letter: look.finished for look in looks}, uses="numpy"), ""]
    for look in looks:
        sheet = call(f"run_{look.letter}.adapter_matrix", media=look.media, frame=look.frame, head=look.head)
        lines.append(f"queries_{look.letter} = {sheet}.numpy()")
    lines.append(f"picture = {frame_code(looks[0])}")
    sheets = f"[{', '.join(f'queries_{look.letter}' for look in looks)}]"
    drawn = call("viz.queries_for_print", sheets, picture=Name("picture"), **given)
    return "\n".join([*lines, "", f"figure = {drawn}", closing("adapter"), ""])
