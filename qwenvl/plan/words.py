"""A plan in words: the arithmetic line by line, which limit decided a size and what would change it, one sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from qwenvl.models.config import Config
from qwenvl.plan.memory import key_heads
from qwenvl.processing.media import Media
from qwenvl.processing.sampled_clips import sampling_steps
from qwenvl.processing.tokenizers import normalise

if TYPE_CHECKING:
    from qwenvl.plan.plan_types import Plan

Written = Callable[[float], str]


def steps(result: Plan, config: Config, text: str) -> Iterator[tuple[str, str]]:
    """The arithmetic, (label, value) line by line."""
    for item in result.media:
        yield from _media_steps(item, result)
    yield from _prompt_steps(result, text)
    yield from _memory_steps(result, config)


def _media_steps(item: Media, result: Plan) -> Iterator[tuple[str, str]]:
    time, rows, columns = item.patch_grid
    frames = f"{time} × " if item.kind == "video" else ""
    grid = f"{frames}{rows} × {columns} = {item.num_patches:,}"
    yield item.name, f"{in_size(item.size)} pixels"
    yield from sampling_steps(item)
    if not item.tokens_are_places:
        yield "squashed", f"{in_size(item.resized)}, whatever its shape"
        yield "patches", f"{grid} of 14 × 14 pixels"
        yield (
            "visual tokens",
            f"{frames}{item.token_grid[1] * item.token_grid[2]} queries = {item.num_tokens:,}, always",
        )
        return
    why = "sides rounded to multiples of 28"
    if item.limit:
        limits = item.sampling or result
        limit = {"min_pixels": limits.min_pixels, "max_pixels": limits.max_pixels}[item.limit]
        why = f"{'grown to' if item.limit == 'min_pixels' else 'shrunk to'} {item.limit} {limit:,}"
    yield "resized", f"{in_size(item.resized)}, {why}"
    yield "patches", f"{grid} of 14 × 14 pixels{' × 2 frames' if item.kind == 'video' else ''}"
    yield "visual tokens", f"{item.num_patches:,} / 4 = {item.num_tokens:,}"


def _prompt_steps(result: Plan, text: str) -> Iterator[tuple[str, str]]:
    tokens = result.prompt_tokens
    words = f" + {result.text_tokens:,} text" if result.text_tokens else ""
    prompt = f"{result.visual_tokens:,} visual + {result.template_tokens:,} template{words} = {tokens:,} tokens"
    yield "prompt", prompt + (f"; the text adds at most {_most(text):,}" if result.text_tokens is None else "")
    yield "positions", _positions(result)
    yield "context", f"{tokens:,} of {result.context:,} = {percent(result.share_of_context)}"


def _memory_steps(result: Plan, config: Config) -> Iterator[tuple[str, str]]:
    language, size = config.language, result.bytes_per_value
    tokens = f"{result.prompt_tokens + result.answer_tokens:,} tokens"
    if result.answer_tokens:
        tokens = f"({result.prompt_tokens:,} + {result.answer_tokens:,} of the answer) tokens"
    derived = " (from derived dimensions)" if result.derived else ""
    yield "weights", f"{result.parameters:,} parameters × {size} bytes = {in_bytes(result.weight_bytes)}{derived}"
    factors = (
        f"2 × {tokens} × {language.num_blocks} layers × {key_heads(config)} heads × {language.head_dim} × {size} bytes"
    )
    yield "keys and values", f"{factors} = {in_bytes(result.kv_cache_bytes)}"
    yield "all queries and keys", _sum(result.trace_bytes, in_bytes)
    yield "attention written out", f"{_sum(result.attention_bytes, in_bytes)}, which no run here stores"
    yield "operations", f"{_sum(result.flops, in_operations)} for the prompt"


def _sum(parts: dict[str, int], written: Written) -> str:
    """ "vision 1.00 GiB + language 2.00 GiB = 3.00 GiB"."""
    return f"{' + '.join(f'{site} {written(part)}' for site, part in parts.items())} = {written(sum(parts.values()))}"


def _positions(result: Plan) -> str:
    if result.family == "qwen-vl":
        return f"{result.positions:,}, one for each token"
    longest = "".join(f" + {max(item.token_grid):,}" for item in result.media)
    return f"{result.prompt_tokens:,} - {result.visual_tokens:,} visual{longest} longest side = {result.positions:,}"


def sentence(result: Plan, text: str) -> str:
    """The answer to "what will it cost, and which limit bites?"."""
    what = result.media[0].name if len(result.media) == 1 else f"{len(result.media)} media"
    unknown = f" and at most {_most(text):,} of text" if result.text_tokens is None else ""
    share = percent(result.share_of_context)
    fits = f"{share} of the context of {result.context:,}"
    if result.prompt_tokens > result.context:
        fits = f"more than the context of {result.context:,}"
    return (
        f"{result.name}: {what}, {result.visual_tokens:,} visual tokens, "
        f"{result.prompt_tokens:,} in the prompt{unknown}, {fits}; {_bitten(result)}."
        + "".join(f" {note}" for note in result.notes)
    )


def _bitten(result: Plan) -> str:
    bitten = [item for item in result.media if item.limit]
    if result.family == "qwen-vl":
        return "every picture costs the same"
    if not bitten:
        return "no pixel limit bites"
    return " and ".join(f"{item.limit} brings {item.name} to {in_size(item.resized)}" for item in bitten)


def _most(text: str) -> int:
    """More tokens than this a text cannot have: every token holds at least one of its bytes."""
    return len(normalise(text).encode())


# --- numbers ---


def in_size(size: tuple[int, int]) -> str:
    """Width × height."""
    return f"{size[0]:,} × {size[1]:,}"


def percent(share: float) -> str:
    """A share in words: one decimal, two below 2 % and near 100 %, and never 0 or 100 for what is neither."""
    value = 100 * share
    if 0 < value < 0.005:
        return "under 0.01 %"
    if 99.995 <= value < 100:
        return "over 99.99 %"
    decimals = 2 if 0 < value < 1.995 or 99.95 <= value < 100 else 1
    return f"{value:.{decimals}f} %"


def in_bytes(count: float) -> str:
    """A number of bytes in KiB, MiB or GiB."""
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20)):
        if count >= size:
            return f"{count / size:,.2f} {unit}"
    return f"{count / 1024:,.1f} KiB"


_UNITS = {"KiB": 10, "MiB": 20, "GiB": 30}


def read_bytes(text: str) -> int:
    """Bytes from "8GiB", "1.5 GiB" or "512MiB". Raises `ValueError` for what is no such size."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(KiB|MiB|GiB)", text)
    if found is None:
        raise ValueError(f"{text!r} is no size such as 8GiB or 512MiB")
    return int(float(found[1]) * (1 << _UNITS[found[2]]))


def in_operations(count: float) -> str:
    """A number of floating-point operations in millions, thousand millions or million millions of them."""
    for unit, size in (("TFLOP", 1e12), ("GFLOP", 1e9)):
        if count >= size:
            return f"{count / size:,.2f} {unit}"
    return f"{count / 1e6:,.1f} MFLOP"
