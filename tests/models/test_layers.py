"""Fused attention under every described mask against attention written out; the norm and the cache."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from qwenvl.models.layers import Attend, BlockCache, KVCache, RMSNorm, left_pads
from qwenvl.models.trace import Causal, Hidden, Mask, Segments, attention_rows
from tests.support.dense import dense_attention, dense_rows, seen_causally, seen_in_segments
from tests.support.goldens import assert_close

# Against float64, of values up to 10: fused kernels differ by 3e-6 and rows by 1e-6, more or less on each processor.
MIXED_LIMIT, ROW_LIMIT, SUM_LIMIT = 3e-5, 1e-5, 5e-6

LENGTHS = (4, 4, 6, 1, 3)
MASKS: dict[str, tuple[Mask | None, int, Tensor]] = {
    # description, number of keys (18 queries are the last of them), who sees whom
    "none": (None, 18, torch.ones(2, 18, 18, dtype=torch.bool)),
    "causal": (Causal(), 18, seen_causally(2, 18, 18)),
    "causal with pads": (Causal(pads=(5, 0)), 18, seen_causally(2, 18, 18, (5, 0))),
    "causal after a cache": (Causal(), 23, seen_causally(2, 18, 23)),
    "causal after a cache with pads": (Causal(pads=(3, 0)), 23, seen_causally(2, 18, 23, (3, 0))),
    "pads longer than the cache": (Causal(pads=(7, 1)), 23, seen_causally(2, 18, 23, (7, 1))),
    "segments": (Segments(lengths=LENGTHS), 18, seen_in_segments(LENGTHS)),
}


def queries_and_keys(num_keys: int, batch: int, num_queries: int = 18) -> tuple[Tensor, Tensor, Tensor]:
    """Six query heads on two key heads."""
    generator = torch.Generator().manual_seed(num_keys)
    shapes = ((batch, 6, num_queries, 8), (batch, 2, num_keys, 8), (batch, 2, num_keys, 8))
    q, k, v = (2 * torch.randn(shape, generator=generator) for shape in shapes)
    return q, k, v


@pytest.fixture(params=MASKS)
def masked(request: pytest.FixtureRequest) -> tuple[Mask | None, Tensor, tuple[Tensor, Tensor, Tensor]]:
    mask, num_keys, seen = MASKS[request.param]
    return mask, seen, queries_and_keys(num_keys, batch=len(seen))


def test_fused_attention_equals_attention_written_out(
    masked: tuple[Mask | None, Tensor, tuple[Tensor, Tensor, Tensor]],
) -> None:
    mask, seen, (q, k, v) = masked
    real = seen.any(dim=-1)
    assert_close(Attend()(q, k, v, mask)[real], dense_attention(q, k, v, seen)[real], MIXED_LIMIT)


def test_rows_equal_a_materialised_softmax_and_sum_to_one(
    masked: tuple[Mask | None, Tensor, tuple[Tensor, Tensor, Tensor]],
) -> None:
    mask, seen, (q, k, _) = masked
    real = seen.any(dim=-1)
    rows = attention_rows(q, k, range(18), mask)
    assert_close(rows.transpose(1, 2)[real], dense_rows(q, k, seen).transpose(1, 2)[real], ROW_LIMIT)
    assert_close(rows.double().sum(dim=-1), torch.ones(rows.shape[:-1]), SUM_LIMIT)


def test_hidden_keys_weigh_nothing_and_the_rest_is_as_written_out(
    masked: tuple[Mask | None, Tensor, tuple[Tensor, Tensor, Tensor]],
) -> None:
    mask, seen, (q, k, v) = masked
    num_keys, seen = k.shape[2], seen.clone()
    queries, keys = {num_keys - 1, num_keys - 6}, {0, num_keys - 3, num_keys - 7}
    for query in queries:
        for key in keys:
            seen[:, query - (num_keys - 18), key] = False
    blocked = replace(mask or Mask(), hidden=(Hidden(frozenset(queries), frozenset(keys)),))
    real = seen.any(dim=-1)
    assert_close(Attend()(q, k, v, blocked)[real], dense_attention(q, k, v, seen)[real], MIXED_LIMIT)
    rows = attention_rows(q, k, range(18), blocked)
    assert not rows[:, :, 17, sorted(keys)].any()
    assert_close(rows.transpose(1, 2)[real], dense_rows(q, k, seen).transpose(1, 2)[real], ROW_LIMIT)


def test_one_new_token_after_a_cache_sees_all_but_the_pads() -> None:
    q, k, v = queries_and_keys(23, batch=2, num_queries=1)
    seen = seen_causally(2, 1, 23, (4, 0))
    assert_close(Attend()(q, k, v, Causal(pads=(4, 0))), dense_attention(q, k, v, seen), MIXED_LIMIT)
    assert_close(attention_rows(q, k, [0], Causal(pads=(4, 0))), dense_rows(q, k, seen), ROW_LIMIT)


def test_rows_can_be_asked_in_any_order_and_from_the_end() -> None:
    q, k, _ = queries_and_keys(18, batch=1)
    every = attention_rows(q, k, range(18), Causal())
    assert_close(attention_rows(q, k, [7, -1, 7], Causal()), every[:, :, [7, 17, 7]], ROW_LIMIT)
    with pytest.raises(IndexError):
        attention_rows(q, k, [18], Causal())


def test_rows_of_half_precision_are_made_in_float32() -> None:
    q, k, _ = queries_and_keys(18, batch=1)
    rows = attention_rows(q.bfloat16(), k.bfloat16(), range(18))
    assert rows.dtype == torch.float32
    assert_close(rows, attention_rows(q.bfloat16().float(), k.bfloat16().float(), range(18)), 0)


# --- the norm ---


def test_the_norm_is_computed_in_float32_and_weighed_afterwards() -> None:
    norm = RMSNorm(64, eps=1e-6).bfloat16()
    norm.weight.data.fill_(1.5)
    x = torch.randn(3, 64, generator=torch.Generator().manual_seed(0)).bfloat16()
    wide = x.float()
    scaled = wide / (wide.pow(2).mean(dim=-1, keepdim=True) + 1e-6).sqrt()
    assert norm(x).dtype == torch.bfloat16
    alike = norm(x) == 1.5 * scaled.bfloat16()  # the last bit of a sum in float32 may turn a rounding
    assert alike.float().mean() > 0.98


def test_the_norm_of_small_values_shows_its_eps() -> None:
    x = torch.full((1, 4), 1e-3)
    assert_close(RMSNorm(4, eps=1e-6)(x), torch.full((1, 4), 0.5**0.5), 1e-6)


# --- the cache ---


def test_a_cache_gives_back_all_that_was_appended_in_order() -> None:
    cache, generator = BlockCache(), torch.Generator().manual_seed(0)
    parts = [torch.randn(2, 3, length, 4, generator=generator) for length in (1, 70, 1, 200, 1)]
    for count in range(1, 6):
        k, v = cache.append(parts[count - 1], 2 * parts[count - 1])
        assert torch.equal(k, torch.cat(parts[:count], dim=2))
        assert torch.equal(v, 2 * k)
    assert cache.length == 273


def test_an_empty_cache_is_still_a_cache() -> None:
    cache = KVCache(2)
    assert cache
    assert len(cache) == 0


# --- pads ---


@pytest.mark.parametrize(
    ("mask", "pads"),
    [
        (None, ()),
        ([[1, 1], [1, 1]], ()),
        ([[0, 1], [1, 1]], (1, 0)),
        ([[0, 0, 1], [0, 1, 1]], (2, 1)),
    ],
)
def test_left_pads_are_counted(mask: list[list[int]] | None, pads: tuple[int, ...]) -> None:
    assert left_pads(None if mask is None else torch.tensor(mask)) == pads


@pytest.mark.parametrize("row", [[1, 0, 1], [1, 1, 0], [0, 1, 0]])
def test_padding_after_a_token_is_refused(row: list[int]) -> None:
    with pytest.raises(ValueError, match="pad rows on the left"):
        left_pads(torch.tensor([[1, 1, 1], row]))
