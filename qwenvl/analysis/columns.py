"""Rebuilds columns of attention: how much every row gives to one key, or to a weighted set of keys.

A row says where one token looks; a column says who looks at one token. It is rebuilt from the same queries and keys as
a row is, a few rows at a time, so that no tokens x tokens array is ever held.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from qwenvl.models.trace import Causal, attention_rows
from qwenvl.recorded.indices import check_index, check_indices
from qwenvl.recorded.maps import row_chunks
from qwenvl.recorded.rows import Head, Layer, RunRows, pick_head


def column(
    run: RunRows, site: str, *, key: int, layer: Layer | None = None, head: Head = None, media: int = 0
) -> Tensor:
    """The weight that one key has in every row that may see it, exact.

    Args:
        site: "language": `key` is a token, rows are those of this token and of every later one. "vision": a patch of
            `media`, rows are the patches of its own segment. "adapter": a patch of `media`, rows are the adapter
            queries of its frame.
        layer: of the site, or "mean" over all (language alone); the adapter has only layer 0.
        head: None for all, "mean" for their mean, or one of them.

    Returns:
        float32 (heads, rows), or (rows,) for one head or the mean; for "language" rows are `len(run.tokens) - key`.

    Raises:
        RunError: as `Run.attention`, for a key that is none.
    """
    head = run.check_head(site, head)
    if site == "language":
        key, wanted = run.check_token(key), torch.zeros(len(run.tokens))
        wanted[key] = 1.0
        return reading(run, wanted, layer=run.check_layer_or_mean(layer), head=head)[..., key:]
    q, k = run.taps(site, run.check_layer(site, layer if layer != "mean" else None))
    media = run.check_media(media)
    patch = check_index(key, run.media[media].num_patches, "patch", owner=run.media[media].name)
    return pick_head(run.maps.column(q, k, site, media, patch), head)


def reading(run: RunRows, weights: Tensor, *, layer: Layer, head: Head = "mean") -> Tensor:
    """How much every row gives to a set of keys: each row's attention times `weights`, summed.

    With a weight of 1 on some visual tokens it is what each token gives to a region; with a column of the adapter's
    matrix on Qwen-VL's 256 queries, what it gives to one patch through the adapter.

    Args:
        weights: float32 (tokens,), of each key.
        layer: of the language model, or "mean" over all.
        head: None for all, "mean", or one of them.

    Returns:
        float32 (heads, tokens), or (tokens,) for one head or the mean; rows before the first weighted key are 0.
    """
    head, layer = run.check_head("language", head), run.check_layer_or_mean(layer)
    if layer == "mean":
        taps = enumerate(run.all_taps("language"))
        layers = [_reading(q, k, weights, run.mask(one)) for one, (q, k) in taps]
        return pick_head(torch.stack(layers).mean(dim=0), head)
    q, k = run.taps("language", layer)
    mask = run.mask(layer)
    if isinstance(head, int) and not mask.edited:
        return _reading(q, k, weights, mask, head)[0]
    return pick_head(_reading(q, k, weights, mask), head)


def place_reading(
    run: RunRows,
    cells: Sequence[int],
    *,
    layer: Layer,
    head: Head = "mean",
    adapter_head: Head = "mean",
    media: int = 0,
) -> Tensor:
    """How much every row gives to cells of a media, as its maps draw them: patches for Qwen-VL, through the adapter,
    and visual tokens for Qwen2-VL.

    Returns:
        float32 (tokens,), or (heads, tokens) for `head=None`: entry i is the sum of the map of row i over `cells`.

    Raises:
        RunError: as `Run.attention`, for a cell that is none.
    """
    media, weights = run.check_media(media), torch.zeros(len(run.tokens))
    weights[run.visual[media]] = _cell_weights(run, cells, adapter_head, media)
    return reading(run, weights, layer=layer, head=head)


def _cell_weights(run: RunRows, cells: Sequence[int], adapter_head: Head, media: int) -> Tensor:
    """What each visual token passes on to these cells."""
    if "adapter" not in run.sites:
        weights = torch.zeros(len(run.visual[media]))
        weights[list(check_indices(cells, len(weights), "visual token", owner=run.media[media].name))] = 1.0
        return weights
    t, h, w = run.media[media].patch_grid
    wanted = torch.zeros(t * h * w)
    wanted[list(check_indices(cells, t * h * w, "patch", owner=run.media[media].name))] = 1.0
    frames = run.adapter_matrices(media, adapter_head)
    return torch.cat([matrix @ part for matrix, part in zip(frames, wanted.view(t, h * w), strict=True)])


def _reading(q: Tensor, k: Tensor, weights: Tensor, mask: Causal, head: int | None = None) -> Tensor:
    """(heads, tokens) of a decoder layer, one head of it as (1, tokens), of a mask that is alike in all."""
    if head is not None:
        group = q.shape[1] // k.shape[1]
        q, k = q[:, head, None], k[:, head // group, None]
    weights = weights.to(k.device)
    found = torch.zeros(q.shape[1], q.shape[2])
    if not weights.any():
        return found
    first = int(weights.nonzero()[0])
    for rows in row_chunks(range(first, q.shape[2]), q.shape[1] * k.shape[2]):
        attention = attention_rows(q, k, rows, mask)[0]
        found[:, rows[0] : rows[-1] + 1] = (attention @ weights).cpu()
    return found
