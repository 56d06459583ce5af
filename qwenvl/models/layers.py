"""Defines what both models share: the norm, the attention, and the decoder's cache.

Knows tensors only. There is one attention, always fused; it names its queries and keys and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from qwenvl.models.trace import Causal, Mask, Segments, Tap


class RMSNorm(nn.Module):
    """x / rms(x) in float32, back in the dtype of x, times a weight."""

    def __init__(self, dim: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """(..., dim) to (..., dim)."""
        wide = x.float()
        wide = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps)
        return self.weight * wide.to(x.dtype)


class Attend(nn.Module):
    """softmax(q k^T / sqrt(head_dim)) v, fused. The taps `q` and `k` are all the instrumentation there is."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k = Tap(), Tap()

    def forward(self, q: Tensor, k: Tensor, v: Tensor, mask: Mask | None = None) -> Tensor:
        """Mix values.

        Args:
            q: (batch, heads, queries, head_dim), position already in it.
            k, v: (batch, kv_heads, keys, head_dim), cached ones first.
            mask: a description; None lets every query see every key.

        Returns:
            (batch, queries, heads * head_dim).
        """
        q, k = self.q(q), self.k(k)
        return attend(q, k, v, mask).transpose(1, 2).flatten(2)

    def describe_mask(self, q: Tensor, k: Tensor, v: Tensor, mask: Mask | None = None) -> Mask | None:
        """The mask among the arguments of `forward`, for whoever rebuilds a row."""
        return mask


def on_rows(product: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """A product with a table for every last dimension of x: (..., dim) to (..., rows), as one of two matrices.

    A slice of the last tokens keeps the strides of the whole prompt, which PyTorch takes for a batch that cannot be
    folded into one matrix: in bfloat16 it then copies the table, once for each row of the batch.
    """
    return product(x.reshape(-1, x.shape[-1])).unflatten(0, x.shape[:-1])


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Mask | None) -> Tensor:
    """Fused attention under a described mask, (batch, heads, queries, head_dim)."""
    if mask is None:
        return fused(q, k, v)
    if mask.edited:
        return _attend_dense(q, k, v, mask)
    if isinstance(mask, Segments):
        return _attend_segments(q, k, v, mask.lengths)
    if isinstance(mask, Causal):
        return _attend_causal(q, k, v, mask.pads)
    return fused(q, k, v)


def fused(q: Tensor, k: Tensor, v: Tensor, *, causal: bool = False, dense: Tensor | None = None) -> Tensor:
    """PyTorch's fused attention; grouped key heads are read in place."""
    return F.scaled_dot_product_attention(
        q, k, v, attn_mask=dense, is_causal=causal, enable_gqa=q.shape[1] != k.shape[1]
    )


def _attend_segments(q: Tensor, k: Tensor, v: Tensor, lengths: tuple[int, ...]) -> Tensor:
    """One fused call for each run of equal lengths: a segment becomes a row of the batch."""
    parts, start = [], 0
    for length, run in groupby(lengths):
        stop = start + length * len(list(run))
        rows = (x[0, :, start:stop].unflatten(1, (-1, length)).transpose(0, 1) for x in (q, k, v))
        parts.append(fused(*rows).transpose(0, 1).flatten(1, 2))
        start = stop
    return torch.cat(parts, dim=1)[None] if len(parts) > 1 else parts[0][None]


def _attend_causal(q: Tensor, k: Tensor, v: Tensor, pads: tuple[int, ...]) -> Tensor:
    if any(pads):
        return torch.cat([_attend_padded(q[i, None], k[i, None], v[i, None], pad) for i, pad in enumerate(pads)])
    num_queries, num_keys = q.shape[2], k.shape[2]
    if num_queries == 1:
        return _attend_one(q, k, v)
    if num_queries == num_keys:
        return fused(q, k, v, causal=True)
    rows = torch.arange(num_keys - num_queries, num_keys, device=q.device)
    return fused(q, k, v, dense=Causal().visible(rows, num_keys))  # several new tokens after a cache: (new, keys)


def _attend_one(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """One new token sees all keys: the query heads that share a key head are queries of one call, so that its keys are
    read once and not once for each (bfloat16 on a CPU, 2,048 keys of the 2B: 5.4 -> .36 ms; float32 1.1 -> .29)."""
    grouped = q.squeeze(2).unflatten(1, (k.shape[1], -1))
    return fused(grouped, k, v).flatten(1, 2)[:, :, None]


def _attend_padded(q: Tensor, k: Tensor, v: Tensor, pad: int) -> Tensor:
    """One row without its padding; padded queries get zeros, which nobody reads."""
    padded_queries = max(pad - (k.shape[2] - q.shape[2]), 0)
    real = _attend_causal(q[:, :, padded_queries:], k[:, :, pad:], v[:, :, pad:], ())
    return F.pad(real, (0, 0, padded_queries, 0))


def _attend_dense(q: Tensor, k: Tensor, v: Tensor, mask: Mask) -> Tensor:
    """Only for interventions: the description written out, once for all heads that share it."""
    groups = mask.of_heads(q.shape[1])
    if len(groups) == 1:
        return fused(q, k, v, dense=_written_out(q, k, groups[0][1]))
    mixed, of_a_key = torch.empty_like(q), q.shape[1] // k.shape[1]
    for heads, shared in groups:
        read = [head // of_a_key for head in heads]
        mixed[:, heads] = attend(q[:, heads], k[:, read], v[:, read], shared)
    return mixed


def _written_out(q: Tensor, k: Tensor, mask: Mask) -> Tensor:
    """What is added to the scores, (batch, 1, queries, keys), or which of them count, where nothing is scaled."""
    num_queries, num_keys = q.shape[2], k.shape[2]
    rows = torch.arange(num_keys - num_queries, num_keys, device=q.device)
    seen = torch.stack([mask.visible(rows, num_keys, row) for row in range(q.shape[0])])[:, None]
    if not mask.scaled:
        return seen
    return mask.logarithms(num_keys, q.device).to(q.dtype).where(seen, -torch.inf)


class BlockCache:
    """Keys and values of one decoder block so far; grows in place."""

    def __init__(self) -> None:
        self.length = 0
        self._keys: Tensor | None = None
        self._values: Tensor | None = None

    def append(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Add (batch, kv_heads, new, head_dim); returns all so far, (batch, kv_heads, keys, head_dim)."""
        end = self.length + k.shape[2]
        self._keys, self._values = self._room(self._keys, k, end), self._room(self._values, v, end)
        self._keys[:, :, self.length : end] = k
        self._values[:, :, self.length : end] = v
        self.length = end
        return self._keys[:, :, :end], self._values[:, :, :end]

    def _room(self, held: Tensor | None, new: Tensor, end: int) -> Tensor:
        if held is not None and end <= held.shape[2]:
            return held
        grown = new.new_empty(*new.shape[:2], end + max(end // 4, 64), new.shape[3])
        if held is not None:
            grown[:, :, : self.length] = held[:, :, : self.length]
        return grown


class KVCache:
    """What decoding carries from one forward pass to the next: a `BlockCache` each block, and where the tokens stand.

    `position_offset` (batch, 1) is what a Qwen2-VL row adds to its count of tokens to get the next id; `ntk_alpha` is
    the stretch that a Qwen-VL prompt was read with; `pads` are the left pads of each row.
    """

    def __init__(self, num_blocks: int) -> None:
        self.blocks = [BlockCache() for _ in range(num_blocks)]
        self.position_offset: Tensor | None = None
        self.ntk_alpha: float | None = None
        self.pads: tuple[int, ...] = ()

    def __len__(self) -> int:
        """Tokens held."""
        return self.blocks[0].length

    def __bool__(self) -> bool:
        """An empty cache is still a cache: without this, `if cache` would ask for its length."""
        return True


def left_pads(attention_mask: Tensor | None) -> tuple[int, ...]:
    """How many padded slots each row of a mask (batch, tokens) begins with; () when there are none.

    Raises:
        ValueError: a hole or padding on the right: pad on the left, or ask one row at a time.
    """
    if attention_mask is None or bool(attention_mask.bool().all()):
        return ()
    real = attention_mask.bool()
    if bool((real[:, :-1] & ~real[:, 1:]).any()):
        raise ValueError("attention_mask has padding after a token; pad rows on the left.")
    return tuple((~real).sum(dim=1).tolist())
