"""Exports the Answer view: the row that predicts a word, on the original picture, in both models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import viz
from app.asking import words
from app.asking.finished import Finished
from app.asking.posted import Posted, named
from app.exports.captions import head_words, layer_words, model_title, quoted, spelled, weights_words
from app.exports.exported import Exported, selections
from app.exports.figures import answer_column, answer_difference, region
from app.exports.figures.answer_maps import NEUTRAL, SINKS, Drawn, drawn
from app.exports.figures.frames import pictures
from app.exports.python_code import Name, call, closing, opening
from qwenvl.analysis.map_agreement import Agreement
from qwenvl.errors import RunError

WAYS = {"raw": "", "sinks": ", sinks set aside", "neutral": ", against a neutral question"}
MOST_NAMED = 8  # rows in a caption; the numbers' manifest has them all


def export(runs: Mapping[str, Finished], posted: Mapping[str, Posted]) -> Exported:
    """One map a model, each drawn in the cells that the model itself has.

    Raises:
        RunError: no word is chosen, or there is no picture.
    """
    looks = selections(runs, posted)
    if not any(look.run.media for look in looks):
        raise RunError("No picture in this question: there is no map to draw.")
    looks = [look for look in looks if look.query is not None and look.run.media]
    if not looks:
        raise RunError("Nothing is chosen: choose a word of an answer, then export.")
    if looks[0].swapped:
        return answer_column.export(looks)
    summed, shared = _is_posted(posted, "summed"), _is_posted(posted, "shared")
    maps = [drawn(look, summed=summed) for look in looks]
    arrays: dict[str, np.ndarray] = {}
    for one in maps:
        arrays |= one.arrays()
    found = answer_difference.compared(maps) if maps[0].summed else None
    given = _given(maps, arrays, found, shared=shared)
    inside = _in_region(maps, arrays)
    given["caption"] = " ".join(filter(None, [given["caption"], region.caption(looks[0].region, inside, "of the row")]))
    pieces = {} if found is None else answer_difference.arrays(found)
    more: dict[str, Any] = {"difference": tuple(pieces.values())} if pieces else {}
    names = [f"map_{look.letter}" for look in looks]
    picture, _ = pictures(looks)
    return Exported(
        figure=viz.attention_side_by_side([arrays[name] for name in names], picture=picture, **more, **given),
        caption=given["caption"],
        arrays=arrays | pieces,
        facts={one.look.letter: _facts(one) for one in maps}
        | ({"region": list(looks[0].region or ()), "in_region": inside} if inside else {})
        | ({} if found is None else {"agreement": answer_difference.facts(found)}),
        lines=_lines(maps, names, given),
    )


def _is_posted(posted: Mapping[str, Posted], name: str) -> bool:
    """Whether something is on for the view as a whole, which the page posts with every column."""
    return any(named(posted, letter).get(name) is True for letter in posted)


def _in_region(maps: Sequence[Drawn], arrays: Mapping[str, np.ndarray]) -> dict[str, float]:
    """By letter, what of the row falls on the region; of a still, and of a map of shares."""
    stills = [one for one in maps if one.look.run.media[one.look.media].patch_grid[0] == 1 and one.mode != "neutral"]
    return region.summed(maps[0].look.region, {one.look.letter: arrays[f"map_{one.look.letter}"] for one in stills})


def _lines(maps: Sequence[Drawn], names: Sequence[str], given: dict[str, Any]) -> str:
    looks = [one.look for one in maps]
    uses = "numpy torch" if maps[0].summed or any(len(one.rows) > 1 for one in maps) else "numpy"
    lines = [opening({look.letter: look.finished for look in looks}, uses=uses, asks=maps[0].mode == "neutral"), ""]
    for one in maps:
        lines += one.lines()
    more: dict[str, Any] = {}
    if maps[0].summed:
        lines[0] = lines[0].replace("import viz\n", "import viz\nfrom qwenvl.analysis.map_agreement import agreement\n")
        lines += answer_difference.lines(maps)
        more = {"difference": Name("(xs, ys, difference)")}
    shown = call("viz.attention_side_by_side", f"[{', '.join(names)}]", picture=Name("picture"), **more, **given)
    return "\n".join([*lines, f"picture = {pictures(looks)[1]}", "", f"figure = {shown}", closing("answer"), ""])


def _given(
    maps: Sequence[Drawn],
    arrays: Mapping[str, np.ndarray],
    found: Agreement | None,
    *,
    shared: bool,
) -> dict[str, Any]:
    """What the figure is given besides its maps and picture."""
    looks = [one.look for one in maps]
    signed = maps[0].mode == "neutral"
    drawn_maps = [arrays[f"map_{look.letter}"] for look in looks]
    tops = [float((np.abs(cells) if signed else cells).max()) for cells in drawn_maps]
    feet = [one.foot() for one in maps]
    return {
        "titles": [f"{look.letter}  {model_title(look.finished)}" for look in looks],
        "subtitles": [quoted(look.run.answer) for look in looks],
        "units": ["patch" if one.on_patches else "token" for one in maps],
        **({"feet": feet} if any(feet) else {}),
        **({"signed": True} if signed else {}),
        **({} if found is None else {"agreement": answer_difference.beside(found, maps)}),
        "place": "picture" if looks[0].run.media[looks[0].media].patch_grid[0] == 1 else "clip" if found else "frame",
        "maxima": [max(tops)] * len(tops) if shared else tops,
        "caption": _caption(maps, found, shared=shared),
    }


def _caption(maps: Sequence[Drawn], found: Agreement | None, *, shared: bool) -> str:
    predicts, several = all(one.look.predicts for one in maps), any(len(one.rows) > 1 for one in maps)
    if several:
        rows = "rows that predict words of the answer" if predicts else "the rows of chosen tokens"
        what = f"the mean, of equal weights, of {rows}"
    else:
        what = "the row that predicts a word of the answer" if predicts else "the row of a chosen token"
    parts = [f"Where {what} falls on the original picture{WAYS[maps[0].mode]}."]
    parts += [_row_words(one) for one in maps]
    parts.append(_way_words(maps, shared=shared))
    parts += [] if found is None else [answer_difference.caption(found, maps)]
    parts += ["A share is no proof of cause."]
    return " ".join([*parts, weights_words(one.look.finished for one in maps)]).strip()


def _way_words(maps: Sequence[Drawn], *, shared: bool) -> str:
    """How the rows became colours: what was done to them, the scale and the dashed line."""
    mode = maps[0].mode
    most = "largest size" if mode == "neutral" else "maximum"
    scale = f"both maps to the larger {most.removeprefix('largest ')}" if shared else f"each map to its own {most}"
    if mode == "neutral":
        parts = [NEUTRAL.format(question=maps[0].parts[0].question)]
        parts.append(f"Colours: from rose to teal, {scale} on either side, zero bare; hard-edged, nothing resampled.")
        return " ".join([*parts, "Dashed: the fewest cells that hold half of what is more."])
    parts = [SINKS] if mode == "sinks" else []
    parts.append(f"Colours: viridis, {scale}; % of the whole row in one cell, hard-edged, nothing resampled.")
    left = "is left" if mode == "sinks" else "falls on this picture"
    return " ".join([*parts, f"Dashed: the fewest cells that hold half of what {left}."])


def _row_words(one: Drawn) -> str:
    look, media = one.look, one.look.run.media[one.look.media]
    if one.on_patches:
        grid = words.grid((1, *media.patch_grid[1:]))
        how = (
            f"its weights on the adapter's queries times the adapter's attention, mean of its heads, on {grid} patches"
        )
    else:
        how = f"its weights on the {words.grid((1, *media.token_grid[1:]))} visual tokens"
    share = words.percent(one.share())
    where = f"{layer_words(look.run, look.layer)}, {head_words(look.run, 'language', look.head)}"
    place = f" of {media.name}" if len(look.run.media) > 1 else ""
    moment = ", summed over all temporal cells" if one.summed else f", temporal cell {look.frame}"
    moment = moment if media.patch_grid[0] > 1 else ""
    done = f"; {one.words()}" if one.words() else ""
    return (
        f"{look.letter}: {model_title(look.finished)}, {_named(one)}, language {where}; "
        f"{how}{place}{moment}; {share} of the row in all{done}."
    )


def _named(one: Drawn) -> str:
    """The token and the row, or every one of several."""
    run, step = one.look.run, int(one.look.predicts)
    each = [f"token {row + step} {spelled(run, row + step)}, row {row}" for row in one.rows]
    more = [f"and {len(each) - MOST_NAMED} more"] if len(each) > MOST_NAMED else []
    return each[0] if len(each) == 1 else f"mean of {len(each)} rows ({'; '.join([*each[:MOST_NAMED], *more])})"


def _facts(one: Drawn) -> dict[str, Any]:
    look, media = one.look, one.look.run.media[one.look.media]
    return {
        "token": look.query,
        "text": look.run.tokens[look.chosen].text,
        "row": look.row,
        "layer": look.layer,
        "head": look.head,
        "adapter_head": "mean" if one.on_patches else None,
        "media": look.media,
        "frame": look.frame,
        "cells": "patches" if one.on_patches else "visual tokens",
        "grid": list(media.patch_grid if one.on_patches else media.token_grid),
        "normalised": "softmax over all keys of the row, which sum to 1",
        **one.facts(),
    }
