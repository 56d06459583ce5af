"""Folders in the published layouts: written here at small and at real widths, and, where a reader has any, real ones.

`PUBLISHED_FOLDERS=folder make test TESTS=tests/test_published_folders.py` reads the small files of every one there
(config, index, vocabulary; no weights are needed). What they say is kept in goldens/published_names.json.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import qwenvl
from qwenvl.errors import CheckpointError
from qwenvl.inference.generate import TokenSampling
from qwenvl.loading.checkpoint_files import weight_files
from qwenvl.loading.load import build_skeleton, load_model, read_config
from qwenvl.models.config import QWEN2_VL_2B, QWEN_VL, Config
from qwenvl.models.weights import our_name, published_name
from qwenvl.processing.processor import from_folder
from qwenvl.published_files.json_files import read_json
from qwenvl.published_files.published_config import from_published
from tests.benchmarks.loading import in_a_process
from tests.support.goldens import GOLDENS
from tests.support.published import published_config, write_checkpoint, write_weights
from tests.support.tiny import one_picture

FACTS = json.loads((GOLDENS / "published_names.json").read_text(encoding="utf-8"))
GIVEN = Path(os.environ.get("PUBLISHED_FOLDERS", "nowhere"))
REAL = sorted(path.parent for path in GIVEN.glob("*/config.json"))


def small(config: Config, blocks: int = 1, **language: Any) -> Any:
    """The same architecture, narrow and flat, with the published vocabulary."""
    narrow = {"dim": 128, "num_blocks": blocks, "mlp_dim": 64, **language}
    vision = replace(config.vision, dim=64, num_blocks=blocks, num_heads=2, mlp_dim=128)
    rest = {"adapter": replace(config.adapter, num_heads=1)} if config.family == "qwen-vl" else {}
    return replace(config, vision=vision, language=replace(config.language, **narrow), **rest)


SMALL = {
    "qwen-vl": small(QWEN_VL, num_heads=1, head_dim=128),
    "qwen2-vl": small(QWEN2_VL_2B, num_heads=2, num_kv_heads=1, head_dim=64, rope_sections=(8, 12, 12)),
}


# --- what a whole folder holds ---


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["safetensors", "bin"])
@pytest.mark.parametrize("family", SMALL)
def test_a_folder_as_published_is_asked_like_any_other(tmp_path: Path, family: str, suffix: str) -> None:
    folder = write_checkpoint(tmp_path / "model", SMALL[family], shard_bytes=8 << 20, suffix=suffix)
    assert len(weight_files(folder)) > 2
    pipeline = qwenvl.load(folder, device="cpu")
    assert pipeline.config == SMALL[family]
    assert pipeline.sampling == TokenSampling.from_published(read_json(folder / "generation_config.json"))
    run = pipeline.run(one_picture(), max_new_tokens=2, temperature=0.0)
    assert len(run.tokens) - run.answer_start >= 1
    assert run.tokens[run.answer_start].id < pipeline.config.language.vocab_size


@pytest.mark.parametrize("family", SMALL)
def test_a_config_written_as_published_is_read_back(family: str) -> None:
    for config in (SMALL[family], {"qwen-vl": QWEN_VL, "qwen2-vl": QWEN2_VL_2B}[family]):
        assert from_published(published_config(config)) == config


# --- memory: full width, few blocks, in processes of their own ---


@pytest.mark.slow
def test_loading_holds_the_weights_once_and_at_most_one_shard_beside_them(tmp_path: Path) -> None:
    cut = replace(
        QWEN2_VL_2B,
        vision=replace(QWEN2_VL_2B.vision, num_blocks=2),
        language=replace(QWEN2_VL_2B.language, num_blocks=3, vocab_size=20_000),
        **dict.fromkeys(("vision_start_id", "vision_end_id", "image_token_id", "video_token_id"), 19990),
    )
    (tmp_path / "config.json").write_text(json.dumps(published_config(cut)), encoding="utf-8")
    write_weights(tmp_path, cut, shard_bytes=128 << 20, suffix="safetensors", dtype=torch.bfloat16, seed=0)
    shard = max(file.stat().st_size for file in weight_files(tmp_path))
    for dtype in ("bfloat16", "float32"):
        found = in_a_process(tmp_path, dtype)
        margin = 100 << 20  # of modules that are imported, and of the allocator
        assert found["peak"] <= found["weights"] + shard + margin, dtype
        assert found["peak"] >= 0.9 * found["weights"]


# --- the real ones, where somebody has them ---


@pytest.mark.skipif(not REAL, reason="PUBLISHED_FOLDERS names no folder of checkpoints")
@pytest.mark.parametrize("folder", REAL, ids=lambda folder: folder.name)
def test_a_real_folder_is_read_or_refused_by_name(folder: Path) -> None:
    published = read_json(folder / "config.json")
    if "quantization_config" in published or published["model_type"] not in ("qwen", "qwen2_vl"):
        with pytest.raises(CheckpointError, match=r"quantised|model_type"):
            read_config(folder)
        return
    config = read_config(folder)
    for index in folder.glob("*.index.json"):
        names = sorted(read_json(index)["weight_map"])
        model = build_skeleton(config)
        assert sorted(published_name(name, config.family) for name in model.state_dict()) == names
        assert all(our_name(name, config.family) for name in names)
        assert read_json(index)["metadata"]["total_size"] == 2 * sum(value.numel() for value in model.parameters())
        facts = [one for one in FACTS.values() if one["tensors"] == len(names)]
        assert [hashlib.sha256("\n".join(names).encode()).hexdigest()] == [one["sha256"] for one in facts]
    if (folder / "generation_config.json").exists():
        assert TokenSampling.from_published(read_json(folder / "generation_config.json")).max_new_tokens >= 1
    if any((folder / name).exists() for name in ("qwen.tiktoken", "vocab.json", "tokenizer.json")):
        prompt = from_folder(folder, config)(one_picture())
        assert len(prompt.input_ids) > 200 or config.family == "qwen2-vl"


def test_a_folder_without_weights_says_so(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(published_config(SMALL["qwen2-vl"])), encoding="utf-8")
    with pytest.raises(CheckpointError, match="has no weights"):
        load_model(tmp_path, device="cpu")
