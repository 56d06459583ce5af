"""Rebuilds every row of attention of a layer at once, where the whole of it fits a size that was asked for."""

from __future__ import annotations

import torch
from torch import Tensor

from qwenvl.errors import RunError, Sentence
from qwenvl.models.trace import attention_rows
from qwenvl.recorded.rows import Head, RunRows, pick_head

MOST_BYTES = 1 << 28  # of the rows of one layer, as they are returned
ROWS_AT_ONCE = 64


def whole_layer(
    run: RunRows,
    site: str,
    *,
    layer: int | None = None,
    head: Head = None,
    media: int = 0,
    max_bytes: int = MOST_BYTES,
) -> Tensor:
    """Every row of a layer, exact; see `Run.attention`.

    Returns:
        float32 (heads, queries, keys), or (queries, keys) for one head or the mean. Of "language" queries and keys are
        the tokens, and what a token does not see is 0; of the others keys are the patches of a query's own segment.

    Raises:
        RunError: as `Run.attention`, or more than `max_bytes`.
    """
    layer, head = run.check_layer(site, layer), run.check_head(site, head)
    media = media if site == "language" else run.check_media(media)
    queries, keys = _shape(run, site, media)
    heads = run.num_heads(site) if head is None else 1
    if (size := 4 * heads * queries * keys) > max_bytes:
        raise RunError(
            Sentence.of(
                "All rows of this layer take {size} MiB and {most} are allowed: ask for one head, for one query, or "
                "with a larger max_bytes.",
                size=f"{size >> 20:,}",
                most=f"{max_bytes >> 20:,}",
            )
        )
    q, k = run.taps(site, layer)
    whole = torch.zeros(*([heads] if head is None else []), queries, keys)
    segment = _segment(run, site, media, queries)
    for start in range(0, queries, segment):
        for first in range(start, min(start + segment, queries), ROWS_AT_ONCE):
            some = list(range(first, min(first + ROWS_AT_ONCE, start + segment, queries)))
            if site == "language":
                rows = attention_rows(q, k, some, run.mask(layer))[0]
            elif site == "vision":
                rows = run.maps.vision_rows(q, k, media, some)
            else:
                rows = run.maps.adapter_rows(q, k, media, some)
            whole[..., first : first + len(some), :] = pick_head(rows, head).float().cpu()
    return whole


def _shape(run: RunRows, site: str, media: int) -> tuple[int, int]:
    """Queries and keys of a layer."""
    if site == "language":
        return len(run.tokens), len(run.tokens)
    _, h, w = run.media[media].patch_grid
    if site == "vision":
        return run.media[media].num_patches, h * w
    return run.maps.num_adapter_queries(media), h * w


def _segment(run: RunRows, site: str, media: int, queries: int) -> int:
    """Queries that share their keys."""
    return queries if site == "language" else queries // run.media[media].patch_grid[0]
