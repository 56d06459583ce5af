"""What a question would cost each model, before it is asked and without weights: for the rail, while a slider moves."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import qwenvl
from app import account, pictures, words
from app.conversation import media_parts
from app.costs import Terms, costs, refusal
from qwenvl.plan import Plan
from qwenvl.processing.chat import DEFAULT_SYSTEM
from qwenvl.processing.media import Media
from qwenvl.processing.sampling import VideoOptions


def forecast(
    model: str,
    paths: Sequence[str],
    question: str,
    system: str,
    *,
    min_pixels: int | None,
    max_pixels: int | None,
    samplings: Sequence[VideoOptions] = (),
    terms: Terms,
) -> dict[str, Any]:
    """Sizes and tokens of each picture and clip, tokens of the prompt, whether it fits, and what it would cost.

    Args:
        model: preset or folder.
        paths: the pictures and clips, in order.
        question: its text.
        system: system prompt; "" for the model's own.
        min_pixels, max_pixels: Qwen2-VL's pixel budget; None for the checkpoint's own.
        samplings: which frames of each clip are taken, one for each path; () for the usual ones.
        terms: what memory and time follow from; see `costs`.

    Raises:
        MediaError: a picture, a clip, frames or a budget that no model accepts.
    """

    def planned(samplings: Sequence[VideoOptions], most: int | None = max_pixels) -> Plan:
        return qwenvl.plan(
            _sources(paths, samplings),
            model,
            min_pixels=min(min_pixels, most) if min_pixels and most else min_pixels,
            max_pixels=most,
            text=question,
            answer_tokens=terms.new_tokens,
            bytes_per_value=terms.size,
        )

    samplings = samplings or [VideoOptions()] * len(paths)
    plan = planned(samplings)
    more = _system_tokens(model, system)
    cost = costs(plan, plan.prompt_tokens + more, terms)

    def smaller(most: int) -> dict[str, Any]:
        other = planned(samplings, most)
        return costs(other, other.prompt_tokens + more, terms)

    tokens = plan.prompt_tokens + more
    limits = {"min_pixels": plan.min_pixels, "max_pixels": plan.max_pixels}
    return {
        "media": [_media(media, Path(path).name, limits) for media, path in zip(plan.media, paths, strict=True)],
        "prompt_tokens": tokens,
        "context": plan.context,
        "fits": tokens <= plan.context,
        "sentence": _too_long(plan, tokens, _what_fits(planned, plan, samplings, more)),
        "family": plan.family,
        **cost,
        "refusal": refusal(cost, terms, smaller),
    }


def _sources(paths: Sequence[str], samplings: Sequence[VideoOptions]) -> list[Any]:
    """Pictures by their sizes, which are kept, and clips as parts of a message."""
    parts = media_parts(paths, samplings)
    return [picture_size(path) if part["type"] == "image" else part for path, part in zip(paths, parts, strict=True)]


def picture_size(path: str) -> tuple[int, int]:
    """Width and height, upright; a file is opened once for each time it changes. Raises `MediaError`."""
    try:
        changed = os.stat(path).st_mtime_ns
    except OSError:
        changed = 0
    return _size(path, changed)


@lru_cache(maxsize=256)
def _size(path: str, changed: int) -> tuple[int, int]:
    return tuple(pictures.describe(path)["size"])


def _system_tokens(model: str, system: str) -> int:
    """How many tokens more a system prompt takes than the model's own; 0 where no tokenizer is at hand."""
    if not system.strip():
        return 0
    asked, own = (qwenvl.plan([], model, text=text).text_tokens for text in (system, DEFAULT_SYSTEM))
    return 0 if asked is None or own is None else asked - own


def _media(media: Media, name: str, limits: dict[str, int | None]) -> dict[str, Any]:
    limit = account.limit(replace(media, name=name), limits)
    return {
        **{"name": name, "kind": media.kind, "size": list(media.size), "resized": list(media.resized)},
        **{"patch_grid": list(media.patch_grid), "token_grid": list(media.token_grid), "limit": media.limit},
        **{"patches": media.num_patches, "tokens": media.num_tokens, "note": media.note},
        "effect": limit["effect"] if limit else None,
        "sampling": account.sampling(media),
    }


def _what_fits(
    planned: Callable[[Sequence[VideoOptions]], Plan], plan: Plan, samplings: Sequence[VideoOptions], more: int
) -> str | None:
    """The setting of the frames of clips that would make a prompt fit; None where it fits, or none would."""
    clips = [media for media in plan.media if media.sampling]
    if plan.prompt_tokens + more <= plan.context or not clips:
        return None
    name, step = ("pictures", 1) if plan.family == "qwen-vl" else ("nframes", 2)
    most = max(len(media.sampling.indices) for media in clips if media.sampling) // step

    def tokens(count: int) -> int:
        return planned([one.changed({name: count * step}) for one in samplings]).prompt_tokens + more

    # Tokens grow about in proportion to frames: each look is where they would meet the context.
    low, high, at_low, at_high = 0, most, 0, plan.prompt_tokens + more
    while high - low > 1:
        guess = low + round((plan.context - at_low) * (high - low) / max(1, at_high - at_low))
        count = min(high - 1, max(low + 1, guess))
        found = tokens(count)
        if found <= plan.context:
            low, at_low = count, found
        else:
            high, at_high = count, found
    return f"{name} {low * step}" if low else None


def _too_long(plan: Plan, tokens: int, fitting: str | None) -> str | None:
    if tokens <= plan.context:
        return None
    begin = f"The prompt would have {words.count(tokens)} tokens and {plan.name} reads at most "
    if fitting:
        return begin + f"{words.count(plan.context)}: set {fitting} or fewer."
    return (
        begin
        + f"{words.count(plan.context)}: lower max_pixels, ask about fewer pictures or clips, or shorten the question."
    )
