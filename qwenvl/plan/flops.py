"""Counts the floating-point operations of one pass over a prompt, in closed form.

What is counted is what `torch.utils.flop_counter.FlopCounterMode` counts: products of matrices, a multiplication and
an addition for each pair of numbers (2 · rows · inner · columns). Norms, activations, softmax, rotations and the
embedding are left out. The upper half of a causal mask is counted, although a fused kernel skips it.

    linear layer   2 · rows · inputs · outputs
    attention      2 · queries · keys · heads · head_dim, twice: queries with keys, weights with values

Qwen2-VL's tower attends within a temporal patch (2409.12191, section 2.1), Qwen-VL's within a picture. The language
head is counted at one place, the last, as when an answer begins.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from qwenvl.models.config import Config, Qwen2VLConfig, QwenVLConfig
from qwenvl.processing.geometry.media import Media


def count_flops(config: Config, media: Sequence[Media], tokens: int) -> dict[str, int]:
    """Operations of "vision", "adapter" and "language" for one prompt of so many tokens, visual ones included."""
    segments = [math.prod(item.patch_grid[1:]) for item in media for _ in range(item.patch_grid[0])]
    parts = _qwen_vl(config, segments) if isinstance(config, QwenVLConfig) else _qwen2_vl(config, segments)
    return {**parts, "language": _language(config, tokens)}


def _linear(rows: int, inputs: int, outputs: int) -> int:
    return 2 * rows * inputs * outputs


def _attend(queries: int, keys: int, width: int) -> int:
    """Of all heads together, whose dims add up to `width`."""
    return 2 * 2 * queries * keys * width


def _tower(config: Config, segments: Sequence[int]) -> int:
    """The blocks of either vision tower."""
    vision, patches = config.vision, sum(segments)
    block = _linear(patches, vision.dim, 3 * vision.dim) + _linear(patches, vision.dim, vision.dim)
    block += _linear(patches, vision.dim, vision.mlp_dim) + _linear(patches, vision.mlp_dim, vision.dim)
    return vision.num_blocks * (block + sum(_attend(length, length, vision.dim) for length in segments))


def _qwen2_vl(config: Qwen2VLConfig, segments: Sequence[int]) -> dict[str, int]:
    vision, patches = config.vision, sum(segments)
    values = 3 * vision.temporal_patch_size * vision.patch_size**2
    tokens, merged = patches // vision.merge_size**2, vision.dim * vision.merge_size**2
    return {
        "vision": _linear(patches, values, vision.dim) + _tower(config, segments),
        "adapter": _linear(tokens, merged, merged) + _linear(tokens, merged, config.language.dim),
    }


def _qwen_vl(config: QwenVLConfig, segments: Sequence[int]) -> dict[str, int]:
    vision, patches, dim = config.vision, sum(segments), config.language.dim
    queries = config.adapter.num_queries
    asked = queries * len(segments)
    widened = 0 if vision.dim == dim else _linear(patches, vision.dim, dim)
    projected = _linear(queries if segments else 0, dim, dim)  # the queries are the same for every picture
    projected += 2 * _linear(patches, dim, dim) + 2 * _linear(asked, dim, dim)
    attended = sum(_attend(queries, length, dim) for length in segments)
    return {
        "vision": _linear(patches, 3 * vision.patch_size**2, vision.dim) + _tower(config, segments),
        "adapter": widened + projected + attended,
    }


def _language(config: Config, tokens: int) -> int:
    language = config.language
    width = language.num_heads * language.head_dim
    keys = width if isinstance(config, QwenVLConfig) else config.language.num_kv_heads * language.head_dim
    block = _linear(tokens, language.dim, width + 2 * keys) + _linear(tokens, width, language.dim)
    block += 3 * _linear(tokens, language.dim, language.mlp_dim) + _attend(tokens, tokens, width)
    return language.num_blocks * block + _linear(min(1, tokens), language.dim, language.vocab_size)
