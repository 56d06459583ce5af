"""Attention written out, in float64 and without a line of ours: what rows and fused calls are compared with."""

from __future__ import annotations

import torch
from torch import Tensor


def dense_rows(q: Tensor, k: Tensor, seen: Tensor) -> Tensor:
    """softmax(q k^T / sqrt(head_dim)) of every query, where `seen` (batch, queries, keys) is true; float64."""
    k = k.double().repeat_interleave(q.shape[1] // k.shape[1], dim=1)
    scores = torch.einsum("bhqd,bhkd->bhqk", q.double(), k) / q.shape[-1] ** 0.5
    return scores.masked_fill(~seen[:, None], float("-inf")).softmax(dim=-1)


def dense_attention(q: Tensor, k: Tensor, v: Tensor, seen: Tensor) -> Tensor:
    """What every query reads, heads side by side: (batch, queries, heads * head_dim); float64."""
    v = v.double().repeat_interleave(q.shape[1] // v.shape[1], dim=1)
    return (dense_rows(q, k, seen) @ v).transpose(1, 2).flatten(2)


def seen_causally(batch: int, queries: int, keys: int, pads: tuple[int, ...] = ()) -> Tensor:
    """Who sees whom where the queries are the last of the keys, cell by cell."""
    seen = torch.zeros(batch, queries, keys, dtype=torch.bool)
    for row in range(batch):
        for query in range(queries):
            for key in range(keys):
                seen[row, query, key] = (pads[row] if pads else 0) <= key <= query + keys - queries
    return seen


def seen_in_segments(lengths: tuple[int, ...]) -> Tensor:
    """Who sees whom among packed segments, (1, tokens, tokens)."""
    return torch.block_diag(*(torch.ones(length, length) for length in lengths)).bool()[None]
