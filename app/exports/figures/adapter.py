"""Exports the Adapter view: what every query of Qwen-VL's adapter reads, and one query on the picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import viz
from app.asking import words
from app.asking.finished import Finished
from app.asking.selection import Choice, Chosen, Selection, choice, chosen, whole
from app.exports.captions import head_words, model_title, weights_words
from app.exports.exported import Exported
from app.exports.figures.frames import frame_code, frame_of
from app.exports.python_code import Name, call, closing, opening
from app.views.rows import entropy
from qwenvl.errors import RunError

NO_QUERIES = "Neither model has adapter queries: the merger of Qwen2-VL joins four patches, which Patches shows."


def export(runs: Mapping[str, Finished], selection: Selection) -> Exported:
    """A sheet for each model that has adapter queries.

    Raises:
        RunError: none has, or there is no picture.
    """
    looks = [chosen(runs[letter], letter, selection) for letter in runs]
    if not any(look.run.media for look in looks):
        raise RunError("No picture in this question: there is no map to draw.")
    looks = [look for look in looks if look.run.media and "adapter" in look.run.sites]
    if not looks:
        raise RunError(NO_QUERIES)
    wanted = selection.get("adapter")
    wanted = wanted if isinstance(wanted, dict) else {}
    heads = [choice(wanted, "head", look.run.num_heads("adapter")) for look in looks]
    sheets = {
        f"queries_{look.letter}": look.run.adapter_matrix(media=look.media, frame=look.frame, head=head).numpy()
        for look, head in zip(looks, heads, strict=True)
    }
    queries = [whole(wanted, "query", 1 << 20) % len(sheet) for sheet in sheets.values()]
    given = _given(runs, looks, heads, queries)
    return Exported(
        figure=viz.queries_for_print(list(sheets.values()), picture=frame_of(looks[0]), **given),
        caption=given["caption"],
        arrays=sheets,
        facts={look.letter: _facts(look, head, query) for look, head, query in zip(looks, heads, queries, strict=True)},
        lines=_lines(runs, looks, heads, given),
    )


def _given(
    runs: Mapping[str, Finished], looks: Sequence[Chosen], heads: Sequence[Choice], queries: Sequence[int]
) -> dict[str, Any]:
    titles = [
        f"{look.letter}  {model_title(runs[look.letter])}, {head_words(look.run, 'adapter', head)}"
        for look, head in zip(looks, heads, strict=True)
    ]
    return {
        "grids": [tuple(look.run.media[look.media].patch_grid[1:]) for look in looks],
        "queries": list(queries),
        "titles": titles,
        "caption": _caption(runs, looks, heads, queries),
    }


def _caption(
    runs: Mapping[str, Finished], looks: Sequence[Chosen], heads: Sequence[Choice], queries: Sequence[int]
) -> str:
    parts = ["What the adapter's queries read: cross-attention of each query over all patches, one softmax, sums to 1."]
    for look, head, query in zip(looks, heads, queries, strict=True):
        row = look.run.adapter_matrix(media=look.media, frame=look.frame, head=head)[query]
        grid = words.grid((1, *look.run.media[look.media].patch_grid[1:]))
        parts.append(
            f"{look.letter}: {model_title(runs[look.letter])}, {head_words(look.run, 'adapter', head)}, on {grid} "
            f"patches; query {query} (outlined) has an entropy of {entropy(row):.1f} bits and puts at most "
            f"{words.percent(float(row.max()))} of its row on one patch."
        )
    parts.append("A query is no place in the picture: the order of the sheet is theirs, not the picture's.")
    others = [letter for letter in runs if letter not in {look.letter for look in looks}]
    parts += [f"{letter}: {model_title(runs[letter])} has a merger and no such queries." for letter in others]
    return " ".join([*parts, weights_words(runs, [look.letter for look in looks])]).strip()


def _facts(look: Chosen, head: Choice, query: int) -> dict[str, Any]:
    sheet = look.run.adapter_matrix(media=look.media, frame=look.frame, head=head)
    return {
        "media": look.media,
        "frame": look.frame,
        "head": head,
        "query": query,
        "patch_grid": list(look.run.media[look.media].patch_grid),
        "entropy_bits": [entropy(row) for row in sheet],
    }


def _lines(
    runs: Mapping[str, Finished], looks: Sequence[Chosen], heads: Sequence[Choice], given: dict[str, Any]
) -> str:
    lines = [opening({look.letter: runs[look.letter] for look in looks}, uses="numpy"), ""]
    for look, head in zip(looks, heads, strict=True):
        sheet = call(f"run_{look.letter}.adapter_matrix", media=look.media, frame=look.frame, head=head)
        lines.append(f"queries_{look.letter} = {sheet}.numpy()")
    lines.append(f"picture = {frame_code(looks[0])}")
    sheets = f"[{', '.join(f'queries_{look.letter}' for look in looks)}]"
    drawn = call("viz.queries_for_print", sheets, picture=Name("picture"), **given)
    return "\n".join([*lines, "", f"figure = {drawn}", closing("adapter"), ""])
