"""Traces change nothing, keep what they say they keep, refuse what they cannot, and leave no hook behind."""

from __future__ import annotations

import copy
from contextlib import ExitStack
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from qwenvl.models.layers import KVCache
from qwenvl.models.trace import Block, Causal, Segments, Tap, Trace, TraceError, attention_rows, match_names
from tests.support.dense import dense_rows, seen_causally, seen_in_segments
from tests.support.goldens import assert_close, qwen2_vl_case, qwen_vl_golden

BLOCK_LIMIT = (
    1e-4  # logits up to 12 by the masked and the causal kernel; a key that was to be hidden changes 1e-3 and more
)
SUM_LIMIT = 5e-6  # of a row of weights in float32; up to 6e-7, by processor
EVERY_TAP = ["vision.blocks.*.attend.*", "language.blocks.*.attend.*", "language.positions"]
Asked = tuple[Any, dict[str, Tensor]]


def qwen_vl() -> Asked:
    golden = qwen_vl_golden("dev-a")
    images = golden.images("image.png", "image2.png")
    return golden.model, {"input_ids": golden.io["lm2.input_ids"], "images": images}


def qwen2_vl(case: str = "interleaved") -> Asked:
    found = qwen2_vl_case("dev-a", case)
    return found.model, found.inputs


@pytest.fixture(params=[qwen_vl, qwen2_vl], ids=["qwen-vl", "qwen2-vl"])
def asked(request: pytest.FixtureRequest) -> Asked:
    return request.param()


def num_hooks(model: nn.Module) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())


def run(model: nn.Module, inputs: dict[str, Tensor], **rest: Any) -> Tensor:
    with torch.no_grad():
        return model(**inputs, **rest)


# --- a trace changes nothing ---


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_traced_equals_untraced_bit_for_bit(asked: Asked, dtype: torch.dtype) -> None:
    model, inputs = copy.deepcopy(asked[0]).to(dtype), asked[1]
    untraced = run(model, inputs)
    with Trace(model, *EVERY_TAP, "language.blocks.*", "adapter") as trace:
        traced = run(model, inputs)
    assert torch.equal(traced, untraced)
    assert trace["language.blocks.0.attend.q"].dtype == dtype


def test_traced_decoding_equals_untraced_bit_for_bit(asked: Asked) -> None:
    model, inputs = asked

    def steps() -> Tensor:
        cache = KVCache(model.config.language.num_blocks)
        first = run(model, inputs, cache=cache, last=1)
        return torch.cat([first, run(model, {"input_ids": first[:, -1].argmax(-1, keepdim=True)}, cache=cache)], dim=1)

    untraced = steps()
    with Trace(model, *EVERY_TAP):
        assert torch.equal(steps(), untraced)


# --- what it keeps ---


def test_the_forecast_is_what_is_kept_byte_for_byte(asked: Asked) -> None:
    model, inputs = asked
    forecast = model.tap_sizes(**inputs)
    with Trace(model, *forecast) as trace:
        run(model, inputs)
    kept = {name: value.numel() * value.element_size() for name, value in trace.items()}
    assert kept == forecast
    assert trace.nbytes == sum(forecast.values())
    assert all(value.untyped_storage().nbytes() <= kept[name] for name, value in trace.items())  # no view of more


def test_the_forecast_knows_every_query_and_key_tap(asked: Asked) -> None:
    model, inputs = asked
    taps = {name for name, module in model.named_modules() if isinstance(module, Tap)} - {"language.positions"}
    assert set(model.tap_sizes(**inputs)) == taps


def test_the_forecast_follows_the_dtype(asked: Asked) -> None:
    model, inputs = asked
    half = copy.deepcopy(model).bfloat16().tap_sizes(**inputs)
    assert {name: 2 * size for name, size in half.items()} == model.tap_sizes(**inputs)


def test_text_alone_forecasts_no_byte_for_the_tower() -> None:
    model, inputs = qwen2_vl("text")
    sizes = model.tap_sizes(**inputs)
    assert not any(size for name, size in sizes.items() if name.startswith("vision"))
    assert all(size for name, size in sizes.items() if name.startswith("language"))


def test_the_last_value_is_kept_and_charged_once(asked: Asked) -> None:
    model, inputs = asked
    name = "language.blocks.1.attend.q"
    with Trace(model, name) as trace:
        run(model, inputs)
        first = trace[name]
        changed = inputs["input_ids"].clone()
        changed[0, -1] += 1
        run(model, {**inputs, "input_ids": changed})
    assert trace.nbytes == first.numel() * first.element_size()
    assert not torch.equal(trace[name], first)


def test_kept_keys_of_a_cached_step_hold_the_cached_ones_and_do_not_change_afterwards(asked: Asked) -> None:
    model, inputs = asked
    cache, name = KVCache(model.config.language.num_blocks), "language.blocks.0.attend.k"
    with Trace(model, name) as prompt:
        run(model, inputs, cache=cache)
    length = inputs["input_ids"].shape[1]
    before = prompt[name].clone()
    with Trace(model, name) as step:
        run(model, {"input_ids": torch.tensor([[7]])}, cache=cache)
    assert step[name].shape[2] == length + 1
    assert torch.equal(step[name][:, :, :length], before)
    assert torch.equal(prompt[name], before)


def test_values_can_be_kept_on_another_device(asked: Asked) -> None:
    model, inputs = asked
    with Trace(model, "language.blocks.0.attend.q", device="cpu") as trace:
        run(model, inputs)
    assert trace["language.blocks.0.attend.q"].device.type == "cpu"


def test_a_trace_is_a_mapping_of_the_names_it_matched() -> None:
    model, inputs = qwen2_vl()
    with Trace(model, "language.blocks.*.attend.k", "vision.blocks.0") as trace:
        run(model, inputs)
    assert list(trace) == ["vision.blocks.0", *(f"language.blocks.{index}.attend.k" for index in range(3))]
    assert "language.blocks.0.attend.k" in trace
    assert "language.blocks.0.attend.q" not in trace
    with pytest.raises(TraceError, match=r"holds no 'language\.blocks\.0\.attend\.q'"):
        trace["language.blocks.0.attend.q"]


# --- names ---


def test_a_star_stays_within_one_dotted_part() -> None:
    names = ["a", "a.b", "a.b.c", "a.bc", "axb", "a.b+"]
    assert match_names(names, ["a.*"]) == ["a.b", "a.bc", "a.b+"]
    assert match_names(names, ["a.b"]) == ["a.b"]
    assert match_names(names, ["a.b+"]) == ["a.b+"]
    assert match_names(names, ["*.*.c", "a"]) == ["a", "a.b.c"]


@pytest.mark.parametrize("pattern", ["language.blocks.9.attend.q", "attend.q", "language.*.attend.q", "", "LANGUAGE"])
def test_a_pattern_that_names_nothing_is_refused_by_name(pattern: str) -> None:
    with pytest.raises(TraceError, match=f"No module is named '{pattern.replace('*', '[*]')}'"):
        Trace(qwen2_vl()[0], "language.norm", pattern)


def test_a_trace_of_nothing_is_refused() -> None:
    with pytest.raises(TraceError, match="at least one pattern"):
        Trace(qwen2_vl()[0])


def test_a_tap_that_stays_silent_is_named() -> None:
    model, inputs = qwen2_vl("text")
    with pytest.raises(TraceError, match=r"through 'vision\.blocks\.0\.attend\.q'"), Trace(model, *EVERY_TAP):
        run(model, inputs)


# --- budgets ---


def test_a_trace_over_its_budget_is_refused_before_the_forward_pass_begins(asked: Asked) -> None:
    model, inputs = asked
    sizes = model.tap_sizes(**inputs)
    names = [f"language.blocks.{index}.attend.{tap}" for index in range(2) for tap in "qk"]
    total, begun = sum(sizes[name] for name in names), []
    handle = model.language.embed.register_forward_pre_hook(lambda *_: begun.append(1))
    try:
        with Trace(model, *names, max_bytes=total) as trace:
            run(model, inputs)
        assert (trace.nbytes, len(begun)) == (total, 1)
        message = rf"'language\.blocks\.1\.attend\.k' would take the trace to {total:,} bytes.* {total - 1:,};"
        with pytest.raises(TraceError, match=message), Trace(model, *names, max_bytes=total - 1):
            run(model, inputs)
        assert len(begun) == 1
    finally:
        handle.remove()


def test_a_budget_holds_where_nothing_can_be_forecast() -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 2))
    trace = Trace(model, "*", max_bytes=39)
    with pytest.raises(TraceError, match="Keeping '1' would take the trace to 40 bytes"), trace:
        model(torch.zeros(1, 4))
    assert list(trace) == ["0"]
    assert num_hooks(model) == 0


# --- hooks ---


def test_hooks_are_gone_when_the_block_ends_however_it_ends(asked: Asked) -> None:
    model, inputs = asked
    before = num_hooks(model)
    with Trace(model, *EVERY_TAP):
        assert num_hooks(model) > before
        run(model, inputs)
    assert num_hooks(model) == before
    with pytest.raises(ZeroDivisionError), Trace(model, *EVERY_TAP):
        raise ZeroDivisionError
    with pytest.raises(TraceError), Trace(model, *EVERY_TAP, max_bytes=1):
        run(model, inputs)
    with pytest.raises(TraceError, match="Nothing passed"), Trace(model, *EVERY_TAP):
        pass
    with pytest.raises(ZeroDivisionError), Block(model, "language.blocks.*.attend", [1], [0]):
        raise ZeroDivisionError
    assert num_hooks(model) == before


# --- masks and rows ---


def test_masks_are_recorded_with_the_queries_and_keys() -> None:
    model, inputs = qwen2_vl("batch2_leftpad")
    with Trace(model, *EVERY_TAP) as trace:
        run(model, inputs)
    assert trace.mask_of("language.blocks.2.attend") == Causal(pads=(11, 0))
    assert trace.mask_of("vision.blocks.0.attend") == Segments(lengths=(16, 16))
    model, inputs = qwen_vl()
    with Trace(model, *EVERY_TAP, "adapter.attend.q") as trace:
        run(model, inputs)
    assert trace.mask_of("adapter.attend") is None
    assert trace.mask_of("vision.blocks.0.attend") is None
    assert trace.mask_of("language.blocks.0.attend") == Causal()


def test_rows_of_every_site_equal_a_materialised_softmax(asked: Asked) -> None:
    model, inputs = asked
    names = [name for name, module in model.named_modules() if isinstance(module, Tap) and name[-1] in "qk"]
    with Trace(model, *names) as trace:
        run(model, inputs)
    for attend in dict.fromkeys(name.rpartition(".")[0] for name in names):
        q, k, mask = trace[f"{attend}.q"], trace[f"{attend}.k"], trace.mask_of(attend)
        seen = torch.ones(len(q), q.shape[2], k.shape[2], dtype=torch.bool)
        if isinstance(mask, Causal):
            seen = seen_causally(len(q), q.shape[2], k.shape[2], mask.pads)
        if isinstance(mask, Segments):
            seen = seen_in_segments(mask.lengths)
        rows = attention_rows(q, k, range(q.shape[2]), mask)
        assert_close(rows, dense_rows(q, k, seen), 1e-5)
        assert_close(rows.double().sum(dim=-1), torch.ones(rows.shape[:-1]), SUM_LIMIT)


# --- interventions ---


def test_hidden_from_all_later_tokens_pictures_change_no_later_logit(asked: Asked) -> None:
    model, inputs = asked
    pixels = "images" if "images" in inputs else "pixel_values"
    visual = visual_places(model, inputs)
    later = range(max(visual) + 1, inputs["input_ids"].shape[1])
    changed = {**inputs, pixels: inputs[pixels].flip(0) * 0.5}
    with Block(model, "language.blocks.*.attend", later, range(max(visual) + 1)):
        blocked, other = run(model, inputs), run(model, changed)
    assert_close(blocked[:, later], other[:, later], BLOCK_LIMIT)
    assert (run(model, inputs) - blocked)[:, later].abs().max() > 1e-3
    assert_close(run(model, inputs)[:, : min(visual)], blocked[:, : min(visual)], BLOCK_LIMIT)


def visual_places(model: Any, inputs: dict[str, Tensor]) -> list[int]:
    ids, config = inputs["input_ids"][0], model.config
    if config.family == "qwen2-vl":
        return ((ids == config.image_token_id) | (ids == config.video_token_id)).nonzero()[:, 0].tolist()
    starts = (ids == config.image_start_id).nonzero()[:, 0].tolist()
    return [start + 1 + slot for start in starts for slot in range(config.adapter.num_queries)]


@pytest.mark.parametrize("block_first", [True, False])
def test_a_trace_shows_the_blocked_run_in_either_order(asked: Asked, block_first: bool) -> None:
    model, inputs = asked
    query, keys = inputs["input_ids"].shape[1] - 1, [2, 5, 6]
    trace = Trace(model, "language.blocks.1.attend.*")
    block = Block(model, "language.blocks.1.attend", [query], keys)
    with ExitStack() as stack:
        for context in (block, trace) if block_first else (trace, block):
            stack.enter_context(context)
        logits = run(model, inputs)
    q, k = trace["language.blocks.1.attend.q"], trace["language.blocks.1.attend.k"]
    seen = seen_causally(1, q.shape[2], k.shape[2])
    seen[:, query, keys] = False
    rows = attention_rows(q, k, range(q.shape[2]), trace.mask_of("language.blocks.1.attend"))
    assert not rows[:, :, query, keys].any()
    assert_close(rows, dense_rows(q, k, seen), 1e-5)
    unblocked = run(model, inputs)
    assert (logits - unblocked)[:, query].abs().max() > 1e-3
    assert_close(logits[:, :query], unblocked[:, :query], BLOCK_LIMIT)


def test_blocks_add_up(asked: Asked) -> None:
    model, inputs = asked
    last = inputs["input_ids"].shape[1] - 1
    with Block(model, "language.blocks.*.attend", [last], [1, 2]):
        at_once = run(model, inputs)
    with Block(model, "language.blocks.*.attend", [last], [1]), Block(model, "language.blocks.*.attend", [last], [2]):
        assert_close(run(model, inputs), at_once, BLOCK_LIMIT)


def test_a_block_reaches_the_tower_and_names_what_it_misses(asked: Asked) -> None:
    model, inputs = asked
    with (
        Block(model, "vision.blocks.0.attend", [0], [1]),
        Trace(model, "vision.blocks.0.attend.*") as trace,
    ):
        run(model, inputs)
    q, k = trace["vision.blocks.0.attend.q"], trace["vision.blocks.0.attend.k"]
    row = attention_rows(q, k, [0], trace.mask_of("vision.blocks.0.attend"))
    assert not row[:, :, 0, 1].any()
    assert_close(row.double().sum(dim=-1), torch.ones(row.shape[:-1]), SUM_LIMIT)
    with (
        pytest.raises(TraceError, match=r"No module is named 'language\.norm'"),
        Block(model, "language.norm", [0], [0]),
    ):
        pass


def test_a_query_must_be_left_a_key(asked: Asked) -> None:
    model, inputs = asked
    before, block = num_hooks(model), Block(model, "language.blocks.0.attend", [3, 5], range(4))
    with pytest.raises(TraceError, match="Every key of query 3 is hidden"), block:
        run(model, inputs)
    assert num_hooks(model) == before
