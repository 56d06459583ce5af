"""Exports the Vision view: where a patch looks in each tower, and the attention distance of every head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import viz
from app.asking import words
from app.asking.finished import Finished
from app.asking.posted import Choice, Posted, index, named
from app.asking.selection import Selection
from app.exports.captions import head_words, model_title, weights_words
from app.exports.exported import Exported, selections
from app.exports.figures import region
from app.exports.figures.frames import frame_index, frame_of
from app.exports.python_code import Name, call, closing, opening
from qwenvl.analysis.attention_distance import TowerStatistics
from qwenvl.errors import RunError


@dataclass(frozen=True)
class Looking:
    """One model's part of the view: the patch, its place in its frame, the layer, and the statistics of the tower."""

    at: Selection
    patch: int
    place: int
    layer: int
    tower: TowerStatistics

    @property
    def head(self) -> Choice:
        return self.at.head

    @property
    def grid(self) -> tuple[int, int]:
        _, rows, columns = self.at.item.patch_grid
        return rows, columns


def export(runs: Mapping[str, Finished], posted: Mapping[str, Posted]) -> Exported:
    """One row per model, on the picture, and the distances of all heads.

    Raises:
        RunError: there is no picture.
    """
    looks = selections({letter: one for letter, one in runs.items() if one.run.media}, posted, "vision")
    if not looks:
        raise RunError("No picture in this question: there is no row of a patch to draw.")
    swapped, box = looks[0].swapped, looks[0].region
    shown = [_looking(look, named(posted, look.letter)) for look in looks]
    arrays: dict[str, np.ndarray] = {}
    for one in shown:
        arrays[f"row_{one.at.letter}"] = _row(one, swapped)
        arrays[f"distances_{one.at.letter}"] = one.tower.distance.numpy()
    given = _given(shown, swapped)
    rows = {one.at.letter: arrays[f"row_{one.at.letter}"] for one in shown}
    inside = {} if swapped else region.summed(box, rows)
    given["caption"] = " ".join(filter(None, [given["caption"], region.caption(box, inside, "of the row")]))
    distances = [arrays[f"distances_{one.at.letter}"] for one in shown]
    return Exported(
        figure=viz.vision_for_print(list(rows.values()), picture=frame_of(looks[0]), distances=distances, **given),
        caption=given["caption"],
        arrays=arrays,
        facts={one.at.letter: _facts(one, swapped) for one in shown}
        | ({"region": list(box or ()), "in_region": inside} if inside else {}),
        lines=_lines(shown, given, swapped),
    )


def _looking(at: Selection, posted: Posted) -> Looking:
    _, rows, columns = at.item.patch_grid
    layer = index(posted, "layer", at.run.num_layers("vision"))
    tower = at.run.tower_statistics(media=at.media, frame=at.frame)
    return Looking(at=at, patch=at.chosen, place=at.chosen % (rows * columns), layer=layer, tower=tower)


def _row(one: Looking, swapped: bool) -> np.ndarray:
    run, layer, head, media = one.at.run, one.layer, one.head, one.at.media
    if swapped:
        values = run.column("vision", key=one.patch, layer=layer, head=head, media=media)
    else:
        values = run.attention("vision", query=one.patch, layer=layer, head=head, media=media)
    return values.cpu().numpy().reshape(one.grid)


def _given(shown: Sequence[Looking], swapped: bool) -> dict[str, Any]:
    """What the figure is given besides its arrays and picture."""
    what = "column (what it gets in every row)" if swapped else "row"
    return {
        "patches": [one.place for one in shown],
        "even": [one.tower.even_distance for one in shown],
        "chosen": [(one.layer, one.head) for one in shown],
        "titles": [f"{one.at.letter}  {model_title(one.at.finished)}" for one in shown],
        "subtitles": [f"{what} of patch {_cell(one)}, {_where(one)}" for one in shown],
        "caption": _caption(shown, swapped),
    }


def _caption(shown: Sequence[Looking], swapped: bool) -> str:
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
    return " ".join([*parts, weights_words(one.at.finished for one in shown)]).strip()


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


def _lines(shown: Sequence[Looking], given: dict[str, Any], swapped: bool) -> str:
    lines = [opening({one.at.letter: one.at.finished for one in shown}, uses="numpy"), ""]
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
