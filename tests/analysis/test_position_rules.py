"""Ids by rule, frequencies and costs, each against something computed another way."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from transformers import GenerationConfig, Qwen2VLConfig, Qwen2VLForConditionalGeneration

from qwenvl.analysis.position_rules import RULES, cost_of_size, frequencies, overlaps, position_cost, positions_by_rule
from qwenvl.inference.run import Run
from qwenvl.models.config import PRESETS
from qwenvl.models.rope import decoding_positions, inverse_frequencies, multimodal_positions, overtaken
from qwenvl.processing.geometry.media import Seen, qwen2_vl_media
from tests.support.goldens import GOLDENS
from tests.support.tiny import SPOKEN, TINY, mixed_run, mosaic, tiny


def long_clip_run() -> Run:
    """Twelve pairs of frames of 2 x 2 tokens, then a question."""
    frames = [mosaic(4, 4, seed=seed) for seed in range(24)]
    content = [{"type": "video", "video": frames, "fps": 2}, {"type": "text", "text": "What is this?"}]
    return tiny("tiny-qwen2-vl").run([{"role": "user", "content": content}], answer=SPOKEN)


@pytest.mark.parametrize("name", TINY)
def test_the_papers_rule_is_what_the_model_used(name: str) -> None:
    run = mixed_run(name)
    assert torch.equal(positions_by_rule(run, "paper"), run.positions)
    assert not overlaps(run, run.positions).any()


def test_qwen_vl_has_one_id_a_token_under_every_rule() -> None:
    run = mixed_run("tiny-qwen-vl")
    for rule in RULES:
        assert torch.equal(positions_by_rule(run, rule), torch.arange(len(run.tokens)).expand(3, -1))


def test_one_dimensional_ids_count_tokens() -> None:
    run = mixed_run("tiny-qwen2-vl")
    assert torch.equal(positions_by_rule(run, "1-D"), torch.arange(len(run.tokens)).expand(3, -1))


def test_under_transformers_5_text_and_answer_fall_back_into_a_long_clip() -> None:
    run = long_clip_run()
    (clip,) = run.media
    ids = positions_by_rule(run, "transformers-5")
    first = next(index for index, token in enumerate(run.tokens) if token.media == 0)
    after = first + clip.num_tokens
    start = int(ids[0, first])
    assert clip.token_grid == (12, 2, 2)
    assert ids[:, after].tolist() == [start + 2] * 3  # s + max(h, w), though t went on to s + 11
    assert int(run.positions[0, after]) == start + 12
    assert ids[:, run.answer_start].tolist() == [int(ids[0, run.answer_start - 1]) + 1] * 3  # as generate() goes on
    found = overlaps(run, ids)
    assert not found[1:].any()
    text = range(after, len(run.tokens))
    assert found[0].nonzero().flatten().tolist() == [index for index in text if int(ids[0, index]) <= start + 11]


@pytest.mark.parametrize("folder", ["dev-a", "dev-b"])
@pytest.mark.parametrize("case", ["video", "image", "two_images", "interleaved"])
def test_decoding_goes_on_where_transformers_and_the_paper_do(folder: str, case: str) -> None:
    from safetensors import safe_open

    with safe_open(GOLDENS / "qwen2-vl" / folder / "io.safetensors", "pt") as file:
        names = set(file.keys())
        for prefix in ("", "maxrule."):
            if f"{case}/{prefix}position_ids" not in names:
                continue
            prompt = file.get_tensor(f"{case}/{prefix}position_ids")[:, 0].long()
            delta = int(file.get_tensor(f"{case}/{prefix}rope_deltas")[0, 0])
            assert decoding_positions(prompt, 3)[0].tolist() == [prompt.shape[1] + delta + step for step in range(3)]


@pytest.mark.parametrize("seed", range(20))
def test_overtaken_is_what_a_slow_reading_of_its_definition_says(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    media = [None, None, 0, 0, 0, None, 1, 1, 2, 2, None, None]
    ids = torch.randint(0, 9, (3, len(media)), generator=generator)
    slow = torch.zeros(3, len(media), dtype=torch.bool)
    for axis in range(3):
        for token, own in enumerate(media):
            earlier = [int(ids[axis, k]) for k in range(token) if media[k] is not None and media[k] != own]
            slow[axis, token] = any(one >= int(ids[axis, token]) for one in earlier)
    assert torch.equal(overtaken(ids, media), slow)


def test_two_clips_and_a_picture_overlap_only_where_the_rule_lets_them() -> None:
    ids = torch.tensor([[1, *[9] * 24, 2, *[8] * 4, 3]])
    grids = [(6, 4, 4), (1, 4, 4)]
    for rule, some in (("paper", False), ("transformers-5", True)):
        found = multimodal_positions(
            ids, [grids[1]], [grids[0]], image_token_id=8, video_token_id=9, merge_size=2, rule=rule
        )[:, 0]
        media = [None, *[0] * 24, None, *[1] * 4, None]
        assert bool(overtaken(found, media).any()) is some


def test_the_published_frequencies() -> None:
    found = frequencies(PRESETS["Qwen2-VL-7B"])
    assert found.sections == (16, 24, 24)
    assert len(found.wavelengths) == 64 == sum(found.sections)
    assert found.wavelengths[0].item() == pytest.approx(2 * math.pi)
    assert found.wavelengths[16].item() == pytest.approx(198.7, abs=0.1)
    assert found.wavelengths[40].item() == pytest.approx(35_333, rel=1e-3)
    assert found.wavelengths[63].item() == pytest.approx(5.063e6, rel=1e-3)
    torch.testing.assert_close(2 * math.pi / found.wavelengths.float(), inverse_frequencies(128, 1e6))


def test_ntk_stretches_the_slowest_by_alpha() -> None:
    config = PRESETS["Qwen-VL"]
    plain, stretched = frequencies(config), frequencies(config, 3.0)
    assert (plain.sections, plain.alpha, stretched.alpha) == ((), 1.0, 3.0)
    ratio = stretched.wavelengths / plain.wavelengths
    assert ratio[0].item() == 1.0
    assert ratio[-1].item() == pytest.approx(3.0)


def test_what_pictures_and_clips_cost_in_ids() -> None:
    old, new = PRESETS["Qwen-VL"], PRESETS["Qwen2-VL-7B"]
    assert cost_of_size(old, (3840, 2160)) == cost_of_size(old, (5, 5))
    assert (cost_of_size(old, (448, 448)).tokens, cost_of_size(old, (448, 448)).ids) == (258, 258)
    assert (cost_of_size(new, (448, 448)).tokens, cost_of_size(new, (448, 448)).ids) == (258, 18)
    assert (cost_of_size(new, (3840, 2160)).tokens, cost_of_size(new, (3840, 2160)).ids) == (10_551, 139)
    assert cost_of_size(old, (448, 448), frames=12).ids == 12 * 258
    assert cost_of_size(new, (448, 448), frames=48).ids == 24 + 2


@pytest.mark.parametrize("name", TINY)
def test_costs_are_the_ids_that_runs_spend(name: str) -> None:
    run = mixed_run(name)
    for index, media in enumerate(run.media):
        places = [place for place, token in enumerate(run.tokens) if token.media == index]
        if name == "tiny-qwen2-vl":  # from the mark before to the mark after, both included
            first, last = run.positions[0, places[0] - 1], run.positions[0, places[-1] + 1]
            assert position_cost(media).ids == int(last - first) + 1
            assert position_cost(media).tokens == len(places) + 2
        else:
            assert position_cost(media).tokens == len(places) + 2 * media.patch_grid[0]


def test_a_long_clip_costs_a_pair_an_id() -> None:
    seen = Seen("video", "clip", (112, 112), 768)
    media = qwen2_vl_media(seen, PRESETS["Qwen2-VL-2B"], min_pixels=3136, max_pixels=1 << 20)
    assert position_cost(media).ids == 384 + 2


def test_an_answer_after_a_clip_has_the_ids_that_generate_of_transformers_gives_it() -> None:
    """40 frames of 56 x 56 and a question of one token: the ids of the answer are 24, 25, ..., and not 35."""
    frames = [mosaic(4, 4, seed=seed) for seed in range(40)]
    content = [{"type": "video", "video": frames, "fps": 2}, {"type": "text", "text": "H"}]
    run = tiny("tiny-qwen2-vl").run([{"role": "user", "content": content}], answer=SPOKEN)
    ids = positions_by_rule(run, "transformers-5")
    count = len(run.tokens) - run.answer_start
    assert ids[:, run.answer_start :].tolist() == [list(range(24, 24 + count))] * 3
    assert int(ids[:, : run.answer_start].max()) + 1 == 35
    prompt = torch.tensor([[token.id for token in run.tokens[: run.answer_start]]])
    assert generated_positions(run, prompt, count).tolist() == ids[:, run.answer_start :].tolist()


def generated_positions(run: Run, prompt: torch.Tensor, count: int) -> torch.Tensor:
    """The ids that `generate()` of transformers 5.23 hands to a model of these token ids, after the prompt."""
    config = run.config
    text = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1}
    text |= {"intermediate_size": 32, "vocab_size": config.language.vocab_size, "max_position_embeddings": 4096}
    text["rope_parameters"] = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 3, 3]}
    theirs = Qwen2VLForConditionalGeneration(
        Qwen2VLConfig(
            text_config=text,
            vision_config={"depth": 1, "embed_dim": 32, "num_heads": 2, "hidden_size": 32},
            **{"image_token_id": config.image_token_id, "video_token_id": config.video_token_id},
            **{"vision_start_token_id": config.vision_start_id, "vision_end_token_id": config.vision_end_id},
        )
    ).eval()
    seen: list[torch.Tensor] = []
    forward = theirs.model.language_model.forward

    def listening(*args: Any, **named: Any) -> Any:
        seen.append(named["position_ids"][-3:, 0])
        return forward(*args, **named)

    theirs.model.language_model.forward = listening
    (media,) = run.media
    theirs.generate(
        input_ids=prompt,
        attention_mask=torch.ones_like(prompt),
        pixel_values_videos=torch.zeros(media.num_patches, 1176),
        video_grid_thw=torch.tensor([media.patch_grid]),
        mm_token_type_ids=2 * (prompt == config.video_token_id).long(),
        generation_config=GenerationConfig(max_new_tokens=count + 1, min_new_tokens=count + 1, pad_token_id=0),
    )
    return torch.cat(seen[1:], dim=1)[:, :count]
