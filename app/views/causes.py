"""Answers the Causes view: the answer rescored without a part of the picture, and deletion curves.

A forward pass or many: one question a run at a time, the newest first, and curves stop when nobody looks (`turns`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.asking import pictures
from app.asking.bounded_work import Turns, Walk, Walks
from app.asking.finished import Finished
from app.views.contract import Look
from app.views.rows import media_index
from qwenvl.analysis.deletion_curves import Curve, Curves
from qwenvl.analysis.occlusion import Effect, paint_media, readers
from qwenvl.analysis.regions import FILLS, Pixels, box_mask, cells_in, cells_mask
from qwenvl.analysis.row_statistics import fewest_cells, own_map
from qwenvl.errors import RunError

SHOWN_SIDE = 960
BRUSH = 64  # cells a side of the grid that strokes are kept on
STEPS, SEEDS = 10, 5

RUNS = re.compile(r"b[0-9a-z]{1,3}(\.[0-9a-z]{1,3})*")

TURNS, WALKS = Turns(), Walks()


def causes(look: Look, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The answer told again with a region hidden from attention, or painted over.

    {"run", "query", "media", "tool", "region"}; "block" takes "layers" [first, last], "rows" and "through" besides,
    "paint" takes "fill". "cells" are the region on the model's own grid, "hidden" what was hidden of it.
    """
    run = look(asked.get("run")).run
    intervention = read(run, asked)
    with TURNS.turn(asked["run"]):
        effect = intervention.told(run)
    more = _as_given(run, intervention, asked) if intervention.tool == "paint" else {}
    return {**_told(effect), "tool": intervention.tool, "cells": intervention.cells, **more}


@dataclass(frozen=True)
class Intervention:
    """What is taken away, as a call of the library.

    Attributes:
        tool: "block" or "paint".
        mask: the region in pixels of the original; made_by: the call that makes it, as Python writes it.
        cells: the region on the model's own grid.
        given: the arguments of `Run.without` or `Run.painted` besides the token and the mask.
    """

    tool: str
    index: int
    media: int
    mask: Pixels
    made_by: str
    cells: list[int]
    given: Mapping[str, Any]

    def told(self, run: Any) -> Effect:
        """The effect itself: one forward pass, and one more where the run was never told again."""
        if self.tool == "paint":
            return run.painted(self.index, self.mask, media=self.media, **self.given)
        return run.without(self.index, media=self.media, **self.given)


def read(run: Any, asked: Mapping[str, Any]) -> Intervention:
    """What was asked for, checked; see `causes`.

    Raises:
        RunError: something that the run has not, or an empty region.
    """
    index, media = _word(run, asked), media_index(run, asked)
    mask, made_by, cells = _region(run, index, media, asked)
    if not cells:
        raise RunError("The region holds nothing: draw a larger one.")
    tool = _one_of(asked, "tool", ("block", "paint"))
    given = _hiding(run, media, cells, asked) if tool == "block" else {"fill": _one_of(asked, "fill", FILLS)}
    return Intervention(tool, index, media, mask, made_by, cells, given)


def causes_curves(look: Look, asked: Mapping[str, Any]) -> dict[str, Any]:
    """{"run", "do": "start" | "look" | "stop"}: deletion and insertion of the shown map, as far as they are.

    "start" takes "query", "media", "layer", "head" and "fill".
    """
    run_id = asked.get("run")
    finished = look(run_id)
    do = _one_of(asked, "do", ("start", "look", "stop"))
    if do == "stop":
        return _progress(WALKS.stop(run_id))
    if do == "look":
        return _progress(WALKS.look(run_id))
    index, given = curves_given(finished.run, asked)
    about = (finished.letter, finished.created, index, *given.values())
    steps = finished.run.deletion_curves
    return _progress(WALKS.start(run_id, about, lambda: steps(index, **given)))


def curves_given(run: Any, asked: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """The token and the other arguments of `Run.deletion_curves` that were asked for."""
    fill = _one_of(asked, "fill", FILLS)
    given = {**_cell(run, asked), "media": media_index(run, asked), "fill": fill, "steps": STEPS, "seeds": SEEDS}
    return _word(run, asked), given


def computed_curves(finished: Finished, asked: Mapping[str, Any]) -> Curves | None:
    """The curves of a selection where the page has computed them to the end."""
    index, given = curves_given(finished.run, asked)
    return WALKS.recall((finished.letter, finished.created, index, *given.values()))


# --- one effect ---


def _hiding(run: Any, media: int, cells: list[int], asked: Mapping[str, Any]) -> dict[str, Any]:
    if "adapter" in run.sites and _one_of(asked, "through", ("adapter", "queries")) == "adapter":
        return {"patches": cells}
    visual = list(readers(run, cells, media=media)) if "adapter" in run.sites else cells
    return {"visual": visual, "rows": _one_of(asked, "rows", ("answer", "text")), "layers": _layers(run, asked)}


def _told(effect: Effect) -> dict[str, Any]:
    return {
        **{"index": effect.index, "before": effect.before, "after": effect.after},
        **{"answer_before": effect.answer_before, "answer_after": effect.answer_after},
        "likeliest": [{"id": one.id, "text": one.text, "probability": one.probability} for one in effect.likeliest],
        **{"unit": effect.unit, "hidden": list(effect.hidden), "pixels": effect.pixels},
    }


def _as_given(run: Any, intervention: Intervention, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The painted frame on screen: the original under paint, and the very picture that the model received."""
    item = run.media[intervention.media]
    cell = min(_whole(asked, "frame", 1 << 20, 0), item.patch_grid[0] - 1)
    frame = cell * -(-len(item.frames) // item.patch_grid[0])
    painted = paint_media(item, intervention.mask, **intervention.given)
    return {
        "picture": pictures.picture(painted, SHOWN_SIDE, frame),
        "received": pictures.resized(painted, frame),
        "received_size": list(item.resized),
    }


# --- curves ---


def _progress(walk: Walk | None) -> dict[str, Any]:
    if walk is None:
        return {"state": "none"}
    state = "failed" if walk.error else "stopped" if walk.stopped else "done" if walk.ended else "running"
    error = None
    if walk.error is not None:
        error = str(walk.error) if isinstance(walk.error, RunError) else "The curves could not be computed: try again."
    return {"state": state, "because": error, **({} if walk.last is None else _curves(walk.last))}


def _curves(told: Curves) -> dict[str, Any]:
    whole = [curve for curve in told.random if curve.painted[-1] == 1]
    return {
        **{"done": told.done, "total": told.total, "cells": told.cells, "fill": told.fill},
        **{"plain": told.plain, "empty": told.empty, "seeds": len(whole)},
        "deletion": _pair(told.falling, told.rising, whole),
        "insertion": _pair(_backwards(told.rising), _backwards(told.falling), [curve.backwards() for curve in whole]),
    }


def _backwards(curve: Curve) -> Curve | None:
    """The insertion that a deletion is; None until it has both ends."""
    return curve.backwards() if curve.painted[-1] == 1 else None


def _pair(map_order: Curve | None, reverse: Curve | None, random: list[Curve]) -> dict[str, Any]:
    """The curve of the map's order, of the reversed one, and the mean and range of the random ones."""
    return {"map": _curve(map_order), "reverse": _curve(reverse), "random": _band(random) if random else None}


def _band(random: list[Curve]) -> dict[str, Any]:
    values = np.array([curve.probability for curve in random])
    return {
        "x": list(random[0].painted),
        "mean": values.mean(axis=0).tolist(),
        "low": values.min(axis=0).tolist(),
        "high": values.max(axis=0).tolist(),
        "areas": [curve.area for curve in random],
    }


def _curve(curve: Curve | None) -> dict[str, Any] | None:
    if curve is None:
        return None
    return {"x": list(curve.painted), "y": list(curve.probability), "area": curve.area}


# --- what was asked for ---


def _word(run: Any, asked: Mapping[str, Any]) -> int:
    index = _whole(asked, "query", len(run.tokens))
    if not run.tokens[index].in_answer:
        raise RunError("Causes follows a word of the answer: choose one.")
    return index


def _region(run: Any, index: int, media: int, asked: Mapping[str, Any]) -> tuple[Pixels, str, list[int]]:
    """A region as pixels of the original, the call that makes them, and as cells of the model's own grid."""
    region, item = asked.get("region"), run.media[media]
    grid = item.token_grid if item.tokens_are_places else item.patch_grid
    kind = _one_of(region if isinstance(region, dict) else {}, "kind", ("box", "brush", "half"))
    assert isinstance(region, dict)
    if kind == "half":
        cells = sorted(fewest_cells(own_map(run, query=index - 1, media=media, **_cell(run, asked)).flatten()))
        return cells_mask(item.size, grid, cells), f"cells_mask({item.size}, {grid}, {cells})", cells
    if kind == "box":
        box = _box(item.size, region.get("box"))
        mask, made_by = box_mask(item.size, box), f"box_mask({item.size}, {box})"
    else:
        strokes = _strokes(region.get("mask"))
        mask = cells_mask(item.size, (1, BRUSH, BRUSH), strokes)[0]
        made_by = f"cells_mask({item.size}, {(1, BRUSH, BRUSH)}, {strokes})[0]"
    return mask, made_by, cells_in(mask, grid)


def _box(size: tuple[int, int], box: Any) -> list[float]:
    edges = box if isinstance(box, list) and len(box) == 4 else [None]
    if not all(isinstance(edge, int) and not isinstance(edge, bool) and 0 <= edge <= 1000 for edge in edges):
        raise RunError("A region is four whole numbers from 0 to 1000: left, top, right, bottom.")
    return [edge / 1000 * size[at % 2] for at, edge in enumerate(edges)]


def _strokes(text: Any) -> list[int]:
    """Runs of unpainted and painted cells in turn, in base 36 after a "b", over 64 x 64 cells row by row."""
    sound = (
        isinstance(text, str) and len(text) <= 2 * BRUSH**2 and re.fullmatch(r"b[0-9a-z]{1,3}(\.[0-9a-z]{1,3})*", text)
    )
    runs = [int(run, 36) for run in text[1:].split(".")] if sound else []
    if sum(runs) != BRUSH**2:
        raise RunError("The brush strokes cannot be read: paint them again.")
    painted = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return np.flatnonzero(painted).tolist()


def _layers(run: Any, asked: Mapping[str, Any]) -> range:
    count = run.num_layers("language")
    given = asked.get("layers", [0, count - 1])
    first, last = given if isinstance(given, list) and len(given) == 2 else (None, None)
    ends = {"first": first, "last": last}
    low, high = _whole(ends, "first", count), _whole(ends, "last", count)
    if high < low:
        raise RunError("The last layer comes before the first: choose them the other way round.")
    return range(low, high + 1)


def _cell(run: Any, asked: Mapping[str, Any]) -> dict[str, Any]:
    counts = {"layer": run.num_layers("language"), "head": run.num_heads("language")}
    return {
        name: "mean" if asked.get(name, "mean") == "mean" else _whole(asked, name, count)
        for name, count in counts.items()
    }


def _whole(values: Mapping[str, Any], name: str, length: int, default: int | None = None) -> int:
    value = values.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < length:
        raise RunError(f"{name} must be a whole number from 0 to {length - 1:,}: choose another.")
    return value


def _one_of(values: Mapping[str, Any], name: str, known: tuple[str, ...]) -> str:
    value = values.get(name)
    if value not in known:
        raise RunError(f"{name} must be one of {', '.join(known)}: choose another.")
    return str(value)
