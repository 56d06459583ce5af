"""Answers the Causes view: the answer rescored without a part of the picture, and deletion curves.

A forward pass or many: one question per run at a time, the newest first, and curves stop when nobody looks
(`asking.bounded_work`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

import numpy as np

from app.asking import pictures
from app.asking.bounded_work import Turns, Walk, Walks
from app.asking.finished import Finished
from app.asking.posted import Posted, named, one_of, whole
from app.asking.selection import Selection
from app.views.contract import Look, selected
from qwenvl.analysis.deletion_curves import Curve, Curves
from qwenvl.analysis.occlusion import Effect, paint_media, readers
from qwenvl.analysis.regions import FILLS, Pixels, box_mask, cells_in, cells_mask
from qwenvl.analysis.row_statistics import fewest_cells, own_map
from qwenvl.errors import RunError, Sentence
from qwenvl.recorded.record import Alternative

SHOWN_SIDE = 960
BRUSH = 64  # cells a side of the grid that strokes are kept on
STEPS, SEEDS = 10, 5
STROKES = re.compile(r"b[0-9a-z]{1,3}(\.[0-9a-z]{1,3})*")

TURNS = Turns()
WALKS: Walks[Curves] = Walks()


class CausesTold(TypedDict):
    """An effect: the word's probability and the answer's log-probability, before and after a place was taken away.

    "cells" are the region on the model's own grid, "hidden" what was hidden of it; of "paint", "picture" is the frame
    on screen under paint, and "received" the very picture that the model received.
    """

    index: int
    before: float
    after: float
    answer_before: float
    answer_after: float
    likeliest: list[Alternative]
    unit: str
    hidden: list[int]
    pixels: int
    tool: str
    cells: list[int]
    picture: NotRequired[str]
    received: NotRequired[str]
    received_size: NotRequired[list[int]]


class DrawnCurve(TypedDict):
    """The word's probability ("y") over the part of the cells that is painted away ("x"), and the area under it."""

    x: list[float]
    y: list[float]
    area: float


class CurveBand(TypedDict):
    """The mean and the range of curves in random orders, and the area under each."""

    x: list[float]
    mean: list[float]
    low: list[float]
    high: list[float]
    areas: list[float]


class CurvePair(TypedDict):
    """The curves of the map's order, of the reversed one, and of random ones; None until there are any."""

    map: DrawnCurve | None
    reverse: DrawnCurve | None
    random: CurveBand | None


class CausesCurves(TypedDict):
    """How far the curves are; all but "state" is there from the first step on.

    "state" is "none", "running", "done", "stopped" or "failed", "because" the sentence of why it failed.
    """

    state: str
    because: NotRequired[Sentence | None]
    done: NotRequired[int]
    total: NotRequired[int]
    cells: NotRequired[int]
    fill: NotRequired[str]
    plain: NotRequired[float]
    empty: NotRequired[float]
    seeds: NotRequired[int]
    deletion: NotRequired[CurvePair]
    insertion: NotRequired[CurvePair]


def causes(look: Look, posted: Posted) -> CausesTold:
    """The answer told again with a region hidden from attention, or painted over.

    {"run", "query", "media", "frame", "layer", "head", "tool", "place"}; "block" takes "layers" [first, last], "rows"
    and "through" besides, "paint" takes "fill".
    """
    chosen = selected(look, posted)
    intervention = read(chosen, posted)
    with TURNS.turn(posted["run"]):
        effect = intervention.told(chosen)
    answer: CausesTold = {
        "index": effect.index,
        "before": effect.before,
        "after": effect.after,
        "answer_before": effect.answer_before,
        "answer_after": effect.answer_after,
        "likeliest": list(effect.likeliest),
        "unit": effect.unit,
        "hidden": list(effect.hidden),
        "pixels": effect.pixels,
        "tool": intervention.tool,
        "cells": intervention.cells,
    }
    if intervention.tool == "paint":
        item, frame = chosen.item, chosen.frame * -(-len(chosen.item.frames) // chosen.item.patch_grid[0])
        painted = paint_media(item, intervention.mask, **intervention.given)
        answer["picture"] = pictures.picture(painted, SHOWN_SIDE, frame)
        answer["received"] = pictures.resized(painted, frame)
        answer["received_size"] = list(item.resized)
    return answer


@dataclass(frozen=True)
class Intervention:
    """What is taken away, as a call of the library.

    Attributes:
        tool: "block" or "paint".
        index: the token of the answer that is followed.
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

    def told(self, chosen: Selection) -> Effect:
        """The effect itself: one forward pass, and one more where the run was never told again."""
        if self.tool == "paint":
            return chosen.run.painted(self.index, self.mask, media=self.media, **self.given)
        return chosen.run.without(self.index, media=self.media, **self.given)


def read(chosen: Selection, posted: Posted) -> Intervention:
    """What was asked for, checked; see `causes`.

    Raises:
        RunError: something that the run has not, or an empty region.
    """
    token, media = _word(chosen), chosen.media
    mask, made_by, cells = _region(chosen, posted)
    if not cells:
        raise RunError("The region holds nothing: draw a larger one.")
    tool = one_of(posted, "tool", ("block", "paint"))
    given = _hiding(chosen, cells, posted) if tool == "block" else {"fill": one_of(posted, "fill", FILLS)}
    return Intervention(tool, token, media, mask, made_by, cells, given)


def causes_curves(look: Look, posted: Posted) -> CausesCurves:
    """{"run", "do": "start" | "look" | "stop"}: deletion and insertion of the shown map, as far as they are.

    "start" takes "query", "media", "layer", "head" and "fill".
    """
    run_id = posted.get("run")
    finished = look(run_id)
    do = one_of(posted, "do", ("start", "look", "stop"))
    if do == "stop":
        return _progress(WALKS.stop(run_id))
    if do == "look":
        return _progress(WALKS.look(run_id))
    token, given = curves_given(selected(look, posted), posted)
    about = (finished.letter, finished.created, token, *given.values())
    steps = finished.run.deletion_curves
    return _progress(WALKS.start(run_id, about, lambda: steps(token, **given)))


def curves_given(chosen: Selection, posted: Posted) -> tuple[int, dict[str, Any]]:
    """The token and the other arguments of `Run.deletion_curves` that were asked for."""
    at = {"layer": chosen.layer, "head": chosen.head, "media": chosen.media}
    return _word(chosen), {**at, "fill": one_of(posted, "fill", FILLS), "steps": STEPS, "seeds": SEEDS}


def computed_curves(chosen: Selection, posted: Posted) -> Curves | None:
    """The curves of a selection where the page has computed them to the end."""
    token, given = curves_given(chosen, posted)
    finished: Finished = chosen.finished
    return WALKS.recall((finished.letter, finished.created, token, *given.values()))


def _hiding(chosen: Selection, cells: list[int], posted: Posted) -> dict[str, Any]:
    if chosen.has_queries and one_of(posted, "through", ("adapter", "queries")) == "adapter":
        return {"patches": cells}
    visual = list(readers(chosen.run, cells, media=chosen.media)) if chosen.has_queries else cells
    return {"visual": visual, "rows": one_of(posted, "rows", ("answer", "text")), "layers": _layers(chosen, posted)}


# --- curves ---


def _progress(walk: Walk[Curves] | None) -> CausesCurves:
    if walk is None:
        return {"state": "none"}
    state = "failed" if walk.error else "stopped" if walk.stopped else "done" if walk.ended else "running"
    error = None
    if walk.error is not None:
        failed = Sentence("The curves could not be computed: try again.")
        error = walk.error.sentence if isinstance(walk.error, RunError) else failed
    return {"state": state, "because": error} if walk.last is None else _curves(walk.last, state, error)


def _curves(told: Curves, state: str, error: Sentence | None) -> CausesCurves:
    ended = [curve for curve in told.random if curve.painted[-1] == 1]
    return {
        "state": state,
        "because": error,
        "done": told.done,
        "total": told.total,
        "cells": told.cells,
        "fill": told.fill,
        "plain": told.plain,
        "empty": told.empty,
        "seeds": len(ended),
        "deletion": _pair(told.falling, told.rising, ended),
        "insertion": _pair(_backwards(told.rising), _backwards(told.falling), [curve.backwards() for curve in ended]),
    }


def _backwards(curve: Curve) -> Curve | None:
    """The insertion that a deletion is; None until it has both ends."""
    return curve.backwards() if curve.painted[-1] == 1 else None


def _pair(map_order: Curve | None, reverse: Curve | None, random: list[Curve]) -> CurvePair:
    """The curve of the map's order, of the reversed one, and the mean and range of the random ones."""
    return {"map": _curve(map_order), "reverse": _curve(reverse), "random": _band(random) if random else None}


def _band(random: list[Curve]) -> CurveBand:
    values = np.array([curve.probability for curve in random])
    return {
        "x": list(random[0].painted),
        "mean": values.mean(axis=0).tolist(),
        "low": values.min(axis=0).tolist(),
        "high": values.max(axis=0).tolist(),
        "areas": [curve.area for curve in random],
    }


def _curve(curve: Curve | None) -> DrawnCurve | None:
    if curve is None:
        return None
    return {"x": list(curve.painted), "y": list(curve.probability), "area": curve.area}


# --- what was asked for ---


def _word(chosen: Selection) -> int:
    if not chosen.run.tokens[chosen.chosen].in_answer:
        raise RunError("Causes follows a word of the answer: choose one.")
    return chosen.chosen


def _region(chosen: Selection, posted: Posted) -> tuple[Pixels, str, list[int]]:
    """A region as pixels of the original, the call that makes them, and as cells of the model's own grid."""
    place, item = named(posted, "place"), chosen.item
    grid = item.token_grid if item.tokens_are_places else item.patch_grid
    kind = one_of(place, "kind", ("box", "brush", "half"))
    if kind == "half":
        values = own_map(chosen.run, query=chosen.chosen - 1, media=chosen.media, layer=chosen.layer, head=chosen.head)
        cells = sorted(fewest_cells(values.flatten()))
        return cells_mask(item.size, grid, cells), f"cells_mask({item.size}, {grid}, {cells})", cells
    if kind == "box":
        box = _box(item.size, place)
        mask, made_by = box_mask(item.size, box), f"box_mask({item.size}, {box})"
    else:
        strokes = _strokes(place.get("mask"))
        mask = cells_mask(item.size, (1, BRUSH, BRUSH), strokes)[0]
        made_by = f"cells_mask({item.size}, {(1, BRUSH, BRUSH)}, {strokes})[0]"
    return mask, made_by, cells_in(mask, grid)


def _box(size: tuple[int, int], place: Posted) -> list[float]:
    edges = place.get("box")
    if not isinstance(edges, list) or len(edges) != 4:
        raise RunError("A region is four whole numbers from 0 to 1000: left, top, right, bottom.")
    held = [whole({"an edge": edge}, "an edge", 0, 1000) for edge in edges]
    return [edge / 1000 * size[at % 2] for at, edge in enumerate(held)]


def _strokes(text: Any) -> list[int]:
    """Runs of unpainted and painted cells in turn, in base 36 after a "b", over 64 x 64 cells row by row."""
    sound = isinstance(text, str) and len(text) <= 2 * BRUSH**2 and STROKES.fullmatch(text)
    runs = [int(run, 36) for run in text[1:].split(".")] if sound else []
    if sum(runs) != BRUSH**2:
        raise RunError("The brush strokes cannot be read: paint them again.")
    painted = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return np.flatnonzero(painted).tolist()


def _layers(chosen: Selection, posted: Posted) -> range:
    """The layers [first, last] in which a place is hidden; all where nothing was posted."""
    count = chosen.run.num_layers("language")
    given = posted.get("layers", [0, count - 1])
    first, last = given if isinstance(given, list) and len(given) == 2 else (None, None)
    low = whole({"the first layer": first}, "the first layer", 0, count - 1)
    high = whole({"the last layer": last}, "the last layer", 0, count - 1)
    if high < low:
        raise RunError("The last layer comes before the first: choose them the other way round.")
    return range(low, high + 1)
