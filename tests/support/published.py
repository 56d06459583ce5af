"""Checkpoint folders in the published layouts, of any size, with random weights and the published vocabulary.

They stand for the released ones, which no test downloads: the same files, names and shapes, written shard by shard.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from qwenvl.loading.load import build_skeleton
from qwenvl.models.config import Config, Qwen2VLConfig, QwenVLConfig
from qwenvl.models.qwen_vl import position_code
from qwenvl.models.weights import published_name
from qwenvl.processing.text.tokenizers import TiktokenTokenizer, byte_characters

QWEN2_VL_SPECIALS = (
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>"),
    *("<|box_start|>", "<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>"),
    *("<|vision_pad|>", "<|image_pad|>", "<|video_pad|>"),
)
INSTRUCTED = "Qwen2-VL-7B-Instruct_via-olmOCR-preview"  # where goldens/published_configs.json has the 7B's own files


def write_checkpoint(
    folder: Path,
    config: Config,
    *,
    shard_bytes: int = 2 << 30,
    suffix: str = "safetensors",
    dtype: torch.dtype = torch.bfloat16,
    seed: int = 0,
) -> Path:
    """A whole folder: config, weights in shards with their index, vocabulary, preprocessor and generation configs."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "config.json", published_config(config))
    write_weights(folder, config, shard_bytes=shard_bytes, suffix=suffix, dtype=dtype, seed=seed)
    if isinstance(config, QwenVLConfig):
        shutil.copy(qwen_tiktoken(), folder / "qwen.tiktoken")
        stops = {"chat_format": "chatml", "max_window_size": 6144, "eos_token_id": 151_643}
        write_json(folder / "generation_config.json", {**stops, "do_sample": True, "top_p": 0.3, "max_new_tokens": 512})
        return folder
    write_vocabulary(folder)
    write_json(folder / "chat_template.json", published_files(INSTRUCTED)["chat_template.json"])
    sampling = {"do_sample": True, "temperature": 0.01, "top_p": 0.001, "top_k": 1, "repetition_penalty": 1.0}
    write_json(folder / "generation_config.json", {**sampling, "eos_token_id": [151_645, 151_643]})
    pixels = {"min_pixels": 3136, "max_pixels": 12_845_056, "patch_size": 14, "temporal_patch_size": 2, "merge_size": 2}
    write_json(folder / "preprocessor_config.json", pixels)
    return folder


def published_files(folder: str) -> dict[str, Any]:
    """The small JSON files of a published folder, by name."""
    facts = Path(__file__).parents[1] / "goldens" / "published_configs.json"
    return json.loads(facts.read_text(encoding="utf-8"))[folder]


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")


# --- weights ---


def write_weights(
    folder: Path, config: Config, *, shard_bytes: int, suffix: str, dtype: torch.dtype, seed: int
) -> dict[str, str]:
    """The shards and their index; memory holds one shard. Returns the index's map."""
    stem = "model" if suffix == "safetensors" else "pytorch_model"
    groups = list(_shards(config, shard_bytes, dtype))
    generator, weight_map, total = torch.Generator().manual_seed(seed), dict[str, str](), 0
    for number, shapes in enumerate(groups, 1):
        file = f"{stem}-{number:05}-of-{len(groups):05}.{suffix}"
        tensors = {name: random_tensor(name, shape, dtype, generator) for name, shape in shapes.items()}
        save_file(tensors, folder / file) if suffix == "safetensors" else torch.save(tensors, folder / file)
        total += sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
        weight_map |= dict.fromkeys(tensors, file)
    write_json(folder / f"{stem}.{suffix}.index.json", {"metadata": {"total_size": total}, "weight_map": weight_map})
    return weight_map


def published_shapes(config: Config) -> dict[str, tuple[int, ...]]:
    """Shapes of every tensor of a model by their published names."""
    model = build_skeleton(config)
    return {published_name(name, config.family): tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def _shards(config: Config, shard_bytes: int, dtype: torch.dtype) -> Iterator[dict[str, tuple[int, ...]]]:
    group: dict[str, tuple[int, ...]] = {}
    size = 0
    for name, shape in published_shapes(config).items():
        own = torch.Size(shape).numel() * dtype.itemsize
        if group and size + own > shard_bytes:
            yield group
            group, size = {}, 0
        group[name] = shape
        size += own
    yield group


def random_tensor(name: str, shape: tuple[int, ...], dtype: torch.dtype, generator: torch.Generator) -> Tensor:
    """Norms that do nothing, biases of 0, tables of small numbers, and layers that keep the size of their input."""
    if name.endswith("pos_embed"):
        return position_code(int(shape[0] ** 0.5), shape[1]).to(dtype)
    if len(shape) == 1:
        return torch.full(shape, float(not name.endswith("bias")), dtype=dtype)
    is_table = any(part in name for part in ("embed_tokens", "wte", "positional_embedding"))
    std = 0.02 if is_table else torch.Size(shape[1:]).numel() ** -0.5
    return torch.empty(shape, dtype=dtype).normal_(std=std, generator=generator)


# --- configs ---


def published_config(config: Config) -> dict[str, Any]:
    """`config.json` as on the hub: flat, in the spelling of the family."""
    return _qwen_vl(config) if isinstance(config, QwenVLConfig) else _qwen2_vl(config)


def _qwen_vl(config: QwenVLConfig) -> dict[str, Any]:
    vision, language = config.vision, config.language
    return {
        "architectures": ["QWenLMHeadModel"],
        "model_type": "qwen",
        "vocab_size": language.vocab_size,
        "hidden_size": language.dim,
        "num_hidden_layers": language.num_blocks,
        "num_attention_heads": language.num_heads,
        "kv_channels": language.head_dim,
        "intermediate_size": 2 * language.mlp_dim,
        "layer_norm_epsilon": language.norm_eps,
        "rotary_emb_base": int(language.rope_theta),
        "seq_length": language.train_length,
        "max_position_embeddings": language.context,
        "use_dynamic_ntk": language.dynamic_ntk,
        "use_logn_attn": language.logn,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "visual": {
            "image_size": vision.image_size,
            "patch_size": vision.patch_size,
            "width": vision.dim,
            "layers": vision.num_blocks,
            "heads": vision.num_heads,
            "mlp_ratio": vision.mlp_dim / vision.dim + 1e-4,
            "output_dim": language.dim,
            "image_start_id": config.image_start_id,
        },
    }


def _qwen2_vl(config: Qwen2VLConfig) -> dict[str, Any]:
    vision, language = config.vision, config.language
    return {
        "architectures": ["Qwen2VLForConditionalGeneration"],
        "model_type": "qwen2_vl",
        "vocab_size": language.vocab_size,
        "hidden_size": language.dim,
        "num_hidden_layers": language.num_blocks,
        "num_attention_heads": language.num_heads,
        "num_key_value_heads": language.num_kv_heads,
        "intermediate_size": language.mlp_dim,
        "hidden_act": "silu",
        "rms_norm_eps": language.norm_eps,
        "rope_theta": language.rope_theta,
        "rope_scaling": {"type": "mrope", "mrope_section": list(language.rope_sections)},
        "max_position_embeddings": language.context,
        "use_sliding_window": False,
        "tie_word_embeddings": language.tied,
        "torch_dtype": "bfloat16",
        "bos_token_id": 151_643,
        "eos_token_id": 151_645,
        "vision_start_token_id": config.vision_start_id,
        "vision_end_token_id": config.vision_end_id,
        "image_token_id": config.image_token_id,
        "video_token_id": config.video_token_id,
        "vision_config": {
            "depth": vision.num_blocks,
            "embed_dim": vision.dim,
            "mlp_ratio": vision.mlp_dim // vision.dim,
            "num_heads": vision.num_heads,
            "in_chans": 3,
            "hidden_size": language.dim,
            "patch_size": vision.patch_size,
            "spatial_merge_size": vision.merge_size,
            "spatial_patch_size": vision.patch_size,
            "temporal_patch_size": vision.temporal_patch_size,
        },
    }


# --- the vocabulary ---


def qwen_tiktoken() -> Path:
    """The published ranks, as the dashscope package ships them; it is found without being imported."""
    spec = importlib.util.find_spec("dashscope")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "resources" / "qwen.tiktoken"


def write_vocabulary(folder: Path) -> None:
    """The published vocabulary as vocab.json, merges.txt and tokenizer_config.json; merges recovered from the ranks."""
    published = TiktokenTokenizer.from_file(qwen_tiktoken())
    ranks = {published.piece(id_): id_ for id_ in range(151_643)}
    table = byte_characters()
    spelled = {token: "".join(map(table.get, token)) for token in ranks}  # type: ignore[arg-type]
    merges = [" ".join(spelled[half] for half in halves(token, ranks)) for token in ranks if len(token) > 1]
    write_json(folder / "vocab.json", {spelled[token]: rank for token, rank in ranks.items()})
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", encoding="utf-8")
    added = {str(151_643 + n): {"content": name, "special": True} for n, name in enumerate(QWEN2_VL_SPECIALS)}
    write_json(folder / "tokenizer_config.json", {"added_tokens_decoder": added})


def halves(token: bytes, ranks: Mapping[bytes, int]) -> tuple[bytes, bytes]:
    """The two tokens that a token is merged from: what merging its bytes arrives at without it."""
    cuts = [(token[:at], token[at:]) for at in range(1, len(token)) if token[:at] in ranks and token[at:] in ranks]
    if len(cuts) == 1:
        return cuts[0]
    parts = [token[index : index + 1] for index in range(len(token))]
    while len(parts) > 2:
        pairs = [ranks.get(left + right, len(ranks)) for left, right in pairwise(parts)]
        first = pairs.index(min(pairs))
        parts[first : first + 2] = [parts[first] + parts[first + 1]]
    return parts[0], parts[1]
