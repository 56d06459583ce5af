"""How far a vision tower looks: the mean attention distance of each layer and head.

The distance between two patches is that of their centres on the patch grid, in patches; a row's distance is its keys'
mean, weighted by attention (Dosovitskiy et al., 2021, section 4.5 and figure 7).
"""

from __future__ import annotations

import torch
from torch import Tensor

from qwenvl.run import Run

QUERIES = 64  # rows taken of each picture or frame, evenly spread


def vision_distances(run: Run, *, media: int = 0, queries: int = QUERIES) -> Tensor:
    """Mean attention distance in patches, float32 (layers, heads).

    Args:
        media: whose patches; of a clip the first frame or temporal patch.
        queries: how many rows to average, evenly spread over the picture; all of them where it has no more.

    Raises:
        RunError: as `Run.attention`.
    """
    _, rows, columns = run.media[media].patch_grid
    count = min(queries, rows * columns)
    chosen = torch.linspace(0, rows * columns - 1, count).round().to(torch.int64).tolist()
    distances = torch.stack([distances_from(patch, rows, columns) for patch in chosen])
    layers = []
    for layer in range(run.num_layers("vision")):
        weights = torch.stack(
            [run.attention("vision", media=media, layer=layer, query=patch).cpu() for patch in chosen]
        )
        layers.append((weights * distances[:, None]).sum(dim=-1).mean(dim=0))
    return torch.stack(layers)


def distances_from(patch: int, rows: int, columns: int) -> Tensor:
    """From one patch to each patch of its grid, in patches, (rows * columns,)."""
    row, column = divmod(patch, columns)
    down, right = torch.arange(rows) - row, torch.arange(columns) - column
    return torch.hypot(down[:, None].float(), right[None].float()).flatten()


def even_distance(rows: int, columns: int) -> float:
    """What the mean distance would be if every patch looked at all alike: the figure to hold the others against."""
    every = torch.stack([distances_from(patch, rows, columns) for patch in range(rows * columns)])
    return float(every.mean())
