"""Qwen-VL against tensors that the published code made: every layer, every map, long prompts and generation."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from qwenvl.inference.generate import TokenSampling, generate
from qwenvl.models.layers import KVCache
from qwenvl.models.qwen_vl import QwenVL, position_code, resize_table
from qwenvl.models.rope import inverse_frequencies, logn_scale, ntk_alpha, ntk_theta, rope_1d
from qwenvl.models.trace import Trace, attention_rows
from tests.support.goldens import QWEN_VL_NAMES, QwenVLGolden, assert_close, inputs_of, qwen_vl_golden

LIMIT = 4e-5
MAP_LIMIT = 1e-5
TABLE_LIMIT = 1e-5  # tables stretched by a cubic filter: up to 1.2e-6, by processor
LONG = [("dev-a", 2), ("dev-b", 3), ("dev-geom", 1)]
LONG_CASES = [(name, f"long{index}") for name, count in LONG for index in range(count)]


@pytest.fixture(params=QWEN_VL_NAMES)
def golden(request: pytest.FixtureRequest) -> QwenVLGolden:
    return qwen_vl_golden(request.param)


@pytest.fixture(params=["dev-a", "dev-b"])
def whole(request: pytest.FixtureRequest) -> QwenVLGolden:
    """A golden that holds every tensor; dev-geom, of the real geometry, holds samples."""
    return qwen_vl_golden(request.param)


def forward(model: QwenVL, ids: Tensor, images: Tensor | None = None, **rest: object) -> Tensor:
    with torch.no_grad():
        return model(input_ids=ids, images=images, **rest)


def vision_trace(golden: QwenVLGolden) -> Trace:
    stages = ["patch_embed", "norm", "blocks.*", "blocks.*.attend.*"]
    with torch.no_grad(), Trace(golden.model.vision, *stages) as trace:
        golden.model.vision(golden.images())
    return trace


def adapter_trace(golden: QwenVLGolden) -> Trace:
    stages = ["adapter", "adapter.widen", "adapter.norm_*", "adapter.out", "adapter.attend.*"]
    with torch.no_grad(), Trace(golden.model, *stages) as trace:
        golden.model.adapter(golden.model.vision(golden.images()))
    return trace


# --- the vision tower ---


def test_every_stage_of_the_tower_equals_the_published_one(whole: QwenVLGolden) -> None:
    io, trace = whole.io, vision_trace(whole)
    assert torch.equal(whole.images(), io["pixel_values"])
    assert_close(trace["patch_embed"], io["vis.conv1"], LIMIT)
    assert_close(
        resize_table(whole.model.vision.positions, whole.model.config.vision.grid_side), io["vis.abs_pos"], TABLE_LIMIT
    )
    assert_close(trace["norm"], io["vis.ln_pre"], LIMIT)
    for index in range(whole.model.config.vision.num_blocks):
        assert_close(trace[f"blocks.{index}"], io[f"vis.block{index}.out"], LIMIT)


def test_rows_of_the_tower_equal_the_published_maps(whole: QwenVLGolden) -> None:
    io, trace = whole.io, vision_trace(whole)
    for index in range(whole.model.config.vision.num_blocks):
        q, k = trace[f"blocks.{index}.attend.q"], trace[f"blocks.{index}.attend.k"]
        assert_close(attention_rows(q, k, io["vis.attn_rows"].tolist()), io[f"vis.block{index}.attn"], MAP_LIMIT)


def test_real_geometry_tower_equals_the_published_samples() -> None:
    golden = qwen_vl_golden("dev-geom")
    io, trace, rows = golden.io, vision_trace(golden), golden.io["vis.attn_rows"]
    assert torch.equal(golden.images()[..., ::16, ::16], io["pixel_values_stride16"])
    assert_close(resize_table(golden.model.vision.positions, 32)[rows], io["vis.abs_pos_rows"], TABLE_LIMIT)
    assert_close(trace["norm"][:, rows], io["vis.ln_pre_rows"], LIMIT)
    for index in range(golden.model.config.vision.num_blocks):
        assert_close(trace[f"blocks.{index}"][:, rows], io[f"vis.block{index}.out_rows"], LIMIT)
        row = attention_rows(trace[f"blocks.{index}.attend.q"], trace[f"blocks.{index}.attend.k"], rows.tolist())
        assert_close(row[:, 0], io[f"vis.block{index}.attn_head0_rows"], MAP_LIMIT)


# --- the adapter ---


def test_every_stage_of_the_adapter_equals_the_published_one(whole: QwenVLGolden) -> None:
    io, trace, rows = whole.io, adapter_trace(whole), whole.io["vis.attn_rows"]
    table = resize_table(whole.model.adapter.positions, whole.model.config.vision.grid_side)
    assert_close(table[rows], io["adapter.key_pos_rows"], TABLE_LIMIT)
    assert_close(trace["adapter.widen"][:, rows], io["adapter.kv_proj_rows"], LIMIT)
    assert_close(trace["adapter.norm_patch"][:, rows], io["adapter.ln_kv_rows"], LIMIT)
    assert_close(trace["adapter.norm_query"], io["adapter.ln_q"], LIMIT)
    assert_close(trace["adapter.out"], io["adapter.out"], LIMIT)
    assert_close(trace["adapter"], io["image_features"], LIMIT)


def test_maps_of_the_adapter_equal_the_published_ones_by_head_and_on_average(whole: QwenVLGolden) -> None:
    trace = adapter_trace(whole)
    maps = attention_rows(
        trace["adapter.attend.q"], trace["adapter.attend.k"], range(whole.model.config.adapter.num_queries)
    )
    assert_close(maps, whole.io["adapter.attn_heads"], MAP_LIMIT)
    assert_close(maps.mean(dim=1), whole.io["adapter.attn_avg"], MAP_LIMIT)


def test_real_geometry_adapter_equals_the_published_samples() -> None:
    golden = qwen_vl_golden("dev-geom")
    io, trace, rows = golden.io, adapter_trace(golden), golden.io["vis.attn_rows"]
    assert_close(resize_table(golden.model.adapter.positions, 32)[rows], io["adapter.key_pos_rows"], TABLE_LIMIT)
    assert_close(trace["adapter.norm_patch"][:, rows], io["adapter.ln_kv_rows"], LIMIT)
    maps = attention_rows(trace["adapter.attend.q"], trace["adapter.attend.k"], io["adapter.query_rows"].tolist())
    assert_close(maps.mean(dim=1), io["adapter.attn_avg_qrows"], MAP_LIMIT)
    assert_close(trace["adapter"], io["image_features"], LIMIT)


def test_position_code_is_the_published_table(golden: QwenVLGolden) -> None:
    config = golden.model.config
    code = position_code(config.adapter.query_side, config.language.dim)
    assert_close(code, golden.model.adapter.positions, TABLE_LIMIT)  # made in float64; the published one in float32


def test_position_code_gives_its_first_half_to_the_column() -> None:
    code = position_code(4, 32).view(4, 4, 32)
    assert torch.equal(code[0, :, :16], code[3, :, :16])
    assert torch.equal(code[:, 0, 16:], code[:, 3, 16:])
    assert not torch.equal(code[0, 1, :16], code[0, 2, :16])


def test_neighbours_in_the_position_code_are_more_alike_than_distant_places() -> None:
    code = torch.nn.functional.normalize(position_code(16, 4096), dim=1).view(16, 16, -1)
    likeness = code[0] @ code[0, 0]
    assert (likeness[:6].diff() < 0).all()


def test_without_positions_the_adapter_does_not_know_the_order_of_patches() -> None:
    golden = qwen_vl_golden("dev-a")
    adapter = type(golden.model.adapter)(golden.model.config).eval()
    adapter.load_state_dict(golden.model.adapter.state_dict())
    with torch.no_grad():
        patches = golden.model.vision(golden.images())
        shuffled = patches[:, torch.randperm(patches.shape[1], generator=torch.Generator().manual_seed(0))]
        assert (adapter(patches) - adapter(shuffled)).abs().max() > 1e-2
        adapter.positions.zero_()
        assert_close(adapter(patches), adapter(shuffled), 1e-5)


def test_one_pixel_changes_one_patch_embedding() -> None:
    golden = qwen_vl_golden("dev-a")
    images = golden.images()
    changed = images.clone()
    changed[0, 1, 30, 71] += 1.0
    with torch.no_grad():
        before, after = (golden.model.vision.patch_embed(x).flatten(2) for x in (images, changed))
    assert ((before - after).abs() > 1e-5).any(dim=1).nonzero()[:, 1].tolist() == [30 // 14 * 8 + 71 // 14]


# --- the language model ---


def test_every_stage_of_the_language_model_equals_the_published_one(whole: QwenVLGolden) -> None:
    io, model = whole.io, whole.model
    with inputs_of(model.language.blocks[0]) as embeddings, Trace(model, "language.blocks.*", "language.norm") as trace:
        logits = forward(model, io["lm.input_ids"], whole.images())
    assert_close(embeddings[0], io["lm.embeds"], LIMIT)
    for index in range(model.config.language.num_blocks):
        assert_close(trace[f"language.blocks.{index}"], io[f"lm.block{index}.out"], LIMIT)
    assert_close(trace["language.norm"], io["lm.ln_f"], LIMIT)
    assert_close(logits, io["lm.logits"], LIMIT)


def test_rows_of_the_language_model_equal_the_published_maps(whole: QwenVLGolden) -> None:
    io = whole.io
    with Trace(whole.model, "language.blocks.*.attend.*") as trace:
        forward(whole.model, io["lm.input_ids"], whole.images())
    for index in range(whole.model.config.language.num_blocks):
        attend = f"language.blocks.{index}.attend"
        q, k, mask = trace[f"{attend}.q"], trace[f"{attend}.k"], trace.mask_of(attend)
        assert_close(attention_rows(q, k, range(q.shape[2]), mask), io[f"lm.block{index}.attn"], MAP_LIMIT)


def test_real_geometry_logits_equal_the_published_ones() -> None:
    golden = qwen_vl_golden("dev-geom")
    logits = forward(golden.model, golden.io["lm.input_ids"], golden.images(), last=8)
    assert_close(logits, golden.io["lm.logits_last8"], LIMIT)


def test_two_pictures_take_the_slots_of_their_own_tags(golden: QwenVLGolden) -> None:
    io, images = golden.io, golden.images("image.png", "image2.png")
    with Trace(golden.model, "adapter") as trace:
        logits = forward(golden.model, io["lm2.input_ids"], images, last=8)
    assert_close(logits, io["lm2.logits_last8"], LIMIT)
    if "lm2.image_features" in io:
        assert_close(trace["adapter"], io["lm2.image_features"], LIMIT)
    swapped = forward(golden.model, io["lm2.input_ids"], images.flip(0), last=8)
    assert (swapped - logits).abs().max() > 1e-2


def test_left_padding_shifts_positions_and_is_never_seen(golden: QwenVLGolden) -> None:
    io = golden.io
    logits = forward(golden.model, io["batch.input_ids"], attention_mask=io["batch.attention_mask"])
    assert_close(logits[0], io["batch.logits_row0"], LIMIT)
    assert_close(logits[1, 4:], io["batch.logits_row1_valid"], LIMIT)
    other = io["batch.input_ids"].clone()
    other[1, :4] = 7
    unseen = forward(golden.model, other, attention_mask=io["batch.attention_mask"])
    assert_close(unseen[1, 4:], logits[1, 4:], 1e-5)


def test_what_the_slots_spell_changes_no_logit() -> None:
    golden = qwen_vl_golden("dev-a")
    ids = golden.io["lm.input_ids"].clone()
    start = int((ids[0] == golden.model.config.image_start_id).nonzero()[0, 0])
    spelled = forward(golden.model, ids, golden.images())
    ids[0, start + 1 : start + 17] = golden.model.config.image_pad_id
    assert torch.equal(forward(golden.model, ids, golden.images()), spelled)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": None}, "1 <img> for 0 pictures"),
        ({"images": 2}, "1 <img> for 2 pictures"),
        ({"end": -1}, "needs 16 slots"),
        ({"end": None}, "needs 16 slots"),
    ],
)
def test_pictures_and_slots_that_do_not_match_are_refused(change: dict, message: str) -> None:
    golden = qwen_vl_golden("dev-a")
    ids, images = golden.io["lm.input_ids"].clone(), golden.images()
    if "images" in change:
        images = None if change["images"] is None else images.repeat(2, 1, 1, 1)
    else:
        end = int((ids[0] == golden.model.config.image_end_id).nonzero()[0, 0])
        ids[0, end] = 5
        if change["end"] is not None:
            ids[0, end + change["end"]] = golden.model.config.image_end_id
    with pytest.raises(ValueError, match=message):
        forward(golden.model, ids, images)


# --- beyond the trained length ---


@pytest.mark.parametrize(("name", "case"), LONG_CASES)
def test_long_prompts_stretch_and_sharpen_as_published(name: str, case: str) -> None:
    golden = qwen_vl_golden(name)
    io, model = golden.io, golden.model
    with Trace(model, "language.blocks.0.attend.*") as trace:
        logits = forward(model, io[f"{case}.input_ids"], golden.images())
    assert_close(logits[:, io[f"{case}.positions"]], io[f"{case}.logits"], LIMIT)
    q, k = (trace[f"language.blocks.0.attend.{tap}"] for tap in "qk")
    assert_close(attention_rows(q, k, [-1])[:, :, 0], io[f"{case}.block0.attn_lastrow"], MAP_LIMIT)


@pytest.mark.parametrize(("name", "case"), LONG_CASES)
@pytest.mark.parametrize(
    ("off", "key"),
    [
        ({"dynamic_ntk": False}, "no_ntk"),
        ({"logn": False}, "no_logn"),
        ({"dynamic_ntk": False, "logn": False}, "neither"),
    ],
)
def test_long_prompts_without_ntk_or_logn_equal_the_published_model_without_them(
    name: str, case: str, off: dict[str, bool], key: str
) -> None:
    golden = qwen_vl_golden(name)
    logits = forward(golden.with_language(**off), golden.io[f"{case}.input_ids"], golden.images(), last=1)
    assert_close(logits[:, 0], golden.io[f"{case}.logits_last_{key}"], LIMIT)


@pytest.mark.parametrize(("name", "case"), LONG_CASES)
def test_rotation_and_logn_of_long_prompts_equal_the_published_tables(name: str, case: str) -> None:
    golden = qwen_vl_golden(name)
    io, language, length = golden.io, golden.model.config.language, golden.io[f"{case}.input_ids"].shape[1]
    alpha = ntk_alpha(length, language.train_length)
    assert alpha == golden.meta["long"][case]["ntk_alpha"]
    theta = ntk_theta(language.rope_theta, alpha, language.head_dim)
    assert_close(inverse_frequencies(language.head_dim, theta), io[f"{case}.inv_freq"], 1e-8)
    cos, sin = rope_1d(torch.tensor([length - 1]), language.head_dim, theta)
    assert_close(cos[0], io[f"{case}.rope_cos_lastpos"], 1e-6)
    assert_close(sin[0], io[f"{case}.rope_sin_lastpos"], 1e-6)
    assert_close(logn_scale(io[f"{case}.positions"], language.train_length), io[f"{case}.logn"], 1e-6)


# --- generation ---


def decode(model: QwenVL, ids: Tensor, images: Tensor, steps: int) -> tuple[list[int], Tensor]:
    """Greedy ids and the logits they were taken from, (steps, vocab), with a cache."""
    cache, tokens, logits = KVCache(model.config.language.num_blocks), [], []
    new, pictures = ids, images
    for _ in range(steps):
        logits.append(forward(model, new, pictures, cache=cache, last=1)[0, -1])
        tokens.append(int(logits[-1].argmax()))
        new, pictures = torch.tensor([tokens[-1:]]), None
    return tokens, torch.stack(logits)


@pytest.mark.parametrize("case", ["gen", "gen_cross", "gen_long"])
def test_cached_decoding_equals_the_published_one(golden: QwenVLGolden, case: str) -> None:
    io = golden.io
    tokens, logits = decode(golden.model, io[f"{case}.input_ids"], golden.images(), 8)
    assert tokens == golden.meta["gen"][case]["new_tokens"]
    assert tokens == io[f"{case}.output_ids"][0, -8:].tolist()
    assert_close(logits, io[f"{case}.step_logits"], LIMIT)


@pytest.mark.parametrize("case", ["gen", "gen_cross", "gen_long"])
def test_replay_at_once_with_the_prompts_stretch_equals_cached_decoding(golden: QwenVLGolden, case: str) -> None:
    io, model = golden.io, golden.model
    ids = io[f"{case}.output_ids"][:, :-1]
    alpha = model.stretch(io[f"{case}.input_ids"].shape[1])
    assert alpha == golden.meta["gen"][case]["ntk_alpha_per_step"][0]
    replayed = forward(model, ids, golden.images(), ntk_alpha=alpha, last=8)
    assert_close(replayed[0], io[f"{case}.step_logits"], LIMIT)


@pytest.mark.parametrize("case", ["gen", "gen_cross", "gen_long"])
def test_a_fresh_pass_takes_its_own_stretch_as_published(golden: QwenVLGolden, case: str) -> None:
    io = golden.io
    fresh = forward(golden.model, io[f"{case}.output_ids"][:, :-1], golden.images(), last=1)[0, -1]
    assert_close(fresh, io[f"{case}.full_recompute_last_logits"], LIMIT)
    if case == "gen_cross":
        assert (fresh - io[f"{case}.step_logits"][-1]).abs().max() > 1.0


def test_the_published_tool_says_eos_after_a_stop_word_and_we_end_at_once(golden: QwenVLGolden) -> None:
    published = golden.meta["gen"]["gen_stop"]
    stop_ids = {word[0] for word in published["stop_words_ids"]}
    inputs = {"input_ids": golden.io["gen.input_ids"], "images": golden.images()}
    tokens = list(generate(golden.model, inputs, sampling=TokenSampling(max_new_tokens=8), stop_ids=stop_ids))
    assert [*tokens, published["eos_token_id"]] == published["new_tokens"]


def test_a_new_img_after_a_cached_prompt_is_a_plain_token() -> None:
    golden = qwen_vl_golden("dev-a")
    cache = KVCache(golden.model.config.language.num_blocks)
    forward(golden.model, golden.io["lm.input_ids"], golden.images(), cache=cache)
    logits = forward(golden.model, torch.tensor([[golden.model.config.image_start_id]]), cache=cache)
    assert logits.isfinite().all()


def test_pictures_after_a_cached_prompt_are_refused() -> None:
    golden = qwen_vl_golden("dev-a")
    cache = KVCache(golden.model.config.language.num_blocks)
    forward(golden.model, golden.io["lm.input_ids"], golden.images(), cache=cache)
    with pytest.raises(ValueError, match="after a cached prompt"):
        forward(golden.model, golden.io["lm.input_ids"], golden.images(), cache=cache)
