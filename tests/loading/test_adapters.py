"""Folders of an adapter (LoRA): added to their base model on load, to rounding what peft merges."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import Qwen2VLForConditionalGeneration

import qwenvl
from qwenvl.errors import CheckpointError
from tests.support.folders import SOURCE, edit, variant
from tests.support.goldens import assert_close
from tests.support.tiny import one_picture

EVERYWHERE = r".*(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj|qkv|proj|fc1|fc2|mlp\.0|mlp\.2)$"
KINDS: dict[str, dict[str, Any]] = {
    "attention": {"r": 4, "lora_alpha": 12, "target_modules": ["q_proj", "v_proj"]},
    "everywhere": {"r": 3, "lora_alpha": 6, "target_modules": EVERYWHERE, "exclude_modules": r".*patch_embed.*"},
    "rank stabilised": {"r": 8, "lora_alpha": 16, "use_rslora": True, "target_modules": ["qkv", "down_proj"]},
    "patterns": {
        **{"r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "k_proj"]},
        **{"rank_pattern": {"k_proj": 2}, "alpha_pattern": {"layers.1.self_attn.q_proj": 40}},
    },
    "an embedding and a head": {
        "r": 4,
        "lora_alpha": 8,
        "target_modules": ["embed_tokens", "up_proj"],
        "modules_to_save": ["lm_head"],
    },
}


def write_adapter(folder: Path, kind: str, dtype: torch.dtype) -> Any:
    """An adapter of the shipped twin, trained by nobody: both halves random. Returns what peft merges."""
    torch.manual_seed(0)
    theirs = Qwen2VLForConditionalGeneration.from_pretrained(SOURCE, dtype=dtype).eval()
    model = get_peft_model(theirs, LoraConfig(**KINDS[kind]))
    for name, parameter in model.named_parameters():
        if "lora_" in name or "modules_to_save" in name:
            parameter.data.normal_(std=0.05)
    model.save_pretrained(folder)
    edit(folder / "adapter_config.json", base_model_name_or_path=str(SOURCE))
    return model.merge_and_unload().eval()


@pytest.mark.parametrize("kind", KINDS)
def test_an_adapter_is_added_as_peft_merges_it(kind: str, tmp_path: Path) -> None:
    merged = write_adapter(tmp_path / "lora", kind, torch.float32)
    pipeline = qwenvl.load(tmp_path / "lora", dtype="float32", device="cpu")
    assert pipeline.name == "lora"
    ids = torch.randint(0, 2000, (1, 30), generator=torch.Generator().manual_seed(2))
    prompt = pipeline.processor(one_picture())
    inputs = prompt.model_inputs
    with torch.no_grad():
        assert_close(pipeline.model(input_ids=ids), merged(input_ids=ids).logits, 6e-4)
        types = (inputs["input_ids"] == pipeline.config.image_token_id).long()
        assert_close(pipeline.model(**inputs), merged(**inputs, mm_token_type_ids=types).logits, 6e-4)
    base = qwenvl.load_model(SOURCE, dtype="float32", device="cpu")
    assert (base(input_ids=ids) - pipeline.model(input_ids=ids)).abs().max() > 1e-2


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_the_sum_is_in_the_dtype_of_the_base(dtype: str, tmp_path: Path) -> None:
    merged = write_adapter(tmp_path / "lora", "everywhere", getattr(torch, dtype))
    ours = qwenvl.load_model(tmp_path / "lora", dtype=dtype, device="cpu")
    theirs = merged.model.language_model.layers[0].self_attn.q_proj.weight
    found = ours.language.blocks[0].query.weight
    assert found.dtype == theirs.dtype == getattr(torch, dtype)
    step = 2**-8 if dtype == "bfloat16" else 2**-22
    assert ((found - theirs).abs() <= step * theirs.abs() + 1e-8).all()


@pytest.mark.parametrize("place", ["beside", "by name", "relative", "a .bin file", "names of older releases"])
def test_the_base_is_found(place: str, tmp_path: Path) -> None:
    folder = tmp_path / "lora"
    write_adapter(folder, "attention", torch.float32)
    expected = qwenvl.load_model(folder, dtype="float32", device="cpu").language.blocks[0].query.weight
    if place == "beside":
        variant(tmp_path / "my-base")
        edit(folder / "adapter_config.json", base_model_name_or_path="/nowhere/my-base")
    elif place == "by name":
        edit(folder / "adapter_config.json", base_model_name_or_path="tiny-qwen2-vl")
    elif place == "relative":
        variant(folder / "base")
        edit(folder / "adapter_config.json", base_model_name_or_path="base")
    else:
        tensors = load_file(folder / "adapter_model.safetensors")
        if place == "names of older releases":
            tensors = {name.replace("model.language_model.", "model."): tensor for name, tensor in tensors.items()}
            save_file(tensors, folder / "adapter_model.safetensors")
        else:
            torch.save(tensors, folder / "adapter_model.bin")
            (folder / "adapter_model.safetensors").unlink()
    pipeline = qwenvl.load(folder, dtype="float32", device="cpu")
    assert pipeline.model.language.blocks[0].query.weight.equal(expected)
    assert pipeline.processor.context == 32_768
    plan = qwenvl.plan([], folder, text="What?")
    assert plan.prompt_tokens == qwenvl.plan([], "tiny-qwen2-vl", text="What?").prompt_tokens
    assert plan.name == "lora"


def test_its_own_small_files_come_first(tmp_path: Path) -> None:
    folder = tmp_path / "lora"
    write_adapter(folder, "attention", torch.float32)
    template = (
        "{% for m in messages %}{{ m['role'] }}"
        "{% for p in m['content'] %}{% if p['type'] == 'image' %}<|image_pad|>{% endif %}{% endfor %}{% endfor %}"
    )
    (folder / "chat_template.jinja").write_text(template)
    edit(folder / "generation_config.json", do_sample=True, temperature=0.5, eos_token_id=2050)
    edit(folder / "preprocessor_config.json", max_pixels=50_176)
    pipeline = qwenvl.load(folder, device="cpu")
    assert pipeline.processor(one_picture()).text == "user<|image_pad|>"
    assert pipeline.sampling.temperature == 0.5
    assert pipeline.processor.stop_ids == {2050}
    assert qwenvl.plan((900, 900), folder).max_pixels == 50_176


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"base_model_name_or_path": "Qwen/Qwen2-VL-2B-Instruct"},
            "of Qwen/Qwen2-VL-2B-Instruct, which is not at hand",
        ),
        ({"base_model_name_or_path": "/nowhere/at/all"}, "which is not at hand: put its folder beside"),
        ({"base_model_name_or_path": None}, "does not say of which model"),
        ({"base_model_name_or_path": 7}, "base_model_name_or_path 7"),
        ({"peft_type": "IA3"}, "peft_type 'IA3'"),
        ({"use_dora": True}, "use_dora true"),
        ({"bias": "all"}, "bias 'all'"),
        ({"fan_in_fan_out": True}, "fan_in_fan_out true"),
        ({"init_lora_weights": "pissa"}, "init_lora_weights 'pissa'"),
        ({"rank_pattern": {"(a+)+$": 3}}, "rank_pattern"),
        ({"r": 0}, "r 0"),
        ({"lora_alpha": "16"}, "lora_alpha '16'"),
        ({"layer_replication": [[0, 2]]}, "layer_replication"),
    ],
)
def test_what_an_adapter_asks_for_beyond_is_refused(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    folder = tmp_path / "lora"
    write_adapter(folder, "attention", torch.float32)
    edit(folder / "adapter_config.json", **changes)
    for door in (qwenvl.load, lambda folder, **_: qwenvl.plan([], folder)):
        with pytest.raises(CheckpointError, match=words) as refusal:
            door(folder, device="cpu")
        assert "\n" not in str(refusal.value)


def test_tensors_that_do_not_fit_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "lora"
    write_adapter(folder, "attention", torch.float32)
    tensors = load_file(folder / "adapter_model.safetensors")
    name = next(name for name in tensors if name.endswith("layers.0.self_attn.q_proj.lora_A.weight"))

    def refused(changed: dict[str, Any], words: str) -> None:
        save_file(changed, folder / "adapter_model.safetensors")
        with pytest.raises(CheckpointError, match=words):
            qwenvl.load_model(folder, device="cpu")

    refused({key: value for key, value in tensors.items() if key != name}, "half of the pair")
    refused(tensors | {name: torch.zeros(4, 99)}, "is it the base it was trained on")
    refused(
        tensors | {"base_model.model.other.lora_A.weight": torch.zeros(2, 2)}, "which a qwen2-vl model does not have"
    )
    far = {key.replace("layers.0", "layers.9"): value for key, value in tensors.items() if "layers.0" in key}
    far = {key: value.clone() for key, value in far.items()}
    refused(tensors | far, "which its base model does not have")
    (folder / "adapter_model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="lacks adapter_model"):
        qwenvl.load_model(folder, device="cpu")


def test_an_adapter_of_qwen_vl_is_added_too(tmp_path: Path) -> None:
    base = SOURCE.parent / "tiny-qwen-vl"
    plain = load_file(base / "model.safetensors")
    name = "transformer.h.0.attn.c_attn"
    a, b = torch.randn(4, 128), torch.randn(384, 4)
    settings = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "base_model_name_or_path": "tiny-qwen-vl"}
    (tmp_path / "adapter_config.json").write_text(json.dumps(settings))
    save_file(
        {f"base_model.model.{name}.lora_A.weight": a, f"base_model.model.{name}.lora_B.weight": b},
        tmp_path / "adapter_model.safetensors",
    )
    model = qwenvl.load(tmp_path, dtype="float32", device="cpu").model
    assert_close(model.language.blocks[0].qkv.weight, plain[f"{name}.weight"].float() + 2 * b @ a, 1e-5)
