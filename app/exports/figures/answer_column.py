"""Exports the Answer view with query and key swapped: what every row gives to one key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import viz
from app.asking import words
from app.asking.selection import Selection
from app.exports.captions import head_words, layer_words, model_title, quoted, spelled, weights_words
from app.exports.exported import Exported
from app.exports.figures.frames import pictures
from app.exports.python_code import Name, call, closing, opening
from app.views.answer import STRONGEST, column
from qwenvl.analysis.row_statistics import own_grid
from qwenvl.inference.run import Run


def export(looks: Sequence[Selection]) -> Exported:
    """The rows that give most to a key, and on the picture those of visual tokens where these are places."""
    cells = {look.letter: look.cells for look in looks}
    columns = {look.letter: column(look).numpy() for look in looks}
    arrays = {f"column_{letter}": column for letter, column in columns.items()}
    arrays |= {f"map_{look.letter}": _map(look, columns[look.letter]) for look in looks if _places(look)}
    arrays |= {f"cells_{look.letter}": _outlined(look, cells[look.letter]) for look in looks}
    maps = [name if (name := f"map_{look.letter}") in arrays and arrays[name].any() else None for look in looks]
    given = _given(looks, cells, columns, arrays)
    return Exported(
        figure=viz.attention_side_by_side(
            [None if name is None else arrays[name] for name in maps],
            picture=pictures(looks)[0],
            outlined=[arrays[f"cells_{look.letter}"] for look in looks],
            **given,
        ),
        caption=given["caption"],
        arrays=arrays,
        facts={look.letter: _facts(look, cells[look.letter]) for look in looks},
        lines=_lines(looks, cells, maps, given),
    )


def _places(look: Selection) -> bool:
    """Whether the model's visual tokens are places of the picture: adapter queries are none."""
    return "adapter" not in look.run.sites


def _map(look: Selection, column: np.ndarray) -> np.ndarray:
    """What the rows of visual tokens give, at their places in the moment shown."""
    places = look.run.visual[look.media].numpy()
    return column[places].reshape(look.run.media[look.media].token_grid)[look.frame]


def _outlined(look: Selection, cells: Sequence[int]) -> np.ndarray:
    held = np.zeros(own_grid(look.run, look.media), dtype=bool)
    held.flat[list(cells)] = True
    return held[look.frame]


def _bars(look: Selection, cells: Sequence[int], column: np.ndarray) -> list[tuple[str, float]]:
    """The rows that give most, the key's own aside."""
    order = [int(row) for row in np.argsort(-column, kind="stable") if cells or row != look.query]
    return [(_row_name(look.run, row), float(column[row])) for row in order[:STRONGEST] if column[row] > 0]


def _row_name(run: Run, row: int) -> str:
    if run.answer_start <= row + 1 < len(run.tokens):
        return f"row {row}, predicts {quoted(run.tokens[row + 1].text)}"
    return f"row {row}, {quoted(run.tokens[row].text)}"


def _given(
    looks: Sequence[Selection],
    cells: Mapping[str, Sequence[int]],
    columns: Mapping[str, np.ndarray],
    arrays: Mapping[str, np.ndarray],
) -> dict[str, Any]:
    tops = [float(arrays[f"map_{look.letter}"].max()) if _places(look) else 0.0 for look in looks]
    return {
        "titles": [f"{look.letter}  {model_title(look.finished)}" for look in looks],
        "subtitles": [f"key: {_key_words(look, cells[look.letter])}" for look in looks],
        "units": ["token" if _places(look) else "patch" for look in looks],
        "feet": [_foot(look, top) for look, top in zip(looks, tops, strict=True)],
        "maxima": tops,
        "bars": [_bars(look, cells[look.letter], columns[look.letter]) for look in looks],
        "caption": _caption(looks, cells),
    }


def _foot(look: Selection, top: float) -> str:
    if not _places(look):
        return "visual tokens are adapter queries, no places"
    return (
        f"up to {words.percent(top)} of a visual token's row on the key"
        if top
        else "no visual token here reads the key"
    )


def _key_words(look: Selection, cells: Sequence[int]) -> str:
    if cells:
        return f"{len(cells)} chosen {'visual token' if _places(look) else 'patch'}{_plural(look, len(cells))}"
    return f"token {look.query} {spelled(look.run, look.query or 0)}"


def _plural(look: Selection, count: int) -> str:
    return "" if count == 1 else "s" if _places(look) else "es"


def _caption(looks: Sequence[Selection], cells: Mapping[str, Sequence[int]]) -> str:
    parts = ["Who reads a key: the weight that every row of the language model which may see it gives to it."]
    for look in looks:
        where = f"{layer_words(look.run, look.layer)}, {head_words(look.run, 'language', look.head)}"
        media = look.run.media[look.media]
        place = f" of {media.name}" if len(look.run.media) > 1 else ""
        moment = f", temporal cell {look.frame}" if media.patch_grid[0] > 1 else ""
        grid = words.grid((1, *media.token_grid[1:]))
        on = f"on the picture the rows of its {grid} visual tokens" if _places(look) else "nothing on the picture"
        key = _key_words(look, cells[look.letter])
        if cells[look.letter] and not _places(look):
            key += ", through the adapter's attention, mean of its heads"
        parts.append(f"{look.letter}: {model_title(look.finished)}, key {key}, language {where}; {on}{place}{moment}.")
    parts.append("Each weight is of its own row, which sums to 1; a column is not normalised.")
    parts.append("Colours: viridis, each map to its own maximum, hard-edged, nothing resampled.")
    parts.append("Dashed: the chosen cells." if any(cells.values()) else "")
    parts.append(f"Bars: up to {STRONGEST} rows that give most, a token's own aside, drawn to the largest.")
    said = [*parts, "A share is no proof of cause.", weights_words(look.finished for look in looks)]
    return " ".join(part for part in said if part)


def _facts(look: Selection, cells: Sequence[int]) -> dict[str, Any]:
    return {
        "swapped": True,
        "key": None if cells else look.query,
        "cells": list(cells),
        "grid": list(own_grid(look.run, look.media)),
        **{"layer": look.layer, "head": look.head, "media": look.media, "frame": look.frame},
        "normalised": "each weight is of its own row, which sums to 1; one number a row, 0 before the key",
    }


def _lines(
    looks: Sequence[Selection],
    cells: Mapping[str, Sequence[int]],
    maps: Sequence[str | None],
    given: dict[str, Any],
) -> str:
    start = opening({look.letter: look.finished for look in looks}, uses="numpy")
    if any(cells.values()):
        start = start.replace("import viz\n", "import viz\nfrom qwenvl.analysis.columns import place_reading\n")
    lines = [start, ""]
    for look in looks:
        lines += _of_one(look, cells[look.letter])
    outlined = Name(f"[{', '.join(f'cells_{look.letter}' for look in looks)}]")
    shown = f"[{', '.join(str(name) for name in maps)}]"
    drawn = call("viz.attention_side_by_side", shown, picture=Name("picture"), outlined=outlined, **given)
    return "\n".join([*lines, f"picture = {pictures(looks)[1]}", "", f"figure = {drawn}", closing("answer"), ""])


def _of_one(look: Selection, cells: Sequence[int]) -> list[str]:
    letter, at = look.letter, {"layer": look.layer, "head": look.head}
    if cells:
        told = call("place_reading", f"run_{letter}", str(list(cells)), media=look.media, **at)
        lines = [f"column_{letter} = {told}.cpu().numpy()"]
    else:
        told = call(f"run_{letter}.column", '"language"', key=look.query, **at)
        lines = [
            f"column_{letter} = numpy.zeros({len(look.run.tokens)}, dtype=numpy.float32)",
            f"column_{letter}[{look.query}:] = {told}.cpu().numpy()  # rows before the key cannot see it",
        ]
    if _places(look):
        grid = look.run.media[look.media].token_grid
        places = f"run_{letter}.visual[{look.media}].numpy()"
        lines.append(f"map_{letter} = column_{letter}[{places}].reshape({grid})[{look.frame}]")
    lines.append(f"cells_{letter} = numpy.zeros({tuple(own_grid(look.run, look.media))}, dtype=bool)")
    lines += [f"cells_{letter}.flat[{list(cells)}] = True"] if cells else []
    return [*lines, f"cells_{letter} = cells_{letter}[{look.frame}]"]
