"""Writes the tiny checkpoints with seeded random weights, as whole folders in the published layouts.

Knows the published names and files alone, no model class: what the loader makes of the folders is a test of the loader.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from qwenvl.tiny import folders
from qwenvl.tiny.vocabulary import (
    RANKS,
    added_tokens,
    build_ranks,
    common_words,
    special_ids,
    write_tiktoken,
    write_tokenizer_json,
)

Tensors = dict[str, np.ndarray]

SHARPNESS = 2.0  # how much larger queries and keys are than their input: rows get peaks, as trained ones have
LOUDNESS = 1.5  # what a block adds where embeddings are tied: less, and every token would predict itself
WHISPER = 0.25  # how large the output rows are of tokens that are no words: what is said can be read


class Lots:
    """Random tensors by name. All chance comes from one seeded generator, which is the same on every machine."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.tensors: Tensors = {}

    def table(self, name: str, *shape: int, std: float) -> None:
        """Numbers around 0."""
        self.tensors[name] = (std * self.random.standard_normal(shape, np.float32)).astype(np.float16)

    def linear(self, name: str, outputs: int, inputs: int, *, bias: bool = True, gain: float = 1.0) -> None:
        """A layer that keeps the size of what it is given, times `gain`."""
        self.table(f"{name}.weight", outputs, inputs, std=gain * inputs**-0.5)
        if bias:
            self.tensors[f"{name}.bias"] = np.zeros(outputs, np.float16)

    def norm(self, name: str, dim: int, *, bias: bool = True) -> None:
        """A normalisation that does nothing more."""
        self.tensors[f"{name}.weight"] = np.ones(dim, np.float16)
        if bias:
            self.tensors[f"{name}.bias"] = np.zeros(dim, np.float16)


def qwen_vl_tensors(config: Mapping[str, Any], ranks: Sequence[bytes], seed: int) -> Tensors:
    """Every tensor of a Qwen-VL checkpoint, under its published name."""
    lots = Lots(seed)
    visual, dim, num_layers = config["visual"], config["hidden_size"], config["num_hidden_layers"]
    width, depth, patch = visual["width"], visual["layers"], visual["patch_size"]
    lots.table("transformer.wte.weight", config["vocab_size"], dim, std=1.0)
    for layer in range(num_layers):
        block, gain, inner = f"transformer.h.{layer}", (2 * num_layers) ** -0.5, config["intermediate_size"] // 2
        lots.norm(f"{block}.ln_1", dim, bias=False)
        lots.linear(f"{block}.attn.c_attn", 3 * dim, dim, gain=SHARPNESS)
        lots.linear(f"{block}.attn.c_proj", dim, dim, bias=False, gain=gain)
        lots.norm(f"{block}.ln_2", dim, bias=False)
        lots.linear(f"{block}.mlp.w1", inner, dim, bias=False)
        lots.linear(f"{block}.mlp.w2", inner, dim, bias=False)
        lots.linear(f"{block}.mlp.c_proj", dim, inner, bias=False, gain=gain)
    lots.norm("transformer.ln_f", dim, bias=False)
    lots.linear("lm_head", config["vocab_size"], dim, bias=False)
    _hush(lots.tensors["lm_head.weight"], ranks)
    tower = "transformer.visual"
    lots.table(f"{tower}.conv1.weight", width, 3, patch, patch, std=(3 * patch * patch) ** -0.5)
    lots.table(f"{tower}.positional_embedding", 256, width, std=0.1)
    lots.norm(f"{tower}.ln_pre", width)
    for layer in range(depth):
        block, gain, inner = f"{tower}.transformer.resblocks.{layer}", (2 * depth) ** -0.5, width * visual["mlp_ratio"]
        lots.norm(f"{block}.ln_1", width)
        lots.linear(f"{block}.attn.in_proj", 3 * width, width, gain=SHARPNESS)
        lots.linear(f"{block}.attn.out_proj", width, width, gain=gain)
        lots.norm(f"{block}.ln_2", width)
        lots.linear(f"{block}.mlp.c_fc", inner, width)
        lots.linear(f"{block}.mlp.c_proj", width, inner, gain=gain)
    _add_resampler(lots, f"{tower}.attn_pool", dim, width)
    lots.norm(f"{tower}.ln_post", dim)
    lots.table(f"{tower}.proj", dim, dim, std=dim**-0.5)
    return lots.tensors


def _hush(head: np.ndarray, ranks: Sequence[bytes]) -> None:
    """Make the output rows of all but English words small: no control token or lone byte is ever the likeliest."""
    words = {word.encode() for word in common_words() if word.startswith(" ")}
    for rank in range(len(head)):
        if rank >= len(ranks) or ranks[rank] not in words:
            head[rank] *= np.float16(WHISPER)


def _add_resampler(lots: Lots, name: str, dim: int, width: int) -> None:
    lots.table(f"{name}.query", 256, dim, std=1.0)
    lots.tensors[f"{name}.pos_embed"] = adapter_positions(16, dim).astype(np.float16)
    lots.linear(f"{name}.kv_proj", dim, width, bias=False)
    lots.norm(f"{name}.ln_q", dim)
    lots.norm(f"{name}.ln_kv", dim)
    lots.table(f"{name}.attn.in_proj_weight", 3 * dim, dim, std=SHARPNESS * dim**-0.5)
    lots.tensors[f"{name}.attn.in_proj_bias"] = np.zeros(3 * dim, np.float16)
    lots.linear(f"{name}.attn.out_proj", dim, dim)


def adapter_positions(side: int, dim: int) -> np.ndarray:
    """Qwen-VL's fixed position code, float32 (side * side, dim): sines, half of them of the column, half of the row."""
    frequencies = 1 / 10000 ** (np.arange(dim // 4, dtype=np.float32) / np.float32(dim / 4))
    angles = np.arange(side, dtype=np.float32)[:, None] * frequencies
    code = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
    rows, columns = np.divmod(np.arange(side * side), side)
    return np.concatenate([code[columns], code[rows]], axis=1)


def qwen2_vl_tensors(config: Mapping[str, Any], ranks: Sequence[bytes], seed: int) -> Tensors:
    """Every tensor of a Qwen2-VL checkpoint with tied embeddings, under its published name."""
    lots = Lots(seed)
    vision, dim, num_layers = config["vision_config"], config["hidden_size"], config["num_hidden_layers"]
    head_dim = dim // config["num_attention_heads"]
    shared = head_dim * config["num_key_value_heads"]
    lots.table("model.embed_tokens.weight", config["vocab_size"], dim, std=dim**-0.5)
    _hush(lots.tensors["model.embed_tokens.weight"], ranks)
    for layer in range(num_layers):
        block, gain, inner = f"model.layers.{layer}", LOUDNESS, config["intermediate_size"]
        lots.norm(f"{block}.input_layernorm", dim, bias=False)
        lots.linear(f"{block}.self_attn.q_proj", dim, dim, gain=SHARPNESS)
        lots.linear(f"{block}.self_attn.k_proj", shared, dim, gain=SHARPNESS)
        lots.linear(f"{block}.self_attn.v_proj", shared, dim)
        lots.linear(f"{block}.self_attn.o_proj", dim, dim, bias=False, gain=gain)
        lots.norm(f"{block}.post_attention_layernorm", dim, bias=False)
        lots.linear(f"{block}.mlp.gate_proj", inner, dim, bias=False)
        lots.linear(f"{block}.mlp.up_proj", inner, dim, bias=False)
        lots.linear(f"{block}.mlp.down_proj", dim, inner, bias=False, gain=gain)
    lots.norm("model.norm", dim, bias=False)
    _add_tower(lots, vision, dim)
    return lots.tensors


def _add_tower(lots: Lots, vision: Mapping[str, Any], dim: int) -> None:
    width, depth, patch, frames = (vision[key] for key in ("embed_dim", "depth", "patch_size", "temporal_patch_size"))
    std = (3 * frames * patch * patch) ** -0.5
    lots.table("visual.patch_embed.proj.weight", width, 3, frames, patch, patch, std=std)
    for layer in range(depth):
        block, gain, inner = f"visual.blocks.{layer}", (2 * depth) ** -0.5, width * vision["mlp_ratio"]
        lots.norm(f"{block}.norm1", width)
        lots.linear(f"{block}.attn.qkv", 3 * width, width, gain=SHARPNESS)
        lots.linear(f"{block}.attn.proj", width, width, gain=gain)
        lots.norm(f"{block}.norm2", width)
        lots.linear(f"{block}.mlp.fc1", inner, width)
        lots.linear(f"{block}.mlp.fc2", width, inner, gain=gain)
    merged = width * vision["spatial_merge_size"] ** 2
    lots.norm("visual.merger.ln_q", width)
    lots.linear("visual.merger.mlp.0", merged, merged)
    lots.linear("visual.merger.mlp.2", dim, merged)


def write_untrained(folder: Path, seed: int = 0) -> list[Path]:
    """Write `tiny-qwen-vl` and `tiny-qwen2-vl` into a folder, byte for byte the same for the same seed.

    Returns the two checkpoints' folders.
    """
    ranks = build_ranks()
    return [
        _write_qwen_vl(folder / "tiny-qwen-vl", ranks, seed),
        _write_qwen2_vl(folder / "tiny-qwen2-vl", ranks, seed),
    ]


def _write_qwen_vl(folder: Path, ranks: list[bytes], seed: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    ids = special_ids("qwen-vl")
    config = folders.qwen_vl_config(ids) | {"qwenvl": {"trained": False, "seed": seed}}
    write_tiktoken(ranks, folder / "qwen.tiktoken")
    files = {
        "config.json": config,
        "generation_config.json": folders.qwen_vl_generation(ids),
        "tokenizer_config.json": folders.QWEN_VL_TOKENIZER,
    }
    return _write(folder, files, qwen_vl_tensors(config, ranks, seed), seed)


def _write_qwen2_vl(folder: Path, ranks: list[bytes], seed: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    ids = special_ids("qwen2-vl")
    config = folders.qwen2_vl_config(ids) | {"qwenvl": {"trained": False, "seed": seed}}
    write_tokenizer_json(ranks, folder / "tokenizer.json")
    files = {
        "config.json": config,
        "generation_config.json": folders.qwen2_vl_generation(ids),
        "preprocessor_config.json": folders.QWEN2_VL_PREPROCESSOR,
        "tokenizer_config.json": folders.qwen2_vl_tokenizer(added_tokens()),
        "chat_template.json": {"chat_template": folders.QWEN2_VL_CHAT_TEMPLATE},
    }
    return _write(folder, files, qwen2_vl_tensors(config, ranks, seed), seed)


def _write(folder: Path, files: Mapping[str, Mapping[str, Any]], tensors: Tensors, seed: int) -> Path:
    for name, content in files.items():
        text = json.dumps(content, indent=2, ensure_ascii=False)
        (folder / name).write_text(text + "\n", encoding="utf-8", newline="\n")
    weights = folder / "model.safetensors"
    save_file(tensors, weights, metadata={"format": "pt"})
    weights.chmod(0o644)
    (folder / "README.md").write_text(_card(folder.name, tensors, seed), encoding="utf-8", newline="\n")
    return folder


def _card(name: str, tensors: Tensors, seed: int) -> str:
    """The model card: what this is, and above all what it is not."""
    family, paper = {
        "tiny-qwen-vl": ("Qwen-VL", "2308.12966"),
        "tiny-qwen2-vl": ("Qwen2-VL", "2409.12191"),
    }[name]
    parameters = sum(tensor.size for tensor in tensors.values())
    size = sum(tensor.nbytes for tensor in tensors.values()) / 1e6
    return f"""---
license: apache-2.0
---

# {name}

**Untrained: seeded random weights.** A {family} ([{paper}](https://arxiv.org/abs/{paper})) of {parameters:,} parameters
({size:.1f} MB, float16), in the published folder layout. It shows how {family} is built and what it computes: patches,
tokens, positions, attention. What it answers means nothing.

| | |
| --- | --- |
| trained | no (`"qwenvl": {{"trained": false}}` in `config.json`) |
| seed | {seed} |
| made by | `python -m qwenvl.tiny untrained --seed {seed}`, NumPy {version("numpy")} |
| vocabulary | {RANKS:,} byte-level BPE tokens over the synthetic world, English and Chinese |
| files | byte for byte the same for the same seed and version |
"""
