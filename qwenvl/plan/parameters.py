"""Counts the parameters of a config in closed form, without making a tensor."""

from __future__ import annotations

from qwenvl.models.config import Config, Qwen2VLConfig, QwenVLConfig


def parameters_by_part(config: Config) -> dict[str, int]:
    """Parameters of "vision", "adapter" and "language", in closed form; together the published checkpoints', exactly.

    Qwen-VL's adapter is counted with the norm and the projection after it, and with its frozen position code.
    """
    if isinstance(config, QwenVLConfig):
        return {
            "vision": _count_qwen_vl_vision(config),
            "adapter": _count_qwen_vl_adapter(config),
            "language": _count_qwen_vl_language(config),
        }
    vision, hidden = config.vision, config.language.dim
    dim, merged = vision.dim, vision.dim * vision.merge_size**2
    block = 2 * dim + 2 * dim + _linear(dim, 3 * dim) + _linear(dim, dim)
    block += _linear(dim, vision.mlp_dim) + _linear(vision.mlp_dim, dim)
    patch = 3 * vision.temporal_patch_size * vision.patch_size**2
    return {
        "vision": patch * dim + vision.num_blocks * block,
        "adapter": 2 * dim + _linear(merged, merged) + _linear(merged, hidden),
        "language": _count_qwen2_vl_language(config),
    }


def _linear(inputs: int, outputs: int) -> int:
    """Weights and biases."""
    return inputs * outputs + outputs


def _count_qwen_vl_vision(config: QwenVLConfig) -> int:
    vision = config.vision
    dim = vision.dim
    block = 2 * dim + 2 * dim + _linear(dim, 3 * dim) + _linear(dim, dim)
    block += _linear(dim, vision.mlp_dim) + _linear(vision.mlp_dim, dim)
    return 3 * vision.patch_size**2 * dim + vision.position_side**2 * dim + 2 * dim + vision.num_blocks * block


def _count_qwen_vl_adapter(config: QwenVLConfig) -> int:
    dim, inputs = config.language.dim, config.vision.dim
    attention = _linear(dim, 3 * dim) + _linear(dim, dim)
    project_in = 0 if inputs == dim else inputs * dim
    norms = 3 * 2 * dim
    return 2 * config.adapter.num_queries * dim + project_in + attention + norms + dim * dim


def _count_qwen_vl_language(config: QwenVLConfig) -> int:
    language = config.language
    dim = language.dim
    block = 2 * dim + _linear(dim, 3 * dim) + dim * dim + 3 * dim * language.mlp_dim
    return 2 * language.vocab_size * dim + language.num_blocks * block + dim


def _count_qwen2_vl_language(config: Qwen2VLConfig) -> int:
    language = config.language
    dim = language.dim
    queries, keys = language.num_heads * language.head_dim, language.num_kv_heads * language.head_dim
    block = 2 * dim + _linear(dim, queries) + 2 * _linear(dim, keys) + queries * dim + 3 * dim * language.mlp_dim
    embeddings = 1 if language.tied else 2
    return embeddings * language.vocab_size * dim + language.num_blocks * block + dim
