"""Counts tokens of the words, and the bytes of cache, of kept queries and keys, and of whole attention maps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from qwenvl.models.config import Config, QwenVLConfig
from qwenvl.plan.planned_models import PlannedModel
from qwenvl.processing.geometry.media import Media
from qwenvl.processing.text.messages import Message, Part

# Of a published chat model: system message 11, the user's turn 3 + 2 around its content, opening of the answer 3.
_TEMPLATE_TOKENS = 19
# "Picture", blank, colon, blank, line break; the number between them is one token per digit.
_PICTURE_LINE_TOKENS = 5


def count_words(model: PlannedModel, media: Sequence[Media], text: str) -> tuple[int, int | None]:
    """(template tokens, text tokens or None where no tokenizer is at hand)."""
    if model.processor is None:
        return _TEMPLATE_TOKENS + sum(_label_tokens(item) for item in media), None if text else 0
    parts = [Part(item.kind, None, {}) for item in media]
    if text:
        parts.append(Part("text", text, {}))
    # Qwen2-VL writes the same words around a media of any size: one token stands for all
    brief = [replace(item, token_grid=(1, 1, 1)) if item.tokens_are_places else item for item in media]
    tokens, _ = model.processor.write([Message("user", tuple(parts))], brief)
    sections = [token.section for token in tokens]
    return sections.count("template"), sections.count("question")


def _label_tokens(media: Media) -> int:
    """The two tags around a media, and in Qwen-VL the line "Picture N: " of each frame: a digit is a token."""
    if media.tokens_are_places:
        return 2
    numbers = range(media.number, media.number + media.patch_grid[0])
    return sum(2 + _PICTURE_LINE_TOKENS + len(str(number)) for number in numbers)


def key_heads(config: Config) -> int:
    """Key heads of the language model."""
    return config.language.num_heads if isinstance(config, QwenVLConfig) else config.language.num_kv_heads


def saved_positions(media: Media) -> int:
    """Tokens of a media that take no position of their own: in Qwen2-VL all but the longest side of the token grid."""
    return media.num_tokens - max(media.token_grid) if media.tokens_are_places else 0


def cache_bytes(config: Config, tokens: int, size: int) -> int:
    """Keys and values of all layers, `size` bytes per value."""
    return 2 * tokens * config.language.num_blocks * key_heads(config) * config.language.head_dim * size


def trace_bytes(config: Config, media: Sequence[Media], tokens: int, size: int) -> dict[str, int]:
    """Queries and keys of all layers and heads, by site. Qwen2-VL's adapter has no attention."""
    language, patches = config.language, sum(item.num_patches for item in media)
    heads = language.num_heads + key_heads(config)
    trace = {"vision": 2 * patches * config.vision.num_blocks * config.vision.dim * size}
    if isinstance(config, QwenVLConfig):
        queries = sum(item.num_tokens for item in media)
        trace["adapter"] = (queries + patches) * language.dim * size
    return trace | {"language": tokens * language.num_blocks * heads * language.head_dim * size}


def attention_bytes(config: Config, media: Sequence[Media], tokens: int, size: int) -> dict[str, int]:
    """All attention maps of all layers and heads, whole, by site: what eager attention makes and no run here stores."""
    segments = [math.prod(item.patch_grid[1:]) for item in media for _ in range(item.patch_grid[0])]
    cells = sum(length**2 for length in segments)
    maps = {"vision": cells * config.vision.num_blocks * config.vision.num_heads * size}
    if isinstance(config, QwenVLConfig):
        maps["adapter"] = config.adapter.num_queries * sum(segments) * config.adapter.num_heads * size
    return maps | {"language": tokens**2 * config.language.num_blocks * config.language.num_heads * size}
