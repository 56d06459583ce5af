"""Answers the Answer view beyond a row: statistics by layer and head, columns, agreement of both maps."""

from __future__ import annotations

import math
from typing import NotRequired, TypedDict

import torch
from torch import Tensor

from app.asking.posted import Posted, named
from app.asking.selection import Selection
from app.views import rows
from app.views.contract import Look, selected
from app.views.rows import MapRow, Packed, Shares, packed
from qwenvl.analysis.columns import place_reading
from qwenvl.analysis.map_agreement import agreement as agree
from qwenvl.errors import RunError

READERS = 5  # of each patch
STRONGEST = 6  # rows named beside a column
MAX_AHEAD = 64  # maps sent in one answer


class MapsAhead(TypedDict):
    """Several maps at once, and the shares of each token among them, by "queries"."""

    maps: list[MapRow]
    queries: list[int]
    shares: list[Shares]


class Statistics(TypedDict):
    """The figures of one row for every layer and head, (layers, heads) each; see `Run.statistics`."""

    row: int
    share: Packed
    entropy: Packed
    distance: Packed
    sinks: Packed
    even_entropy: float
    even_distance: float


class PatchReaders(TypedDict):
    """For every patch the adapter queries that read it most, and their weights, (patches, 5), the strongest first."""

    queries: Packed
    weights: Packed


class Reading(TypedDict):
    """What every row gives to a token, or to cells of a map.

    "values" has one entry per token, its row's weight; 0 for rows that come before the key. "tokens" are those of the
    media's visual tokens' rows, "strongest" the rows that give most, the key's own aside.
    """

    values: Packed
    tokens: Packed
    strongest: list[int]


class MapAgreement(TypedDict):
    """Whether two maps agree (`analysis.map_agreement`); "iou" is None where one of them has nothing on the picture."""

    iou: float | None
    js_distance: float | None
    half_pixels: NotRequired[list[float]]
    xs: NotRequired[Packed]
    ys: NotRequired[Packed]
    difference: NotRequired[Packed]
    max: NotRequired[float]


def maps_ahead(look: Look, posted: Posted) -> MapsAhead:
    """{"run", "each", ...}: what hovering over words and over the matrix needs, sent ahead.

    "each" is a list of choices, whose "query", "layer" and "head" stand in place of those that are posted beside it.
    """
    finished, each = look(posted.get("run")), posted.get("each")
    if not isinstance(each, list) or not 0 < len(each) <= MAX_AHEAD or not all(isinstance(one, dict) for one in each):
        raise RunError(f"each must be a list of 1 to {MAX_AHEAD} choices: ask for fewer.")
    changes = [{name: one[name] for name in ("query", "layer", "head") if name in one} for one in each]
    chosen = [Selection.of(finished, {**posted, **change, "also": []}) for change in changes]
    by_query = {one.chosen: one for one in chosen}
    return {
        "maps": [rows.map_row(one) for one in chosen],
        "queries": list(by_query),
        "shares": [rows.shares(one) for one in by_query.values()],
    }


def statistics(look: Look, posted: Posted) -> Statistics:
    """{"run", "query", "why", "media"}: see `Statistics`."""
    chosen = selected(look, posted)
    found = chosen.run.statistics(chosen.row, chosen.media)
    return {
        "row": chosen.row,
        "share": packed(found.share),
        "entropy": packed(found.entropy),
        "distance": packed(found.distance),
        "sinks": packed(found.sinks),
        "even_entropy": found.even_entropy,
        "even_distance": found.even_distance,
    }


def patch_readers(look: Look, posted: Posted) -> PatchReaders:
    """{"run", "media", "head"}: see `PatchReaders`."""
    chosen = selected(look, posted, "adapter")
    frames, count = range(chosen.item.patch_grid[0]), math.prod(chosen.item.token_grid[1:])
    best = [
        chosen.run.adapter_matrix(media=chosen.media, frame=frame, head=chosen.head).topk(READERS, dim=0)
        for frame in frames
    ]
    queries = torch.cat([one.indices.T + frame * count for frame, one in enumerate(best)])
    return {"queries": packed(queries), "weights": packed(torch.cat([one.values.T for one in best]))}


def reading(look: Look, posted: Posted) -> Reading:
    """{"run", "query" or "cells", "layer", "head", "media"}: see `Reading`."""
    chosen = selected(look, posted)
    values = column(chosen)
    order = [
        row for row in values.argsort(descending=True, stable=True).tolist() if chosen.cells or row != chosen.query
    ]
    strongest = [row for row in order[:STRONGEST] if values[row] > 0]
    run = chosen.run
    places = run.visual[chosen.media] if run.media else torch.zeros(0, dtype=torch.int64)
    return {"values": packed(values), "tokens": packed(values[places]), "strongest": strongest}


def column(chosen: Selection) -> Tensor:
    """What every row gives to the chosen cells, or to the chosen token where there are none, (tokens,)."""
    run, layer, head = chosen.run, chosen.layer, chosen.head
    if chosen.cells:
        return place_reading(run, list(chosen.cells), layer=layer, head=head, media=chosen.media).cpu()
    found = run.column("language", key=chosen.chosen, layer=layer, head=head).cpu()
    return torch.cat((torch.zeros(len(run.tokens) - len(found)), found))


def agreement(look: Look, posted: Posted) -> MapAgreement:
    """{"one", "two"}: two maps, each as `map` takes it; see `MapAgreement`."""
    if not all(isinstance(posted.get(name), dict) for name in ("one", "two")):
        raise RunError("Two maps are compared: ask for one and two.")
    one, two = selected(look, named(posted, "one")), selected(look, named(posted, "two"))
    if one.item.size != two.item.size:
        raise RunError("These maps are of two different pictures: choose the same picture in both models.")
    found = agree(rows.own_cells(one), rows.own_cells(two), one.item.size)
    if found is None:
        return {"iou": None, "js_distance": None}
    return {
        "iou": found.iou,
        "js_distance": found.js_distance,
        "half_pixels": list(found.half_pixels),
        "xs": packed(found.xs),
        "ys": packed(found.ys),
        "difference": packed(found.difference),
        "max": float(found.difference.abs().max()),
    }
