"""Published configs in every spelling, what contradicts itself, and presets that count what was published."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from torch import nn

from qwenvl.errors import CheckpointError, UserError
from qwenvl.loading.load import build_skeleton, count_parameters
from qwenvl.models.config import PRESETS, QWEN2_VL_2B, QWEN2_VL_7B, QWEN2_VL_72B, QWEN_VL
from qwenvl.published_files.published_config import ConfigError, from_published
from tests.support.goldens import GOLDENS, QWEN2_VL_NAMES, read_json

# The published numbers, spelled as the published files spell them.
QWEN_VL_FILE: dict[str, Any] = {
    "model_type": "qwen",
    "architectures": ["QWenLMHeadModel"],
    "vocab_size": 151936,
    "hidden_size": 4096,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "kv_channels": 128,
    "intermediate_size": 22016,
    "layer_norm_epsilon": 1e-06,
    "rotary_emb_base": 10000,
    "rotary_pct": 1.0,
    "seq_length": 2048,
    "max_position_embeddings": 8192,
    "no_bias": True,
    "tie_word_embeddings": False,
    "use_dynamic_ntk": True,
    "use_logn_attn": True,
    "visual": {
        "heads": 16,
        "image_size": 448,
        "image_start_id": 151857,
        "layers": 48,
        "mlp_ratio": 4.9231,
        "output_dim": 4096,
        "patch_size": 14,
        "width": 1664,
    },
}
TOWER = {"depth": 32, "embed_dim": 1280, "mlp_ratio": 4, "num_heads": 16, "in_chans": 3, "patch_size": 14}
QWEN2_VL_2B_FILE: dict[str, Any] = {
    "model_type": "qwen2_vl",
    "architectures": ["Qwen2VLForConditionalGeneration"],
    "vision_start_token_id": 151652,
    "vision_end_token_id": 151653,
    "image_token_id": 151655,
    "video_token_id": 151656,
    "hidden_size": 1536,
    "intermediate_size": 8960,
    "max_position_embeddings": 32768,
    "num_attention_heads": 12,
    "num_hidden_layers": 28,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-06,
    "rope_theta": 1000000.0,
    "rope_scaling": {"type": "mrope", "mrope_section": [16, 24, 24]},
    "sliding_window": 32768,
    "use_sliding_window": False,
    "tie_word_embeddings": True,
    "vocab_size": 151936,
    "vision_config": {
        **TOWER,
        "hidden_size": 1536,
        "spatial_merge_size": 2,
        "spatial_patch_size": 14,
        "temporal_patch_size": 2,
    },
}
QWEN2_VL_7B_FILE = {
    **QWEN2_VL_2B_FILE,
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "tie_word_embeddings": False,
    "vocab_size": 152064,
    "vision_config": {**QWEN2_VL_2B_FILE["vision_config"], "hidden_size": 3584},
}


def changed(file: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A copy with some fields changed, those of a nested part by `part__field`; None takes a field away."""
    copied = deepcopy(file)
    for name, value in changes.items():
        part, _, field = name.rpartition("__")
        place = copied[part] if part else copied
        place[field] = value
        if value is None:
            del place[field]
    return copied


def nested(file: dict[str, Any]) -> dict[str, Any]:
    """As transformers 5 saves it: the language model apart, rope in one place."""
    outside = {"model_type", "vision_config", "tie_word_embeddings", "vision_start_token_id", "vision_end_token_id"}
    outside |= {"image_token_id", "video_token_id"}
    text = {name: value for name, value in file.items() if name not in outside | {"rope_scaling", "rope_theta"}}
    text["rope_parameters"] = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24]}
    return {name: value for name, value in file.items() if name in outside} | {"text_config": text}


# --- spellings ---


@pytest.mark.parametrize(
    ("file", "preset"),
    [(QWEN_VL_FILE, QWEN_VL), (QWEN2_VL_2B_FILE, QWEN2_VL_2B), (QWEN2_VL_7B_FILE, QWEN2_VL_7B)],
    ids=["Qwen-VL", "2B", "7B"],
)
def test_the_published_file_is_the_preset(file: dict[str, Any], preset: Any) -> None:
    assert from_published(file) == preset


@pytest.mark.parametrize(
    "file",
    [
        nested(QWEN2_VL_7B_FILE),
        changed(
            QWEN2_VL_7B_FILE, rope_scaling={"type": "default", "rope_type": "default", "mrope_section": [16, 24, 24]}
        ),
        changed(QWEN2_VL_7B_FILE, vision_config={"in_chans": 3, "model_type": "qwen2_vl", "spatial_patch_size": 14}),
        changed(QWEN2_VL_7B_FILE, vision_config={"hidden_size": 3584, "in_chans": 3, "spatial_patch_size": 14}),
        changed(QWEN2_VL_7B_FILE, tie_word_embeddings=None, max_position_embeddings=None),
        changed(QWEN2_VL_7B_FILE, transformers_version="4.45.0", torch_dtype="bfloat16", use_cache=True),
        changed(QWEN2_VL_7B_FILE, _name_or_path="somewhere", hidden_act="silu"),
    ],
    ids=["nested", "rope called default", "no tower", "tower's width only", "defaults", "other keys", "paths"],
)
def test_re_saved_files_describe_the_same_model(file: dict[str, Any]) -> None:
    assert from_published(file) == QWEN2_VL_7B


def test_qwen_vl_files_may_leave_out_what_never_changed() -> None:
    file = changed(QWEN_VL_FILE, kv_channels=None, rotary_emb_base=None, max_position_embeddings=None)
    assert from_published(changed(file, visual__image_start_id=None)) == QWEN_VL


@pytest.mark.parametrize("folder", QWEN2_VL_NAMES)
def test_both_layouts_of_the_goldens_are_one_config(folder: str) -> None:
    path = GOLDENS / "qwen2-vl" / folder
    assert from_published(read_json(path / "config.json")) == from_published(read_json(path / "config.hub_layout.json"))


def test_what_a_config_says_is_read() -> None:
    file = changed(QWEN_VL_FILE, use_dynamic_ntk=False, use_logn_attn=False, layer_norm_epsilon=1e-3, seq_length=64)
    language = from_published(file).language
    assert (language.dynamic_ntk, language.logn, language.norm_eps, language.train_length) == (False, False, 1e-3, 64)
    assert from_published(changed(QWEN_VL_FILE, visual__n_queries=64)).adapter.query_side == 8


def test_the_tower_rounds_its_inner_width_down() -> None:
    assert int(1664 * 4.9231) == from_published(QWEN_VL_FILE).vision.mlp_dim == 8192


# --- refusals ---


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (changed(QWEN_VL_FILE, kv_channels=64), "kv_channels 64 x 32 heads must give hidden_size 4096"),
        (changed(QWEN_VL_FILE, visual__output_dim=2048), "output_dim 2048 must equal hidden_size 4096"),
        (changed(QWEN_VL_FILE, visual__n_queries=200), "n_queries 200 is not a square"),
        (changed(QWEN_VL_FILE, tie_word_embeddings=True), "tie_word_embeddings"),
        (changed(QWEN_VL_FILE, seq_length=None), "no 'seq_length'"),
        (changed(QWEN_VL_FILE, visual__width=None), "no 'width'"),
        (changed(QWEN_VL_FILE, visual=None), "model_type 'qwen'"),
        (changed(QWEN_VL_FILE, visual=[]), "wrong kind"),
        (changed(QWEN_VL_FILE, hidden_size="wide"), "wrong kind"),
        (changed(QWEN_VL_FILE, quantization_config={"quant_method": "gptq"}), "quantised \\(gptq\\)"),
        (changed(QWEN2_VL_7B_FILE, quantization_config={"bits": 4}), "quantised \\(an unknown method\\)"),
        (changed(QWEN2_VL_7B_FILE, rope_scaling=None), "no mrope_section"),
        (changed(QWEN2_VL_7B_FILE, rope_scaling={"mrope_section": [16, 24]}), "must be three numbers"),
        (changed(QWEN2_VL_7B_FILE, rope_scaling={"mrope_section": [16, 24, 25]}), "head_dim / 2 = 64"),
        (changed(QWEN2_VL_7B_FILE, vision_config__hidden_size=1536), "hidden_size 1536 must equal"),
        (changed(QWEN2_VL_7B_FILE, use_sliding_window=True, max_window_layers=27), "use_sliding_window"),
        (changed(QWEN2_VL_7B_FILE, num_key_value_heads=3), "num_attention_heads 28.*num_key_value_heads 3"),
        (changed(QWEN2_VL_7B_FILE, num_attention_heads=30), "hidden_size 3584.*num_attention_heads 30"),
        (changed(QWEN2_VL_7B_FILE, vocab_size=None), "no 'vocab_size'"),
        (changed(QWEN2_VL_7B_FILE, rope_scaling=7), "wrong kind"),
        (changed(QWEN2_VL_7B_FILE, num_attention_heads=0), "wrong kind"),
        (changed(QWEN2_VL_7B_FILE, model_type="qwen2_5_vl"), "model_type 'qwen2_5_vl'"),
        (changed(QWEN2_VL_7B_FILE, model_type=None), "model_type None"),
        ({}, "model_type None"),
    ],
)
def test_what_contradicts_itself_or_is_another_model_is_one_clear_sentence(file: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as refusal:
        from_published(file)
    assert isinstance(refusal.value, CheckpointError)
    assert isinstance(refusal.value, UserError)
    assert "\n" not in str(refusal.value)


# --- presets ---


@cache
def on_meta(name: str) -> nn.Module:
    return build_skeleton(PRESETS[name])


def count(*parts: nn.Module) -> int:
    return sum(parameter.numel() for part in parts for parameter in part.parameters())


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("Qwen-VL", 9_656_935_168),
        ("Qwen-VL-Chat", 9_656_935_168),
        ("Qwen2-VL-2B", 2_208_985_600),
        ("Qwen2-VL-7B", 8_291_375_616),
        ("Qwen2-VL-72B", 73_405_560_320),
    ],
)
def test_presets_have_exactly_the_published_parameters(name: str, parameters: int) -> None:
    assert count_parameters(PRESETS[name]) == parameters


@pytest.mark.parametrize(("preset", "size"), [("Qwen2-VL-2B", "2B"), ("Qwen2-VL-7B", "7B"), ("Qwen2-VL-72B", "72B")])
def test_parts_of_qwen2_vl_have_the_published_parameters(preset: str, size: str) -> None:
    expected, model = read_json(GOLDENS / "qwen2-vl" / "params.json")[size], on_meta(preset)
    assert count(model.vision) == expected["visual_without_merger"]
    assert count(model.adapter) == expected["merger"]
    assert count(model.vision, model.adapter) == expected["visual"]
    language = model.language
    assert count(language.embed, language.blocks, language.norm) == expected["language_model"]
    assert count(language.embed) == expected["embed"]
    assert (language.head is None) == expected["tied"]
    assert expected["tied"] or count(language.head) == expected["lm_head"]


def test_parts_of_qwen_vl_have_the_published_parameters() -> None:
    model = on_meta("Qwen-VL")
    after_attention = model.adapter.projection.numel() + count(model.adapter.norm_out)
    assert count(model.vision) == 1_842_770_688
    assert count(model.adapter) - after_attention == 76_054_528
    assert after_attention == 16_785_408
    assert count(model.vision, model.adapter) == 1_935_610_624
    assert count(model.language) == 7_721_324_544
    assert count(model.language.embed) == count(model.language.head) == 622_329_856


def test_the_inner_width_of_qwen_is_half_of_what_its_file_says() -> None:
    twice = replace(QWEN_VL, language=replace(QWEN_VL.language, mlp_dim=22016))
    assert count_parameters(twice) - count_parameters(QWEN_VL) == 32 * 3 * 4096 * 11008


def test_only_the_72b_has_derived_dimensions_and_all_sizes_share_a_tower() -> None:
    assert QWEN2_VL_2B.vision == QWEN2_VL_7B.vision == QWEN2_VL_72B.vision
    assert {count(on_meta(name).vision) for name in ("Qwen2-VL-2B", "Qwen2-VL-7B", "Qwen2-VL-72B")} == {631_183_360}
