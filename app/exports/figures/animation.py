"""Exports a clip's map as a file that plays: one picture per moment, both models side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import viz
from app.asking import words
from app.asking.finished import Finished
from app.asking.posted import Posted
from app.asking.selection import Selection
from app.exports.exported import selections
from qwenvl.analysis.clip_timeline import tube_shares, tubes
from qwenvl.errors import RunError

HEIGHT, SECONDS_A_CELL, MOST_CELLS = 280, 0.7, 192


def play(runs: Mapping[str, Finished], posted: Mapping[str, Posted]) -> list[Any]:
    """Pictures (height, width, 3), one for each moment of the clip that is looked at.

    Time goes by the model that saw the clip in the most cells, tubes before pictures; the other shows what it saw
    nearest to that moment.

    Raises:
        RunError: no clip, or no word, is chosen.
    """
    looks = selections(runs, posted)
    looks = [look for look in looks if look.run.media and look.run.media[look.media].patch_grid[0] > 1]
    if not looks:
        raise RunError("There is no clip to play: choose a clip of the question, then export.")
    looks = [look for look in looks if look.query is not None]
    if not looks:
        raise RunError("Nothing is chosen: choose a word of an answer, then export.")
    keeper = max(looks, key=lambda look: (look.run.media[look.media].tokens_are_places, _cells(look)))
    if _cells(keeper) > MOST_CELLS:
        raise RunError(f"This clip has {_cells(keeper)} moments and {MOST_CELLS} can be exported: take fewer frames.")
    moments = _moments(keeper)
    return viz.beside([_column(look, [_nearest(_moments(look), moment) for moment in moments]) for look in looks])


def _column(look: Selection, cells: list[int]) -> list[Any]:
    run, media, at = look.run, look.run.media[look.media], _row_of(look)
    if "adapter" in run.sites:
        maps = run.image_map(**at, media=look.media)
    else:
        maps = run.token_weights(**at, media=look.media).reshape(media.token_grid)
    shares = tube_shares(run, **at, media=look.media).tolist()
    step = -(-len(media.frames) // media.patch_grid[0])
    found, maximum = tubes(run, look.media), float(maps.max())
    how = f"row {words.count(look.row)}, language layer {look.layer} head {look.head}"
    scale = f"colours to {words.percent(maximum)} of the row, in every moment"
    return viz.animated_map(
        np.stack([maps[cell].numpy() for cell in cells]),
        frames=[np.asarray(media.frames[cell * step]) for cell in cells],
        captions=[f"{_headed(look, found[cell], cell, shares[cell])}\n{how}\n{scale}" for cell in cells],
        size=media.size,
        height=HEIGHT,
        maximum=maximum,
    )


def _headed(look: Selection, tube: Any, cell: int, share: float) -> str:
    name = _named(tube, cell, look.run.media[look.media])
    return f"{look.letter}  {name}  {words.percent(share)} of the row"


def _row_of(look: Selection) -> dict[str, Any]:
    return {"query": look.row, "layer": look.layer, "head": look.head}


def _named(tube: Any, cell: int, media: Any) -> str:
    name = f"t {tube.position}" if media.tokens_are_places else f"picture {cell + 1}"
    return f"{name}, {tube.seconds[0]:.2f} s" if tube.seconds else name


def _cells(look: Selection) -> int:
    return look.run.media[look.media].patch_grid[0]


def _moments(look: Selection) -> list[float]:
    """Seconds at which each cell begins; its place in the clip, 0 to 1, where no times are known."""
    found = [tube.seconds for tube in tubes(look.run, look.media)]
    if all(found):
        return [seconds[0] for seconds in found]
    return [cell / max(1, len(found) - 1) for cell in range(len(found))]


def _nearest(moments: list[float], moment: float) -> int:
    return min(range(len(moments)), key=lambda cell: abs(moments[cell] - moment))
