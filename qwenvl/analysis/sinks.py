"""Finds attention sinks: keys that draw a large share of most rows, whatever the row's token is.

The first token of a prompt is one in most decoders (Xiao et al., 2023, "Efficient streaming language models with
attention sinks"), and some visual tokens are (Kang et al., 2025, "See what you are told: visual attention sink in large
multimodal models"). What such a key receives says little about the query, so a map is often read with them set aside.

The definition here, of one layer of the language model: let w(i, j) be the weight that row i gives to key j, averaged
over the layer's heads, and 1 / (i + 1) the even share, what row i would give to each key if it gave all the same. Key j
is a *sink* where w(i, j) is at least `TIMES` even shares in at least `MOST` of the rows after it (its own row aside),
and there are at least `MIN_ROWS` of these. All rows are judged up to `MAX_ROWS`; of a longer run that many, evenly
spread, the last among them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from qwenvl.models.trace import Causal, attention_rows
from qwenvl.recorded.maps import row_chunks
from qwenvl.recorded.rows import Head, Layer, RunRows
from qwenvl.summaries import Summary

TIMES = 8.0
MOST = 0.75
MIN_ROWS = 16
MAX_ROWS = 512


@dataclass(frozen=True, repr=False)
class SinksAside(Summary):
    """A map with the sinks set aside: what is left, in shares of the whole row, nothing scaled up to make good.

    Attributes:
        values: float32 (t, h, w) on the patch grid.
        weights: float32 (visual tokens,), of those of this media that are no sinks; 0 for the others.
        removed: share of the row that falls on sinks, wherever they stand in the prompt.
        removed_here: share of the row that falls on sinks among this media's visual tokens.
        keys: the sinks among the keys of this row; of all layers together for `layer="mean"`.
    """

    values: Tensor
    weights: Tensor
    removed: float
    removed_here: float
    keys: list[int]


def find_sinks(q: Tensor, k: Tensor, mask: Causal = Causal()) -> Tensor:  # noqa: B008 - frozen
    """Which keys of a decoder layer are sinks, as this module defines them: bool (tokens,).

    Args:
        q, k: as a trace keeps them, (1, heads, tokens, head_dim) and (1, kv_heads, tokens, head_dim).
        mask: of an edited run.
    """
    tokens = q.shape[2]
    rows = judged_rows(tokens)
    reached, seen = torch.zeros(tokens), torch.zeros(tokens)
    keys = torch.arange(tokens)
    for some in row_chunks(rows, q.shape[1] * tokens):
        weights = attention_rows(q, k, some, mask)[0].mean(dim=0).cpu()
        length = torch.tensor(some)[:, None] + 1
        later = keys < length - 1
        reached += ((weights * length >= TIMES) & later).sum(dim=0)
        seen += later.sum(dim=0)
    return (seen >= MIN_ROWS) & (reached >= MOST * seen)


def judged_rows(tokens: int) -> list[int]:
    """The rows that are asked: all, or `MAX_ROWS` evenly spread with the first and the last among them."""
    if tokens <= MAX_ROWS:
        return list(range(tokens))
    return torch.linspace(0, tokens - 1, MAX_ROWS, dtype=torch.float64).round().to(torch.int64).tolist()


def sinks(run: RunRows, layer: int) -> list[int]:
    """The tokens of a run that are sinks of one layer of its language model, in order.

    Raises:
        RunError: there is no such layer, or it was not kept and there is no pipeline to replay it.
    """
    return sink_mask(run, layer).nonzero().flatten().tolist()


def sink_mask(run: RunRows, layer: int) -> Tensor:
    """The same as bool (tokens,); a run remembers each layer's."""
    layer = run.check_layer("language", layer)
    return run.remember(("sinks", layer), lambda: find_sinks(*run.taps("language", layer), run.mask(layer)))


def map_without_sinks(
    run: RunRows, *, query: int, layer: Layer = "mean", head: Head = "mean", adapter_head: Head = "mean", media: int = 0
) -> SinksAside:
    """Where on a media a token's row falls once the sinks of each layer are set aside.

    A visual token that is a sink of a layer counts 0 in that layer; in Qwen-VL it is an adapter query, set aside before
    the pull-back. Arguments and errors as `Run.image_map`.
    """
    query, layer, media = run.check_token(query), run.check_layer_or_mean(layer), run.check_media(media)
    layers = range(run.num_layers("language")) if layer == "mean" else [layer]
    here = run.visual[media]
    masks = [sink_mask(run, one) for one in layers]
    rows = [_whole_row(run, query, one, head) for one in layers]
    row = torch.stack([row.masked_fill(mask, 0) for row, mask in zip(rows, masks, strict=True)]).mean(dim=0)
    on_sinks = torch.stack([row * mask for row, mask in zip(rows, masks, strict=True)]).mean(dim=0).double()
    keys = torch.stack(masks).any(dim=0)[: query + 1].nonzero().flatten().tolist()
    values = run.spread(row[here], media=media, adapter_head=adapter_head)
    return SinksAside(values, row[here], float(on_sinks.sum()), float(on_sinks[here].sum()), keys)


def _whole_row(run: RunRows, query: int, layer: int, head: Head) -> Tensor:
    whole = torch.zeros(len(run.tokens))
    whole[: query + 1] = run.attention("language", layer=layer, query=query, head="mean" if head is None else head)
    return whole
