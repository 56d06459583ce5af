"""What a question would cost each model, before it is asked and without weights: for the rail, while a slider moves."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import qwenvl
from app import account, pictures, words
from qwenvl.plan import Plan
from qwenvl.processing.chat import DEFAULT_SYSTEM
from qwenvl.processing.media import Media

TRACE_BUDGET = 1 << 30  # a run keeps queries and keys up to this, and replays the rest


def forecast(
    model: str,
    paths: Sequence[str],
    question: str,
    system: str,
    *,
    min_pixels: int | None,
    max_pixels: int | None,
) -> dict[str, Any]:
    """Sizes and tokens of each picture, tokens of the prompt, whether it fits, and the bytes its run would keep.

    Args:
        model: preset or folder.
        paths: the pictures, in order.
        question: its text.
        system: system prompt; "" for the model's own.
        min_pixels, max_pixels: Qwen2-VL's pixel budget; None for the checkpoint's own.

    Raises:
        MediaError: a picture or a budget that no model accepts.
    """
    sizes = [picture_size(path) for path in paths]
    plan = qwenvl.plan(sizes, model, min_pixels=min_pixels, max_pixels=max_pixels, text=question, bytes_per_value=4)
    tokens = plan.prompt_tokens + _system_tokens(model, system)
    limits = {"min_pixels": plan.min_pixels, "max_pixels": plan.max_pixels}
    return {
        "media": [_media(media, Path(path).name, limits) for media, path in zip(plan.media, paths, strict=True)],
        "prompt_tokens": tokens,
        "context": plan.context,
        "fits": tokens <= plan.context,
        "sentence": _too_long(plan, tokens),
        "keeps": min(sum(plan.trace_bytes.values()), TRACE_BUDGET),
    }


def picture_size(path: str) -> tuple[int, int]:
    """Width and height, upright; a file is opened once for each time it changes. Raises `MediaError`."""
    try:
        changed = os.stat(path).st_mtime_ns
    except OSError:
        changed = 0
    return _size(path, changed)


@lru_cache(maxsize=256)
def _size(path: str, changed: int) -> tuple[int, int]:
    return pictures.size(path)


def _system_tokens(model: str, system: str) -> int:
    """How many tokens more a system prompt takes than the model's own; 0 where no tokenizer is at hand."""
    if not system.strip():
        return 0
    asked, own = (qwenvl.plan([], model, text=text).text_tokens for text in (system, DEFAULT_SYSTEM))
    return 0 if asked is None or own is None else asked - own


def _media(media: Media, name: str, limits: dict[str, int | None]) -> dict[str, Any]:
    limit = account.limit(replace(media, name=name), limits)
    return {
        **{"name": name, "size": list(media.size), "resized": list(media.resized), "limit": media.limit},
        **{"patch_grid": list(media.patch_grid), "token_grid": list(media.token_grid)},
        **{"patches": media.num_patches, "tokens": media.num_tokens},
        "effect": limit["effect"] if limit else None,
    }


def _too_long(plan: Plan, tokens: int) -> str | None:
    if tokens <= plan.context:
        return None
    return (
        f"The prompt would have {words.count(tokens)} tokens and {plan.name} reads at most "
        f"{words.count(plan.context)}: lower max_pixels, ask about fewer pictures, or shorten the question."
    )
