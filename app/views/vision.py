"""Answers the Vision view: one patch's row, the tower's statistics, and position-code similarity.

Patches are counted in the media, raster order (t, row, column); everything answered lies on the grid of one frame (or
temporal patch), since attention in both towers ends there.
"""

from __future__ import annotations

from typing import TypedDict

from app.asking.posted import Choice, Posted, index
from app.views import rows
from app.views.contract import Look, selected
from app.views.rows import Packed, Peak, packed
from qwenvl.analysis.attention_distance import TowerStatistics, distances_from, tower_statistics
from qwenvl.inference.run import Run


class VisionRow(Peak):
    """Where one patch looks, or, with "column", the weight it has in every patch's row.

    "own" is its share on itself, "distance" the mean distance of its keys in patches (rows alone), "half" the fewest
    patches that hold half of the sum.
    """

    media: int
    patch: int
    place: int
    layer: int
    head: Choice
    column: bool
    grid: list[int]
    values: Packed
    half: list[int]
    own: float
    total: float
    distance: float
    entropy: float
    even: float


class VisionHeads(TypedDict):
    """Mean distance, entropy and share on itself of every layer and head, (layers, heads), of one frame's patches.

    "start" is the layer and head to begin with: the most focused, whose rows have the least entropy.
    """

    distance: Packed
    entropy: Packed
    own: Packed
    even_distance: float
    even_entropy: float
    queries: int
    start: list[int]


class VisionPlaces(TypedDict):
    """How alike the position code holds a patch and every other of its frame, (rows, columns), -1 to 1.

    "stretched" is the side of a table of places that was stretched to the grid; None where nothing was.
    """

    place: int
    grid: list[int]
    values: Packed
    least: float
    most: float
    stretched: int | None


def vision_row(look: Look, posted: Posted) -> VisionRow:
    """{"run", "media", "query": a patch, "layer", "head", "swapped"}: see `VisionRow`."""
    chosen = selected(look, posted, "vision")
    run, patch, head = chosen.run, chosen.chosen, chosen.head
    layer = index(posted, "layer", run.num_layers("vision"))  # a mean of layers is no row
    _, height, width = chosen.item.patch_grid
    place, media = patch % (height * width), chosen.media
    if chosen.swapped:
        values = run.column("vision", key=patch, layer=layer, head=head, media=media).cpu()
    else:
        values = run.attention("vision", query=patch, layer=layer, head=head, media=media).cpu()
    away, total = distances_from(place, height, width), float(values.double().sum())
    return {
        **rows.peak(values),
        "media": media,
        "patch": patch,
        "place": place,
        "layer": layer,
        "head": head,
        "column": chosen.swapped,
        "grid": [1, height, width],
        "values": packed(values),
        "half": rows.fewest_cells(values),
        "own": float(values[place]),
        "total": total,
        "distance": float((values * away).double().sum()) / total,
        "entropy": rows.entropy(values / total),
        "even": float(away.mean()),
    }


def vision_heads(look: Look, posted: Posted) -> VisionHeads:
    """{"run", "media", "frame"}: see `VisionHeads`."""
    chosen = selected(look, posted, "vision")
    found = tower_statistics(chosen.run, media=chosen.media, frame=chosen.frame)
    return {
        "distance": packed(found.distance),
        "entropy": packed(found.entropy),
        "own": packed(found.own),
        "even_distance": found.even_distance,
        "even_entropy": found.even_entropy,
        "queries": len(found.queries),
        "start": list(most_focused(found)),
    }


def most_focused(found: TowerStatistics) -> tuple[int, int]:
    """The layer and head whose rows have the least entropy."""
    return divmod(int(found.entropy.argmin()), found.entropy.shape[1])


def vision_places(look: Look, posted: Posted) -> VisionPlaces:
    """{"run", "media", "query": a patch}: see `VisionPlaces`."""
    chosen = selected(look, posted, "vision")
    values = chosen.run.position_similarity(patch=chosen.chosen, media=chosen.media)
    rows_, columns = values.shape
    return {
        "place": chosen.chosen % (rows_ * columns),
        "grid": [1, rows_, columns],
        "values": packed(values),
        "least": float(values.min()),
        "most": float(values.max()),
        "stretched": _table_side(chosen.run, rows_),
    }


def _table_side(run: Run, side: int) -> int | None:
    own = getattr(run.config.vision, "position_side", side)
    return None if own == side else own
