"""Computes attention distance, entropy and share on itself per layer and head of the vision tower.

The distance between two patches is that of their centres on the patch grid, in patches; a row's distance is its keys'
mean, weighted by attention (Dosovitskiy et al., 2021, section 4.5 and figure 7).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from qwenvl.recorded.indices import check_index
from qwenvl.recorded.rows import RunRows
from qwenvl.summaries import Summary

QUERIES = 64  # rows taken of each picture or frame, evenly spread


@dataclass(frozen=True, repr=False)
class TowerStatistics(Summary):
    """Means over the rows of some patches of one segment, float32 (layers, heads) each.

    Attributes:
        distance: of the keys from the query, in patches.
        entropy: of a row, in bits.
        own: share of a row on the query itself.
        even_distance, even_entropy: what rows that look at all patches alike would have.
        queries: the patches whose rows were taken, on the segment's own grid.
    """

    distance: Tensor
    entropy: Tensor
    own: Tensor
    even_distance: float
    even_entropy: float
    queries: tuple[int, ...]


def tower_statistics(run: RunRows, *, media: int = 0, frame: int = 0, queries: int = QUERIES) -> TowerStatistics:
    """The statistics of every layer and head of the vision tower.

    Args:
        media: whose patches.
        frame: of a clip, which cell in time: a frame (Qwen-VL) or a temporal patch (Qwen2-VL).
        queries: how many rows to average, evenly spread over the picture; all of them where it has no more.

    Raises:
        RunError: no such media or frame; layers that were not kept and no pipeline to replay them.
    """
    media = run.check_media(media)
    frames, rows, columns = run.media[media].patch_grid
    frame = check_index(frame, frames, "frame", owner=run.media[media].name)
    patches = rows * columns
    chosen = torch.linspace(0, patches - 1, min(queries, patches)).round().to(torch.int64)
    away = torch.stack([distances_from(patch, rows, columns) for patch in chosen.tolist()])
    asked = (frame * patches + chosen).tolist()
    found = []
    for q, k in run.all_taps("vision"):
        weights = run.maps.vision_rows(q, k, media, asked).cpu()
        distance = (weights * away).sum(dim=-1).mean(dim=-1)
        entropy = torch.special.entr(weights).sum(dim=-1).mean(dim=-1) / math.log(2)
        own = weights[:, torch.arange(len(chosen)), chosen].mean(dim=-1)
        found.append((distance, entropy, own))
    distance, entropy, own = (torch.stack(values) for values in zip(*found, strict=True))
    even = float(away.mean()), math.log2(patches)
    return TowerStatistics(distance, entropy, own, *even, tuple(chosen.tolist()))


def distances_from(patch: int, rows: int, columns: int) -> Tensor:
    """From one patch to each patch of its grid, in patches, (rows * columns,)."""
    row, column = divmod(patch, columns)
    down, right = torch.arange(rows) - row, torch.arange(columns) - column
    return torch.hypot(down[:, None].float(), right[None].float()).flatten()
