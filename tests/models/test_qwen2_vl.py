"""Qwen2-VL against tensors that transformers made: every layer, every map, both rules of positions, and decoding."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from qwenvl.models.layers import KVCache
from qwenvl.models.qwen2_vl import Qwen2VL
from qwenvl.models.rope import PositionRule
from qwenvl.models.trace import Trace, attention_rows
from tests.support.goldens import QWEN2_VL_NAMES, Qwen2VLCase, assert_close, inputs_of, qwen2_vl_case, qwen2_vl_golden

TOWER_LIMIT, MERGED_LIMIT, MAP_LIMIT, LOGIT_LIMIT = 3e-4, 1e-4, 2e-4, 6e-4
CACHE_LIMIT = 2e-4  # logits up to 12 with and without a cache: 2e-5 to 3e-5 apart, by processor
CASES = ["text", "image", "two_images", "video", "interleaved", "batch2_leftpad", "text_batch2_leftpad"]
MEDIA = [
    ("image", "image"),
    ("two_images", "image"),
    ("video", "video"),
    ("interleaved", "image"),
    ("interleaved", "video"),
    ("batch2_leftpad", "image"),
]
RULES: list[PositionRule] = ["paper", "transformers-5"]


@pytest.fixture(params=QWEN2_VL_NAMES)
def folder(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, folder: str) -> Qwen2VLCase:
    return qwen2_vl_case(folder, request.param)


def positions_of(case: Qwen2VLCase, rule: PositionRule) -> Tensor:
    mask = case.io["attention_mask"]
    grids = (case.grids("image"), case.grids("video"))
    return case.model.next_positions(case.io["input_ids"], *grids, attention_mask=mask, rule=rule)


def forward(case: Qwen2VLCase, rule: PositionRule = "paper", **rest: object) -> Tensor:
    """All logits; under the paper's rule by the model's own positions."""
    positions = None if rule == "paper" else positions_of(case, rule)
    with torch.no_grad():
        return case.model(**case.inputs, positions=positions, **rest)


# --- the vision tower and the merger ---


@pytest.mark.parametrize(("name", "kind"), MEDIA)
def test_every_block_of_the_tower_and_the_merger_equal_the_reference(folder: str, name: str, kind: str) -> None:
    case = qwen2_vl_case(folder, name)
    model, io = case.model, case.io
    pixels = io["pixel_values" if kind == "image" else "pixel_values_videos"]
    with torch.no_grad(), inputs_of(model.vision.blocks[0]) as embedded, Trace(model.vision, "blocks.*") as trace:
        patches = model.vision(pixels, case.grids(kind))
    assert_close(embedded[0], io[f"vision_{kind}.hidden.0"], TOWER_LIMIT)
    for index in range(model.config.vision.num_blocks):
        assert_close(trace[f"blocks.{index}"], io[f"vision_{kind}.hidden.{index + 1}"], TOWER_LIMIT)
    assert_close(patches, io[f"vision_{kind}.before_merger"], TOWER_LIMIT)
    with torch.no_grad():
        assert_close(model.adapter(patches), io[f"vision_{kind}.merged"], MERGED_LIMIT)


@pytest.mark.parametrize(("name", "kind"), MEDIA)
def test_rows_of_the_tower_equal_the_reference_maps_and_end_with_their_segment(
    folder: str, name: str, kind: str
) -> None:
    case = qwen2_vl_case(folder, name)
    pixels = case.io["pixel_values" if kind == "image" else "pixel_values_videos"]
    with torch.no_grad(), Trace(case.model.vision, "blocks.*.attend.*") as trace:
        case.model.vision(pixels, case.grids(kind))
    for layer in range(case.model.config.vision.num_blocks):
        attend, start = f"blocks.{layer}.attend", 0
        q, k, mask = trace[f"{attend}.q"], trace[f"{attend}.k"], trace.mask_of(attend)
        for segment, length in enumerate(h * w for t, h, w in case.grids(kind) for _ in range(t)):
            rows = attention_rows(q, k, range(start, start + length), mask)[0]
            inside = slice(start, start + length)
            assert_close(rows[:, :, inside], case.io[f"vision_{kind}.attn.{layer}.{segment}"], MAP_LIMIT)
            rows[:, :, inside] = 0
            assert not rows.any()
            start += length
        assert start == q.shape[2]


def test_pictures_and_clips_together_go_through_the_tower_as_each_alone(folder: str) -> None:
    case = qwen2_vl_case(folder, "interleaved")
    with Trace(case.model, "vision.blocks.*", "adapter") as trace:
        forward(case)
    for index in range(case.model.config.vision.num_blocks):
        apart = torch.cat([case.io[f"vision_{kind}.hidden.{index + 1}"] for kind in ("image", "video")])
        assert_close(trace[f"vision.blocks.{index}"], apart, TOWER_LIMIT)
    merged = torch.cat([case.io[f"vision_{kind}.merged"] for kind in ("image", "video")])
    assert_close(trace["adapter"], merged, MERGED_LIMIT)


# --- the language model ---


def test_every_stage_of_the_language_model_equals_the_reference(case: Qwen2VLCase) -> None:
    blocks = case.model.language.blocks
    names = [f"language.blocks.{index}" for index in range(len(blocks) - 1)]
    with inputs_of(blocks[0]) as embedded, Trace(case.model, *names, "language.norm") as trace:
        logits = forward(case, "transformers-5")
    assert_close(embedded[0][case.real], case.io["hidden.0"][case.real], MERGED_LIMIT)
    for index, name in enumerate([*names, "language.norm"]):
        assert_close(trace[name][case.real], case.io[f"hidden.{index + 1}"][case.real], LOGIT_LIMIT)
    assert_close(logits[case.real], case.io["logits"][case.real], LOGIT_LIMIT)


@pytest.mark.parametrize("rule", RULES)
def test_logits_equal_the_reference_under_both_rules(case: Qwen2VLCase, rule: PositionRule) -> None:
    assert_close(forward(case, rule)[case.real], case.expected("logits", rule)[case.real], LOGIT_LIMIT)


@pytest.mark.parametrize("rule", RULES)
def test_rows_of_the_language_model_equal_the_reference_maps(case: Qwen2VLCase, rule: PositionRule) -> None:
    with Trace(case.model, "language.blocks.*.attend.*") as trace:
        forward(case, rule)
    for layer in range(case.model.config.language.num_blocks):
        attend = f"language.blocks.{layer}.attend"
        q, k = trace[f"{attend}.q"], trace[f"{attend}.k"]
        rows = attention_rows(q, k, range(q.shape[2]), trace.mask_of(attend)).transpose(1, 2)[case.real]
        expected = case.expected(f"attn.{layer}", rule).transpose(1, 2)[case.real]
        assert_close(rows, expected, MAP_LIMIT)


def test_last_gives_the_logits_of_the_last_positions_alone(case: Qwen2VLCase) -> None:
    assert_close(forward(case, last=3), forward(case)[:, -3:], 4e-5)


# --- positions ---


@pytest.mark.parametrize("rule", RULES)
def test_positions_equal_the_reference_under_both_rules(case: Qwen2VLCase, rule: PositionRule) -> None:
    positions = positions_of(case, rule)
    expected = case.io["maxrule.position_ids" if rule == "paper" else "position_ids"]
    assert torch.equal(positions[:, case.real], expected[:, case.real])
    largest = positions.amax(dim=(0, 2))[:, None] + 1
    deltas = case.io["maxrule.rope_deltas" if rule == "paper" else "rope_deltas"]
    assert torch.equal(largest - case.real.sum(dim=1, keepdim=True), deltas)


def test_the_two_rules_differ_where_the_reference_says_so(case: Qwen2VLCase) -> None:
    differ = bool((positions_of(case, "paper") != positions_of(case, "transformers-5")).any())
    assert differ == case.meta["maxrule_differs"]


def test_the_position_tap_sees_the_papers_ids(case: Qwen2VLCase) -> None:
    with Trace(case.model, "language.positions") as trace:
        forward(case)
    seen = trace["language.positions"]
    assert torch.equal(seen[:, case.real], case.io["maxrule.position_ids"][:, case.real])


# --- decoding ---


def decode(case: Qwen2VLCase, rule: PositionRule, steps: int = 8) -> tuple[Tensor, Tensor, Tensor]:
    """Greedy ids (batch, steps), the logits they come from, and the positions of the tokens that predict them."""
    cache, logits, positions = KVCache(case.model.config.language.num_blocks), [], []
    with torch.no_grad(), Trace(case.model, "language.positions") as trace:
        step = forward(case, rule, cache=cache, last=1)
        for _ in range(steps):
            logits.append(step[:, -1])
            positions.append(trace["language.positions"][:, :, -1])
            step = case.model(input_ids=logits[-1].argmax(dim=-1, keepdim=True), cache=cache)
    stacked = torch.stack(logits, dim=1)
    return stacked.argmax(dim=-1), stacked, torch.stack(positions, dim=-1)


@pytest.mark.parametrize("rule", RULES)
def test_cached_greedy_decoding_equals_the_reference(case: Qwen2VLCase, rule: PositionRule) -> None:
    tokens, logits, positions = decode(case, rule)
    assert case.meta["greedy_min_margin"] > 5e-4  # kernels move a logit by a quarter of that
    assert torch.equal(tokens, case.expected("greedy_tokens", rule))
    if rule == "transformers-5" or not case.meta["maxrule_differs"]:  # of the paper's rule only the tokens are on file
        assert_close(logits, case.io["greedy_logits"], LOGIT_LIMIT)
        assert torch.equal(positions, case.io["greedy_positions"])


def test_cached_decoding_equals_one_uncached_pass(case: Qwen2VLCase) -> None:
    tokens, logits, _ = decode(case, "paper")
    said = tokens[:, :-1]
    whole = {**case.inputs, "input_ids": torch.cat((case.io["input_ids"], said), dim=1)}
    whole["attention_mask"] = torch.cat((case.io["attention_mask"], torch.ones_like(said)), dim=1)
    with torch.no_grad():
        uncached = case.model(**whole, last=8)
    assert_close(uncached, logits, CACHE_LIMIT)
    assert torch.equal(uncached.argmax(dim=-1), tokens)


def test_several_new_tokens_after_a_cache_equal_one_by_one(case: Qwen2VLCase) -> None:
    tokens, logits, _ = decode(case, "paper")
    cache = KVCache(case.model.config.language.num_blocks)
    forward(case, cache=cache)
    with torch.no_grad():
        at_once = case.model(input_ids=tokens[:, :-1], cache=cache)
    assert_close(at_once, logits[:, 1:], CACHE_LIMIT)


# --- one module each ---


def test_norms_merger_and_mlp_equal_the_reference_where_a_wrong_eps_would_show(folder: str) -> None:
    model, tensors, _ = qwen2_vl_golden(folder)
    vision, language = model.vision.blocks[0], model.language.blocks[0]
    with torch.no_grad():
        assert_close(model.adapter(tensors["unit/merger.in"]), tensors["unit/merger.out"], 1e-4)
        assert_close(vision.norm1(tensors["unit/merger.in"]), tensors["unit/block0.norm1.out"], 1e-5)
        assert_close(vision.mlp(tensors["unit/block0.mlp.in"]), tensors["unit/block0.mlp.out"], 1e-5)
        assert_close(language.norm1(tensors["unit/rms.in"]), tensors["unit/rms.out"], 1e-5)


# --- what the papers claim of it ---


def random_media(model: Qwen2VL, grid: tuple[int, int, int], seed: int) -> Tensor:
    values = model.vision.patch_embed.weight[0].numel()
    return torch.randn(math.prod(grid), values, generator=torch.Generator().manual_seed(seed))


def test_packed_media_of_different_sizes_equal_each_alone(folder: str) -> None:
    model = qwen2_vl_golden(folder)[0]
    grids = [(1, 4, 6), (2, 2, 4), (1, 4, 6)]
    pixels = [random_media(model, grid, seed) for seed, grid in enumerate(grids)]
    with torch.no_grad():
        packed = model.adapter(model.vision(torch.cat(pixels), grids))
        alone = [model.adapter(model.vision(part, [grid])) for part, grid in zip(pixels, grids, strict=True)]
    assert_close(packed, torch.cat(alone), MERGED_LIMIT)


def test_the_tower_never_mixes_pairs_of_frames(folder: str) -> None:
    model = qwen2_vl_golden(folder)[0]
    pixels = random_media(model, (3, 4, 4), 0)
    changed = pixels.clone()
    changed[16:32] += 1.0
    with torch.no_grad():
        before, after = (model.vision(x, [(3, 4, 4)]) for x in (pixels, changed))
    assert ((before - after).abs() > 1e-5).any(dim=1).nonzero()[:, 0].tolist() == list(range(16, 32))


def test_a_patch_before_the_merger_changes_exactly_its_own_token(folder: str) -> None:
    model = qwen2_vl_golden(folder)[0]
    patches = torch.randn(24, model.config.vision.dim, generator=torch.Generator().manual_seed(0))
    changed = patches.clone()
    changed[13, 0] += 1.0
    with torch.no_grad():
        before, after = model.adapter(patches), model.adapter(changed)
    assert ((before - after).abs() > 1e-5).any(dim=1).nonzero()[:, 0].tolist() == [13 // 4]


def test_the_patch_embedding_is_the_convolution_of_two_frames(folder: str) -> None:
    model = qwen2_vl_golden(folder)[0]
    pixels = random_media(model, (1, 4, 4), 0)
    with torch.no_grad(), inputs_of(model.vision.blocks[0]) as embedded:
        model.vision(pixels, [(1, 4, 4)])
        convolved = model.vision.patch_embed(pixels.view(-1, 3, 2, 14, 14)).flatten(1)
    assert_close(embedded[0], convolved, 4e-5)  # sums of 1,176 products in another order


def test_a_still_as_two_equal_frames_is_a_flat_convolution_of_the_summed_taps(folder: str) -> None:
    weight = qwen2_vl_golden(folder)[0].vision.patch_embed.weight.double()
    frame = torch.randn(1, 3, 1, 28, 42, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    tubes = F.conv3d(frame.repeat(1, 1, 2, 1, 1), weight, stride=(2, 14, 14))
    flat = F.conv2d(frame[:, :, 0], weight.sum(dim=2), stride=14)
    assert_close(tubes[:, :, 0], flat, 1e-12)


# --- refusals ---


@pytest.mark.parametrize("places", [5, 7])
def test_visual_tokens_and_places_that_do_not_match_are_refused(places: int) -> None:
    case = qwen2_vl_case("dev-a", "image")
    config, inputs = case.model.config, dict(case.inputs)
    inputs["input_ids"] = torch.tensor([[config.vision_start_id] + [config.image_token_id] * places + [1]])
    inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
    with pytest.raises(ValueError, match=r"visual tokens"):
        case.model(**inputs)
    with pytest.raises(ValueError, match=f"{places} places for the 6 visual tokens"):
        case.model(**inputs, positions=torch.zeros(3, *inputs["input_ids"].shape, dtype=torch.int64))


def test_places_without_media_are_refused() -> None:
    case = qwen2_vl_case("dev-a", "image")
    with pytest.raises(ValueError, match="more media than were given"):
        case.model(input_ids=case.io["input_ids"])
    with pytest.raises(ValueError, match="for the 0 visual tokens"):
        case.model(input_ids=case.io["input_ids"], positions=case.io["position_ids"].long())


def test_media_without_places_are_refused() -> None:
    case = qwen2_vl_case("dev-a", "image")
    ids = torch.ones_like(case.io["input_ids"])
    with pytest.raises(ValueError, match="more media than places"):
        case.model(**{**case.inputs, "input_ids": ids})


def test_media_after_a_cached_prompt_are_refused() -> None:
    case = qwen2_vl_case("dev-a", "image")
    cache = KVCache(case.model.config.language.num_blocks)
    forward(case, cache=cache)
    with pytest.raises(ValueError, match="after a cached prompt"):
        case.model(**case.inputs, cache=cache)
