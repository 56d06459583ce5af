"""Answer for print: the row that predicts a word of the answer, on the original picture, in both models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import viz
from app import words
from app.exports.chosen import Chosen, Selection, chosen, own
from app.exports.code import Name, call, closing, opening
from app.exports.exported import Exported
from app.exports.naming import head_words, layer_words, model_title, quoted, spelled, weights_words
from app.payload import Finished
from qwenvl.errors import RunError


def export(runs: Mapping[str, Finished], selection: Selection) -> Exported:
    """One map a model, each drawn in the cells that the model itself has.

    Raises:
        RunError: no word is chosen, or there is no picture.
    """
    _check_drawn(selection)
    looks = [chosen(runs[letter], letter, selection) for letter in runs]
    if not any(look.run.media for look in looks):
        raise RunError("No picture in this question: there is no map to draw.")
    looks = [look for look in looks if look.word is not None and look.run.media]
    if not looks:
        raise RunError("Nothing is chosen: choose a word of an answer, then export.")
    arrays: dict[str, np.ndarray] = {}
    for look in looks:
        arrays |= _arrays(look)
    given = _given(runs, looks, arrays, shared=selection.get("shared") is True)
    maps = [f"map_{look.letter}" for look in looks]
    picture, _ = _pictures(looks)
    return Exported(
        figure=viz.attention_side_by_side([arrays[name] for name in maps], picture=picture, **given),
        caption=given["caption"],
        arrays=arrays,
        facts={look.letter: _facts(look) for look in looks},
        lines=_lines(runs, looks, maps, given),
    )


def _check_drawn(selection: Selection) -> None:
    """A file says exactly what it plots: one raw row a model, which is not what every choice on the page draws."""
    choices = own(selection, "answer")
    also = selection.get("also")
    added = isinstance(also, dict) and any(also.values())
    if choices.get("mode", "raw") != "raw" or choices.get("scale") == "difference" or selection.get("swap") or added:
        raise RunError(
            "This file draws one raw row a model: choose Raw, a scale, one word and no swap, then export. "
            "The library has the rest, such as run.map_without_sinks and qwenvl.agreement."
        )


def frame_of(look: Chosen) -> np.ndarray:
    """The original picture of a selection, (height, width, 3), or that frame of a clip which its cell begins with.

    Of a clip's file the frames are kept at the size that the model sees: here they are at the original's.
    """
    media = look.run.media[look.media]
    return np.asarray(media.frames[frame_index(look)].resize(media.size))


def frame_code(look: Chosen) -> str:
    """The same as Python."""
    media = f"run_{look.letter}.media[{look.media}]"
    kept, size = look.run.media[look.media].frames[frame_index(look)].size, look.run.media[look.media].size
    resized = "" if kept == size else f".resize({media}.size)"
    return f"numpy.asarray({media}.frames[{frame_index(look)}]{resized})"


def frame_index(look: Chosen) -> int:
    """Which frame of the media that is."""
    media = look.run.media[look.media]
    return min(len(media.frames) - 1, look.frame * -(-len(media.frames) // media.patch_grid[0]))


def _pictures(looks: Sequence[Chosen]) -> tuple[Any, str]:
    """The picture under the maps, and its code: one for all, or one each of a clip, whose frames may differ."""
    if all(look.run.media[look.media].patch_grid[0] == 1 for look in looks):
        return frame_of(looks[0]), frame_code(looks[0])
    return [frame_of(look) for look in looks], f"[{', '.join(frame_code(look) for look in looks)}]"


def _arrays(look: Chosen) -> dict[str, np.ndarray]:
    """The map of a frame as it is drawn, and the whole row it is a part of."""
    run, at = look.run, {"query": look.row, "layer": look.layer, "head": look.head}
    if "adapter" in run.sites:
        cells = run.image_map(**at, media=look.media)
    else:
        cells = run.token_weights(**at, media=look.media).reshape(run.media[look.media].token_grid)
    found = {f"map_{look.letter}": cells[look.frame].numpy()}
    if look.layer != "mean":
        found[f"row_{look.letter}"] = run.attention("language", **at).cpu().numpy()
    return found


def _lines(runs: Mapping[str, Finished], looks: Sequence[Chosen], maps: Sequence[str], given: dict[str, Any]) -> str:
    lines = [opening({look.letter: runs[look.letter] for look in looks}, uses="numpy"), ""]
    for look in looks:
        at = {"query": look.row, "layer": look.layer, "head": look.head}
        if "adapter" in look.run.sites:
            cells = call(f"run_{look.letter}.image_map", **at, media=look.media)
        else:
            grid = look.run.media[look.media].token_grid
            cells = call(f"run_{look.letter}.token_weights", **at, media=look.media) + f".reshape({grid})"
        lines.append(f"map_{look.letter} = {cells}[{look.frame}].numpy()")
        if look.layer != "mean":
            row = call(f"run_{look.letter}.attention", '"language"', **at)
            lines.append(f"row_{look.letter} = {row}.cpu().numpy()  # all keys")
    drawn = call("viz.attention_side_by_side", f"[{', '.join(maps)}]", picture=Name("picture"), **given)
    return "\n".join([*lines, f"picture = {_pictures(looks)[1]}", "", f"figure = {drawn}", closing("answer"), ""])


def _given(
    runs: Mapping[str, Finished], looks: Sequence[Chosen], arrays: Mapping[str, np.ndarray], *, shared: bool
) -> dict[str, Any]:
    """What the figure is given besides its maps and picture."""
    tops = [float(arrays[f"map_{look.letter}"].max()) for look in looks]
    return {
        "titles": [f"{look.letter}  {model_title(runs[look.letter])}" for look in looks],
        "subtitles": [quoted(look.run.answer) for look in looks],
        "units": ["patch" if "adapter" in look.run.sites else "token" for look in looks],
        "place": "frame" if looks[0].run.media[looks[0].media].patch_grid[0] > 1 else "picture",
        "maxima": [max(tops)] * len(tops) if shared else tops,
        "caption": _caption(runs, looks, shared=shared),
    }


def _caption(runs: Mapping[str, Finished], looks: Sequence[Chosen], *, shared: bool) -> str:
    predicts = all(look.predicts for look in looks)
    what = "the row that predicts a word of the answer" if predicts else "the row of a chosen token"
    parts = [f"Where {what} falls on the original picture."]
    parts += [_row_words(runs[look.letter], look) for look in looks]
    scale = "one scale, to the larger maximum" if shared else "each map to its own maximum"
    parts.append(f"Colours: viridis, {scale}; % of the whole row in one cell, hard-edged, nothing resampled.")
    parts.append("Dashed: the fewest cells that hold half of what falls on this picture. A share is no proof of cause.")
    return " ".join([*parts, weights_words(runs, [look.letter for look in looks])]).strip()


def _row_words(finished: Finished, look: Chosen) -> str:
    media = look.run.media[look.media]
    if "adapter" in look.run.sites:
        grid = words.grid((1, *media.patch_grid[1:]))
        how = (
            f"its weights on the adapter's queries times the adapter's attention, mean of its heads, on {grid} patches"
        )
    else:
        how = f"its weights on the {words.grid((1, *media.token_grid[1:]))} visual tokens"
    weights = look.run.token_weights(query=look.row, layer=look.layer, head=look.head, media=look.media)
    share = words.percent(float(weights.double().sum()))
    where = f"{layer_words(look.run, look.layer)}, {head_words(look.run, 'language', look.head)}"
    place = f" of {media.name}" if len(look.run.media) > 1 else ""
    moment = f", temporal cell {look.frame}" if media.patch_grid[0] > 1 else ""
    return (
        f"{look.letter}: {model_title(finished)}, token {look.word} {spelled(look.run, look.word or 0)}, "
        f"row {look.row}, language {where}; {how}{place}{moment}; {share} of the row in all."
    )


def _facts(look: Chosen) -> dict[str, Any]:
    media = look.run.media[look.media]
    return {
        "token": look.word,
        "text": look.run.tokens[look.word].text,
        "row": look.row,
        "layer": look.layer,
        "head": look.head,
        "adapter_head": "mean" if "adapter" in look.run.sites else None,
        "media": look.media,
        "frame": look.frame,
        "cells": "patches" if "adapter" in look.run.sites else "visual tokens",
        "grid": list(media.patch_grid if "adapter" in look.run.sites else media.token_grid),
        "normalised": "softmax over all keys of the row, which sum to 1",
    }
