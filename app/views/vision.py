"""Answers the Vision view: one patch's row, the tower's statistics, and position-code similarity.

Patches are counted in the media, raster order (t, row, column); everything answered lies on the grid of one frame (or
temporal patch), since attention in both towers ends there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.asking.selection import choice, whole
from app.views import rows
from app.views.contract import Look
from app.views.rows import media_index, packed
from qwenvl.analysis.attention_distance import distances_from, tower_statistics


def vision_row(look: Look, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Where one patch looks, or, with "column", the weight it has in every patch's row.

    "own" is its share on itself, "distance" the mean distance of its keys in patches (rows alone), "half" the fewest
    patches that hold half of the sum.
    """
    run = look(asked.get("run")).run
    media, patch, place = _patch(run, asked)
    layer = whole(asked, "layer", run.num_layers("vision"))
    head = choice(asked, "head", run.num_heads("vision"))
    swapped = asked.get("column") is True
    _, height, width = run.media[media].patch_grid
    if swapped:
        values = run.column("vision", key=patch, layer=layer, head=head, media=media).cpu()
    else:
        values = run.attention("vision", query=patch, layer=layer, head=head, media=media).cpu()
    away = distances_from(place, height, width)
    total = float(values.double().sum())
    return {
        **{"media": media, "patch": patch, "place": place, "layer": layer, "head": head, "column": swapped},
        "grid": [1, height, width],
        "values": packed(values),
        **rows.peak(values),
        "half": rows.fewest_cells(values),
        "own": float(values[place]),
        "total": total,
        "distance": float((values * away).double().sum()) / total,
        "entropy": rows.entropy(values / total),
        "even": float(away.mean()),
    }


def vision_heads(look: Look, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Mean distance, entropy and share on itself of every layer and head, (layers, heads), of one frame's patches."""
    run = look(asked.get("run")).run
    media = media_index(run, asked)
    frame = whole(asked, "frame", run.media[media].patch_grid[0])
    found = tower_statistics(run, media=media, frame=frame)
    return {
        "distance": packed(found.distance),
        "entropy": packed(found.entropy),
        "own": packed(found.own),
        "even_distance": found.even_distance,
        "even_entropy": found.even_entropy,
        "queries": len(found.queries),
    }


def vision_places(look: Look, asked: Mapping[str, Any]) -> dict[str, Any]:
    """How alike the position code holds a patch and every other of its frame, (rows, columns), -1 to 1."""
    run = look(asked.get("run")).run
    media, patch, place = _patch(run, asked)
    values = run.position_similarity(patch=patch, media=media)
    return {
        "place": place,
        "grid": [1, *values.shape],
        "values": packed(values),
        "least": float(values.min()),
        "most": float(values.max()),
        "stretched": _table_side(run, values.shape[0]),
    }


def _patch(run: Any, asked: Mapping[str, Any]) -> tuple[int, int, int]:
    """The media, the patch in it, and the patch's place within its frame."""
    media = media_index(run, asked)
    frames, height, width = run.media[media].patch_grid
    patch = whole(asked, "patch", frames * height * width)
    return media, patch, patch % (height * width)


def _table_side(run: Any, side: int) -> int | None:
    """The side of a table of places that was stretched to the grid; None where nothing was."""
    own = getattr(run.config.vision, "position_side", side)
    return None if own == side else own
