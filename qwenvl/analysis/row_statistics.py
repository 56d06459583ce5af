"""Computes one number per row of attention: share on the picture, entropy, distance, share on sinks.

Each is computed for every layer and head of the language model at once, exactly, from the queries and keys of a run.
They are what one asks before looking at a map: which layer, which head?

A map's *own cells* are those the model itself has: patches for Qwen-VL, whose queries are no places, so that its row is
pulled through the adapter (mean of its heads), and visual tokens for Qwen2-VL.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from qwenvl.analysis.sinks import sink_mask
from qwenvl.recorded.rows import Head, Layer, RunRows
from qwenvl.summaries import Summary

Box = tuple[float, float, float, float]


@dataclass(frozen=True, repr=False)
class RowStatistics(Summary):
    """Of one row, float32 (layers, heads) each.

    Attributes:
        share: of the row on the visual tokens of all media, 0..1.
        entropy: of its map on one media, in bits, the map scaled to sum to 1: 0 where one cell holds all,
            `even_entropy` where all cells are equal, not a number where the row has nothing on this media.
        distance: how far the map spreads, in pixels of the original: the mean distance of its cells' centres from the
            map's own centre of mass, weighted by the map; `even_distance` for an even map. Frames of a clip lie on top
            of each other.
        sinks: share of the row on the sinks of its layer (`qwenvl.analysis.sinks`), wherever they stand in the prompt.
    """

    share: Tensor
    entropy: Tensor
    distance: Tensor
    sinks: Tensor
    even_entropy: float
    even_distance: float


def row_statistics(run: RunRows, *, query: int, media: int = 0) -> RowStatistics:
    """The statistics of a token's row, for every layer and head.

    Raises:
        RunError: there is no such token or media, or layers that were not kept and no pipeline to replay them.
    """
    media, query = run.check_media(media), run.check_token(query)
    centres = cell_centres(run, media)
    entropies, distances, on_sinks = [], [], []
    for layer in range(run.num_layers("language")):
        row = run.attention("language", layer=layer, query=query).cpu()
        whole = torch.zeros(len(row), len(run.tokens))
        whole[:, : query + 1] = row
        cells = on_own_cells(run, whole[:, run.visual[media]], media)
        entropies.append(entropy(cells))
        distances.append(spread_distance(cells, centres))
        on_sinks.append(whole[:, sink_mask(run, layer)].double().sum(dim=-1).float())
    even = torch.ones(1, len(centres))
    return RowStatistics(
        share=run.shares(query),
        entropy=torch.stack(entropies),
        distance=torch.stack(distances),
        sinks=torch.stack(on_sinks),
        even_entropy=float(entropy(even)),
        even_distance=float(spread_distance(even, centres)),
    )


def entropy(cells: Tensor) -> Tensor:
    """Bits of maps (..., cells), each scaled to sum to 1; not a number for a map of zeros."""
    shares = cells.double() / cells.double().sum(dim=-1, keepdim=True)
    bits = torch.special.entr(shares).sum(dim=-1) / math.log(2)
    return bits.clamp(min=0).float()


def spread_distance(cells: Tensor, centres: Tensor, point: Tensor | None = None) -> Tensor:
    """Mean distance of maps (..., cells) from a point, in the unit of `centres` (cells, 2).

    Args:
        point: (2,), or None for each map's own centre of mass.
    """
    shares = cells.double() / cells.double().sum(dim=-1, keepdim=True)
    middle = shares @ centres.double() if point is None else point.double()
    away = torch.linalg.vector_norm(centres.double() - middle.unsqueeze(-2), dim=-1)
    return (shares * away).sum(dim=-1).float()


def own_grid(run: RunRows, media: int) -> tuple[int, int, int]:
    """The grid (t, h, w) of a map's own cells."""
    item = run.media[run.check_media(media)]
    return item.patch_grid if "adapter" in run.sites else item.token_grid


def on_own_cells(run: RunRows, weights: Tensor, media: int, adapter_head: Head = "mean") -> Tensor:
    """Weights on a media's visual tokens (..., tokens) as maps on its own cells (..., cells)."""
    if "adapter" not in run.sites:
        return weights
    frames = run.adapter_matrices(media, adapter_head)
    parts = weights.unflatten(-1, (len(frames), -1)).unbind(dim=-2)
    return torch.cat([part @ matrix for part, matrix in zip(parts, frames, strict=True)], dim=-1)


def own_map(
    run: RunRows, *, query: int, layer: Layer = "mean", head: Head = "mean", adapter_head: Head = "mean", media: int = 0
) -> Tensor:
    """A token's map on the media's own cells, float32 (t, h, w); arguments and errors as `Run.image_map`."""
    weights = run.token_weights(query=query, layer=layer, head=head, media=media)
    return on_own_cells(run, weights, media, adapter_head).view(own_grid(run, media))


def cell_centres(run: RunRows, media: int) -> Tensor:
    """Centres of a media's own cells in pixels of the original, (cells, 2) as (x, y)."""
    t, h, w = own_grid(run, media)
    width, height = run.media[run.check_media(media)].size
    x, y = (torch.arange(w) + 0.5) * width / w, (torch.arange(h) + 0.5) * height / h
    plane = torch.stack([x.expand(h, w), y[:, None].expand(h, w)], dim=-1)
    return plane.expand(t, h, w, 2).reshape(-1, 2)


def fewest_cells(values: Tensor, part: float = 0.5) -> list[int]:
    """The fewest cells that together hold a part of the sum, largest first; none where there is nothing to hold."""
    ordered, order = values.flatten().double().sort(descending=True, stable=True)
    total = ordered.sum()
    if total <= 0:
        return []
    needed = int((ordered.cumsum(0) < total * part).sum()) + 1
    return order[:needed].tolist()


def region_share(cells: Tensor, box: Box) -> float:
    """The sum of a map over a rectangle of the picture; a cell that the edge cuts counts by the part inside.

    Args:
        cells: (t, h, w) or (h, w), which covers the picture evenly.
        box: left, top, right, bottom, each 0..1 of the picture.
    """
    left, top, right, bottom = box
    down, across = inside(cells.shape[-2], top, bottom), inside(cells.shape[-1], left, right)
    return float((cells.double() * down[:, None] * across).sum())


def inside(count: int, start: float, end: float) -> Tensor:
    """Which part of each of `count` equal cells of 0..1 lies between start and end, float64 (count,)."""
    edges = torch.arange(count + 1, dtype=torch.float64) / count
    return ((edges[1:].clamp(max=end) - edges[:-1].clamp(min=start)) * count).clamp(min=0, max=1)
