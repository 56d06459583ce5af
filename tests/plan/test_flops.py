"""The closed forms against torch's own counter, which watches a real forward pass."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from PIL import Image
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from qwenvl.loading.load import build
from qwenvl.models.config import PRESETS, Config
from qwenvl.plan import CHECKPOINTS, parameters_by_part, plan
from qwenvl.plan.flops import count_flops
from qwenvl.processing.processor import Prompt, from_folder
from qwenvl.published_files.json_files import read_json
from qwenvl.published_files.published_config import from_published

TINY = ["tiny-qwen-vl", "tiny-qwen2-vl"]


def count_forward(model: Any, **inputs: Any) -> dict[str, int]:
    """What torch counts in one forward pass, by our parts; only the last position gets logits.

    Attention is run as products of matrices, since torch's counter knows no fused attention of the CPU.
    """
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH), torch.no_grad():
        model(**inputs, last=1)
    counts = {name: sum(found.values()) for name, found in counter.get_flop_counts().items()}
    root, total = type(model).__name__, counts["Global"]
    parts = {part: counts.get(f"{root}.{part}", 0) for part in ("vision", "adapter")}
    return {**parts, "language": total - sum(parts.values())}  # the head is called outside of the language module


def ask(name: str, content: list[dict[str, Any]], config: Config) -> Prompt:
    words = {"type": "text", "text": "What is this?"}
    return from_folder(CHECKPOINTS / name, config)([{"role": "user", "content": [*content, words]}])


@pytest.mark.parametrize("name", TINY)
@pytest.mark.parametrize("pictures", [0, 1, 2])
def test_the_tiny_models_count_as_torch_counts_them(name: str, pictures: int) -> None:
    config = from_published(read_json(CHECKPOINTS / name / "config.json"))
    sizes = ((200, 100), (90, 60))[:pictures]
    prompt = ask(name, [{"type": "image", "image": Image.new("RGB", size)} for size in sizes], config)
    counted = count_forward(build(config), **prompt.model_inputs)
    assert count_flops(config, prompt.media, len(prompt.input_ids)) == counted
    assert all(counted[part] > 0 for part in counted) is (pictures > 0)


@pytest.mark.parametrize("name", TINY)
def test_a_clip_counts_each_temporal_patch_apart(name: str) -> None:
    config = from_published(read_json(CHECKPOINTS / name / "config.json"))
    clip = {"type": "video", "video": [Image.new("RGB", (112, 84), (shade, 0, 0)) for shade in range(6)]}
    prompt = ask(name, [clip, {"type": "image", "image": Image.new("RGB", (60, 60))}], config)
    counted = count_forward(build(config), **prompt.model_inputs)
    assert count_flops(config, prompt.media, len(prompt.input_ids)) == counted


def test_other_widths_count_as_torch_counts_them() -> None:
    """A tower and a language model of different widths, where Qwen-VL's adapter widens; an untied head in Qwen2-VL."""
    for name in TINY:
        config = from_published(read_json(CHECKPOINTS / name / "config.json"))
        vision = replace(config.vision, dim=config.vision.num_heads * 16, mlp_dim=88, num_blocks=2)
        more = {"tied": False} if config.family == "qwen2-vl" else {}
        config = replace(config, vision=vision, language=replace(config.language, num_blocks=1, mlp_dim=72, **more))
        prompt = ask(name, [{"type": "image", "image": Image.new("RGB", (70, 110))}], config)
        counted = count_forward(build(config), **prompt.model_inputs)
        assert count_flops(config, prompt.media, len(prompt.input_ids)) == counted


def test_a_pass_is_about_two_operations_a_parameter_and_token() -> None:
    """For a prompt short enough that attention is small beside the layers."""
    for name, config in PRESETS.items():
        cost = plan([], name, text_tokens=100)
        embeddings = (1 if getattr(config.language, "tied", False) else 2) * config.language.vocab_size
        inside = parameters_by_part(config)["language"] - embeddings * config.language.dim
        assert cost.flops["language"] == pytest.approx(2 * inside * cost.prompt_tokens, rel=0.02)
        assert cost.flops["vision"] == cost.flops["adapter"] == 0


@pytest.mark.parametrize("name", TINY)
def test_attention_written_out_is_rows_by_keys(name: str) -> None:
    """One by one: every query of every segment with every key, in every head of every layer."""
    cost = plan([(200, 100), (100, 200)], CHECKPOINTS / name, text="Which is wide?", bytes_per_value=4)
    config = from_published(read_json(CHECKPOINTS / name / "config.json"))
    patches = [math.prod(item.patch_grid) for item in cost.media]
    vision = 4 * config.vision.num_blocks * config.vision.num_heads * sum(n * n for n in patches)
    language = 4 * config.language.num_blocks * config.language.num_heads * cost.prompt_tokens * cost.prompt_tokens
    expected = {"vision": vision, "language": language}
    if config.family == "qwen-vl":
        expected["adapter"] = 4 * config.adapter.num_heads * config.adapter.num_queries * sum(patches)
    assert cost.attention_bytes == expected
