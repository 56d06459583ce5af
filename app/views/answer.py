"""Answers the Answer view beyond a row: statistics by layer and head, columns, agreement of both maps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch

from app.views import rows
from app.views.contract import Look
from qwenvl.analysis.columns import place_reading
from qwenvl.analysis.map_agreement import agreement as agree
from qwenvl.analysis.row_statistics import own_grid
from qwenvl.errors import RunError

READERS = 5  # of each patch
STRONGEST = 6  # rows named beside a column
MAX_CELLS = 1 << 16

Asked = Mapping[str, Any]


def maps_ahead(look: Look, asked: Asked) -> dict[str, Any]:
    """{"run", "each", ...}: several maps at once, see `rows.maps`."""
    finished = look(asked.get("run"))
    return rows.maps(finished.run, finished.letter, asked)


def statistics(look: Look, asked: Asked) -> dict[str, Any]:
    """{"run", "query", "why", "media"}: the figures of one row for every layer and head, `Run.statistics`."""
    run = look(asked.get("run")).run
    row, media = rows.row_index(run, asked), rows.media_index(run, asked)
    found = run.statistics(row, media)
    names = ("share", "entropy", "distance", "sinks")
    figures = {"even_entropy": found.even_entropy, "even_distance": found.even_distance}
    return {"row": row, **{name: rows.packed(getattr(found, name)) for name in names}, **figures}


def patch_readers(look: Look, asked: Asked) -> dict[str, Any]:
    """{"run", "media", "head"}: for every patch the adapter queries that read it most, and their weights.

    "queries" and "weights" are (patches, 5), the strongest first.
    """
    run = look(asked.get("run")).run
    media, head = rows.adapter_media(run, asked), rows.choice(asked, "head", run.num_heads("adapter"))
    frames = range(run.media[media].patch_grid[0])
    best = [run.adapter_matrix(media=media, frame=frame, head=head).topk(READERS, dim=0) for frame in frames]
    count = math.prod(run.media[media].token_grid[1:])
    queries = torch.cat([one.indices.T + frame * count for frame, one in enumerate(best)])
    return {"queries": rows.packed(queries), "weights": rows.packed(torch.cat([one.values.T for one in best]))}


def reading(look: Look, asked: Asked) -> dict[str, Any]:
    """{"run", "key" or "cells", "layer", "head", "media"}: how much every row gives to a token, or to cells of a map.

    "values" has one entry a token, its row's weight; 0 for rows that come before the key. "tokens" are those of the
    media's visual tokens' rows, "strongest" the rows that give most, the key's own aside.
    """
    run = look(asked.get("run")).run
    layer, head = rows.cell_of(run, "language", asked)
    if "cells" in asked:
        values, own = _of_cells(run, asked, layer, head), set[int]()
    else:
        key = rows.whole(asked, "key", len(run.tokens))
        column = run.column("language", key=key, layer=layer, head=head)
        values, own = torch.cat((torch.zeros(key), column)), {key}
    order = [row for row in values.argsort(descending=True, stable=True).tolist() if row not in own]
    strongest = [row for row in order[:STRONGEST] if values[row] > 0]
    places = run.visual[rows.media_index(run, asked)] if run.media else torch.zeros(0, dtype=torch.int64)
    return {"values": rows.packed(values), "tokens": rows.packed(values[places]), "strongest": strongest}


def _of_cells(run: Any, asked: Asked, layer: rows.Choice, head: rows.Choice) -> torch.Tensor:
    media, cells = rows.media_index(run, asked), asked["cells"]
    count = math.prod(own_grid(run, media))
    if not isinstance(cells, list) or not 0 < len(cells) <= MAX_CELLS:
        raise RunError(f"cells must be a list of 1 to {MAX_CELLS:,} cells: choose fewer.")
    for cell in cells:
        if isinstance(cell, bool) or not isinstance(cell, int) or not 0 <= cell < count:
            raise RunError(f"cells must be whole numbers from 0 to {count - 1:,}: choose others.")
    return place_reading(run, cells, layer=layer, head=head, media=media)


def agreement(look: Look, asked: Asked) -> dict[str, Any]:
    """{"one": a map, "two": a map}, each as `rows.map_row` takes it: whether they agree (`analysis.map_agreement`).

    "iou" is None where one of them has nothing on the picture.
    """
    maps, sizes = [], []
    for name in ("one", "two"):
        part = asked.get(name)
        if not isinstance(part, dict):
            raise RunError("Two maps are compared: ask for one and two.")
        run = look(part.get("run")).run
        maps.append(rows.own_cells(run, part))
        sizes.append(run.media[rows.media_index(run, part)].size)
    if sizes[0] != sizes[1]:
        raise RunError("These maps are of two different pictures: choose the same picture in both models.")
    found = agree(maps[0], maps[1], sizes[0])
    if found is None:
        return {"iou": None, "js_distance": None}
    packed = {name: rows.packed(getattr(found, name)) for name in ("xs", "ys", "difference")}
    figures = {"iou": found.iou, "js_distance": found.js_distance, "half_pixels": list(found.half_pixels)}
    return {**figures, **packed, "max": float(found.difference.abs().max())}
