"""What a pass and a row may not do, whatever the machine: copy a table, copy keys for each query head, read back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from qwenvl.models.config import QWEN2_VL_2B, QWEN_VL
from qwenvl.models.layers import KVCache, attend
from qwenvl.models.qwen2_vl import Qwen2VL
from qwenvl.models.qwen_vl import QwenVL
from qwenvl.models.trace import CHUNK_OF_KEYS, Causal, Segments, Trace, attention_rows
from tests.support.dense import dense_attention, dense_rows
from tests.support.goldens import assert_close
from tests.support.operations import VALUELESS, Operations, batched_products_with_weights

VOCABULARY = 20_000
DTYPES = [torch.float32, torch.bfloat16]
Model = QwenVL | Qwen2VL


def qwen2_vl(num_blocks: int = 1, *, tied: bool = True) -> Qwen2VL:
    """Real rules, small widths and a vocabulary that outweighs everything else."""
    vision = replace(QWEN2_VL_2B.vision, dim=64, num_heads=2, mlp_dim=96, num_blocks=num_blocks)
    sizes: dict[str, Any] = {"vocab_size": VOCABULARY, "dim": 64, "num_blocks": num_blocks, "mlp_dim": 96}
    sizes |= {"num_heads": 4, "num_kv_heads": 1, "head_dim": 16, "rope_sections": (2, 3, 3), "tied": tied}
    config = replace(QWEN2_VL_2B, vision=vision, language=replace(QWEN2_VL_2B.language, **sizes))
    ids = {"vision_start_id": 10, "vision_end_id": 11, "image_token_id": 12, "video_token_id": 13}
    return Qwen2VL(replace(config, **ids)).requires_grad_(False).eval()


def qwen_vl(num_blocks: int = 1) -> QwenVL:
    """The same of Qwen-VL, with four adapter queries and a trained length that prompts here go beyond."""
    vision = replace(QWEN_VL.vision, image_size=56, dim=32, num_heads=2, mlp_dim=48, num_blocks=num_blocks)
    sizes: dict[str, Any] = {"vocab_size": VOCABULARY, "dim": 64, "num_blocks": num_blocks, "mlp_dim": 96}
    sizes |= {"num_heads": 4, "head_dim": 16, "train_length": 16}
    adapter = replace(QWEN_VL.adapter, num_queries=4, num_heads=4)
    language = replace(QWEN_VL.language, **sizes)
    config = replace(QWEN_VL, vision=replace(vision, position_side=4), adapter=adapter, language=language)
    return QwenVL(replace(config, image_start_id=10)).requires_grad_(False).eval()


BUILDERS = {
    "qwen2-vl, tied": qwen2_vl,
    "qwen2-vl, untied": lambda num_blocks=1: qwen2_vl(num_blocks, tied=False),
    "qwen-vl": qwen_vl,
}


@pytest.fixture(params=BUILDERS)
def family(request: pytest.FixtureRequest) -> str:
    return request.param


def prompt(model: Model, batch: int) -> dict[str, Tensor]:
    """A picture between text, as many times as rows."""
    if isinstance(model, QwenVL):
        ids = torch.tensor([[1, 2, 10, *[5] * 4, 11, *range(20, 40)]]).repeat(batch, 1)
        return {"input_ids": ids, "images": torch.zeros(batch, 3, 56, 56)}
    ids = torch.tensor([[1, 2, 10, *[12] * 4, 11, *range(20, 40)]]).repeat(batch, 1)
    grid = torch.tensor([[1, 4, 4]]).repeat(batch, 1)
    return {"input_ids": ids, "pixel_values": torch.zeros(batch * 16, 1176), "image_grid_thw": grid}


# --- the head and every other product ---


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("last", [1, 2, None])
def test_no_weight_is_copied_for_a_batch(family: str, dtype: torch.dtype, batch: int, last: int | None) -> None:
    model = BUILDERS[family]().to(dtype)
    with torch.no_grad(), Operations() as operations:
        cache = KVCache(1)
        model(**prompt(model, batch), cache=cache, last=last)
        model(input_ids=torch.full((batch, 2), 7), cache=cache, last=1)
    assert len(operations.readers_of(model.language.embed.weight)) >= 2
    assert batched_products_with_weights(model, operations) == []
    logits = batch * (last or 28) * VOCABULARY * dtype.itemsize
    assert operations.largest <= max(logits, 8 * batch * 28 * 96 * 4 * 16)


def test_the_check_sees_what_it_is_there_for() -> None:
    """A head on a slice of the last tokens, as it was once written, copies its table."""
    model = qwen2_vl().to(torch.bfloat16)
    states, table = torch.zeros(1, 28, 64, dtype=torch.bfloat16), model.language.embed.weight
    with torch.no_grad(), Operations() as operations:
        F.linear(states[:, -1:], table)
    assert batched_products_with_weights(model, operations) == ["language.embed.weight"]


def test_the_head_gives_the_plain_product(family: str) -> None:
    language = BUILDERS[family]().language
    states = torch.randn(2, 28, 64, generator=torch.Generator().manual_seed(0))
    weight = language.embed.weight if language.head is None else language.head.weight
    for part in (states, states[:, -1:], states[:1, -3:]):
        found = language.logits(part)
        summed = (part.double().abs() @ weight.double().abs().T).max().item()  # what rounding is measured by
        assert_close(found, part.double() @ weight.double().T, 2e-6 * summed)
        assert found.shape == (*part.shape[:2], VOCABULARY)


def test_pixels_of_pictures_alone_are_not_copied() -> None:
    model = qwen2_vl()
    given = prompt(model, 1)
    with torch.no_grad(), Operations() as operations:
        model(**given, last=1)
    pixels = given["pixel_values"].numel()
    copies = [one.name for one in operations.made if any(made.numel() == pixels for made in one.made)]
    assert [name for name in copies if "view" not in name] == []


# --- rows ---


def queries_and_keys(heads: int, kv_heads: int, keys: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(keys)
    return tuple(2 * torch.randn(1, n, keys, 16, generator=generator).to(dtype) for n in (heads, kv_heads))  # type: ignore[return-value]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("queries", [[-1], [5, 6, 7], [2, 700], list(range(0, 2000, 70))])
def test_rows_of_grouped_heads_equal_a_softmax_written_out(dtype: torch.dtype, queries: list[int]) -> None:
    q, k = queries_and_keys(6, 2, 2 * CHUNK_OF_KEYS + 100, dtype)
    rows = attention_rows(q, k, queries, Causal())
    places = torch.arange(k.shape[2])
    seen = (places <= places[queries][:, None])[None]
    assert_close(rows, dense_rows(q[:, :, queries].float(), k.float(), seen), 1e-5)
    assert_close(rows.double().sum(dim=-1), torch.ones(rows.shape[:-1]), 5e-6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_row_never_copies_keys_for_each_query_head(dtype: torch.dtype) -> None:
    heads, kv_heads, keys = 12, 2, 4 * CHUNK_OF_KEYS
    q, k = queries_and_keys(heads, kv_heads, keys, dtype)
    with torch.no_grad(), Operations() as operations:
        attention_rows(q, k, [keys - 1], Causal())
    converted = 0 if dtype is torch.float32 else kv_heads * CHUNK_OF_KEYS * 16 * 4
    assert operations.largest <= max(heads * keys * 4, converted)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_new_token_reads_the_keys_of_a_group_once(dtype: torch.dtype) -> None:
    q, k = queries_and_keys(12, 2, 500, dtype)
    with torch.no_grad(), Operations() as operations:
        mixed = attend(q[:, :, -1:], k, k, Causal())
    assert operations.largest < 12 * 500 * 16 * dtype.itemsize  # keys for each query head
    seen = torch.ones(1, 1, 500, dtype=torch.bool)
    expected = dense_attention(q[:, :, -1:].float(), k.float(), k.float(), seen)
    assert mixed.shape == (1, 12, 1, 16)
    assert_close(mixed.transpose(1, 2).flatten(2).float(), expected, 1e-5 if dtype is torch.float32 else 2e-2)


# --- a device that would have to be waited for ---


@pytest.mark.parametrize("traced", [False, True])
def test_no_layer_reads_anything_back(family: str, traced: bool) -> None:
    """All of a prompt's reads come before the first layer, so that their number does not grow with the layers."""
    with torch.no_grad(), torch.device(VALUELESS), Operations() as operations:
        model = BUILDERS[family](num_blocks=2)
        names = ("vision.blocks.*.attend.*", "language.blocks.*.attend.*") if traced else ("language.positions",)
        cache, states = KVCache(2), torch.empty(1, 28, 64)
        with Trace(model, *names) as trace:
            if isinstance(model, QwenVL):
                model.adapter(model.vision(torch.empty(2, 3, 56, 56)))
                model.language(states, torch.arange(28), 1.0, Causal(), cache)
            else:
                model.adapter(model.vision(torch.empty(32, 1176), [(1, 4, 4), (2, 2, 4)]))
                model.language(states, torch.zeros(3, 1, 28, dtype=torch.int64), Causal(), cache)
            cache.position_offset = torch.zeros(1, 1, dtype=torch.int64)
            model(input_ids=torch.empty(1, 1, dtype=torch.int64), cache=cache, last=1)
    assert {value.device.type for value in trace.values()} == {VALUELESS}
    assert len(operations.made) > 100
    assert operations.left_device == []


@pytest.mark.parametrize("mask", [None, Causal(), Causal(pads=(3, 0)), Segments(lengths=(40, 24))])
@pytest.mark.parametrize("queries", [[-1], [3, 4, 5], [1, 60]])
def test_no_row_reads_anything_back(mask: Any, queries: list[int]) -> None:
    q, k = (torch.empty(2, heads, 64, 16, dtype=torch.bfloat16, device=VALUELESS) for heads in (6, 2))
    with Operations() as operations:
        rows = attention_rows(q, k, queries, mask)
    assert (rows.device.type, rows.dtype, rows.shape) == (VALUELESS, torch.float32, (2, 6, len(queries), 64))
    assert operations.left_device == []


def test_a_device_without_values_refuses_to_be_read() -> None:
    value = torch.empty(3, device=VALUELESS)
    for read in (lambda: value.sum().item(), value.tolist, value.cpu, value.nonzero, lambda: bool(value.any())):
        with pytest.raises((RuntimeError, NotImplementedError)):
            read()
