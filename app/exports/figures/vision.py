"""Exports the Vision view: where a patch looks in each tower, and the attention distance of every head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import viz
from app.asking import words
from app.asking.finished import Finished
from app.asking.selection import Choice, Chosen, Selection, choice, chosen, own, whole
from app.exports.captions import head_words, model_title, weights_words
from app.exports.exported import Exported
from app.exports.figures import region
from app.exports.figures.frames import frame_index, frame_of
from app.exports.python_code import Name, call, closing, opening
from qwenvl.analysis.attention_distance import TowerStatistics
from qwenvl.errors import RunError


@dataclass(frozen=True)
class Looking:
    """One model's part of the view: the patch, in its media and in its frame, and the layer and head it looks with."""

    at: Chosen
    patch: int
    place: int
    layer: int
    head: Choice
    tower: TowerStatistics

    @property
    def grid(self) -> tuple[int, int]:
        _, rows, columns = self.at.run.media[self.at.media].patch_grid
        return rows, columns


def export(runs: Mapping[str, Finished], selection: Selection) -> Exported:
    """One row a model, on the picture, and the distances of all heads.

    Raises:
        RunError: there is no picture.
    """
    looks = [chosen(runs[letter], letter, selection) for letter in runs]
    looks = [look for look in looks if look.run.media]
    if not looks:
        raise RunError("No picture in this question: there is no row of a patch to draw.")
    swapped = selection.get("swap") is True
    shown = [_looking(look, selection) for look in looks]
    arrays: dict[str, np.ndarray] = {}
    for one in shown:
        arrays[f"row_{one.at.letter}"] = _row(one, swapped)
        arrays[f"distances_{one.at.letter}"] = one.tower.distance.numpy()
    given = _given(runs, shown, swapped)
    rows = [arrays[f"row_{one.at.letter}"] for one in shown]
    inside = (
        {} if swapped else region.summed(selection, {one.at.letter: arrays[f"row_{one.at.letter}"] for one in shown})
    )
    given["caption"] = " ".join(filter(None, [given["caption"], region.caption(selection, inside, "of the row")]))
    distances = [arrays[f"distances_{one.at.letter}"] for one in shown]
    return Exported(
        figure=viz.vision_for_print(rows, picture=frame_of(looks[0]), distances=distances, **given),
        caption=given["caption"],
        arrays=arrays,
        facts={one.at.letter: _facts(one, swapped) for one in shown}
        | ({"region": selection["region"], "in_region": inside} if inside else {}),
        lines=_lines(runs, shown, given, swapped),
    )


def _looking(at: Chosen, selection: Selection) -> Looking:
    """As the page reads it: the patch under the chosen place, and the most focused head where none is chosen."""
    _, rows, columns = at.run.media[at.media].patch_grid
    x, y = _place(selection)
    place = min(rows - 1, int(y * rows)) * columns + min(columns - 1, int(x * columns))
    tower = at.run.tower_statistics(media=at.media, frame=at.frame)
    start = divmod(int(tower.entropy.argmin()), tower.entropy.shape[1])
    given = own(selection, "vision")
    layer, head = given.get(f"layer{at.letter}"), given.get(f"head{at.letter}")
    return Looking(
        at=at,
        patch=at.frame * rows * columns + place,
        place=place,
        layer=start[0] if layer is None else whole({"layer": layer}, "layer", at.run.num_layers("vision")),
        head=start[1] if head is None else choice({"head": head}, "head", at.run.num_heads("vision")),
        tower=tower,
    )


def _place(selection: Selection) -> tuple[float, float]:
    keys = selection.get("keys")
    if keys is None:
        return 0.5, 0.5
    fine = isinstance(keys, list | tuple) and len(keys) == 2
    if not fine or not all(isinstance(value, int | float) and 0 <= value <= 1 for value in keys):
        raise RunError("keys must be a place on the picture, two numbers from 0 to 1: choose another.")
    return float(keys[0]), float(keys[1])


def _row(one: Looking, swapped: bool) -> np.ndarray:
    run, at = one.at.run, {"layer": one.layer, "head": one.head, "media": one.at.media}
    values = run.column("vision", key=one.patch, **at) if swapped else run.attention("vision", query=one.patch, **at)
    return values.cpu().numpy().reshape(one.grid)


def _given(runs: Mapping[str, Finished], shown: Sequence[Looking], swapped: bool) -> dict[str, Any]:
    """What the figure is given besides its arrays and picture."""
    what = "column (what it gets in every row)" if swapped else "row"
    return {
        "patches": [one.place for one in shown],
        "even": [one.tower.even_distance for one in shown],
        "chosen": [(one.layer, one.head) for one in shown],
        "titles": [f"{one.at.letter}  {model_title(runs[one.at.letter])}" for one in shown],
        "subtitles": [f"{what} of patch {_cell(one)}, {_where(one)}" for one in shown],
        "caption": _caption(runs, shown, swapped),
    }


def _caption(runs: Mapping[str, Finished], shown: Sequence[Looking], swapped: bool) -> str:
    what = (
        "Who looks at a patch of the vision tower: its weight in the exact row of every patch of its segment."
        if swapped
        else "Where a patch of the vision tower looks: its exact row over the patches of its own segment, sum 1."
    )
    parts = [what]
    for one in shown:
        grid = words.grid((1, *one.grid))
        parts.append(f"{one.at.letter}: patch {_cell(one)} of {grid}, {_where(one)}.")
    parts.append("Colours: viridis, each map to its own maximum, hard-edged, nothing resampled. Beneath: the mean")
    count = len(shown[0].tower.queries)
    parts.append(f"distance between a patch and what it attends to, over {count} evenly spread rows, for every head.")
    return " ".join([*parts, weights_words(runs, [one.at.letter for one in shown])]).strip()


def _cell(one: Looking) -> str:
    return "({}, {})".format(*divmod(one.place, one.grid[1]))


def _where(one: Looking) -> str:
    moment = f", temporal cell {one.at.frame}" if one.at.run.media[one.at.media].patch_grid[0] > 1 else ""
    return f"layer {one.layer}, {head_words(one.at.run, 'vision', one.head)}{moment}"


def _facts(one: Looking, swapped: bool) -> dict[str, Any]:
    return {
        **{"media": one.at.media, "frame": one.at.frame, "patch": one.patch, "grid": list(one.grid)},
        **{"layer": one.layer, "head": one.head, "column": swapped},
        **{"distance_unit": "patches", "distance_queries": list(one.tower.queries)},
        "even_distance": one.tower.even_distance,
    }


def _lines(runs: Mapping[str, Finished], shown: Sequence[Looking], given: dict[str, Any], swapped: bool) -> str:
    lines = [opening({one.at.letter: runs[one.at.letter] for one in shown}, uses="numpy"), ""]
    for one in shown:
        name, at = f"run_{one.at.letter}", {"layer": one.layer, "head": one.head, "media": one.at.media}
        which = {"key" if swapped else "query": one.patch}
        row = call(f"{name}.{'column' if swapped else 'attention'}", '"vision"', **which, **at)
        lines.append(f"row_{one.at.letter} = {row}.cpu().numpy().reshape({one.grid})")
        tower = call(f"{name}.tower_statistics", media=one.at.media, frame=one.at.frame)
        lines.append(f"distances_{one.at.letter} = {tower}.distance.numpy()")
    first = shown[0].at
    picture = f"numpy.asarray(run_{first.letter}.media[{first.media}].frames[{frame_index(first)}])"
    letters = [one.at.letter for one in shown]
    rows, distances = (f"[{', '.join(f'{kind}_{each}' for each in letters)}]" for kind in ("row", "distances"))
    more = {"picture": Name("picture"), "distances": Name(distances)}
    drawn = call("viz.vision_for_print", rows, **more, **given)
    return "\n".join([*lines, f"picture = {picture}", "", f"figure = {drawn}", closing("vision"), ""])
