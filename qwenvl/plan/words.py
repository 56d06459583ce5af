"""Puts the figures of a plan into words: the arithmetic line by line, and one sentence that sums it up."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from qwenvl.models.config import Config
from qwenvl.plan.figures import PlanFigures
from qwenvl.plan.memory import key_heads
from qwenvl.plan.units import in_bytes, in_operations, in_size, percent
from qwenvl.processing.media import Media
from qwenvl.processing.normal_form import normalise
from qwenvl.processing.sampled_clips import sampling_steps

Written = Callable[[float], str]


def steps(result: PlanFigures, config: Config, text: str) -> Iterator[tuple[str, str]]:
    """The arithmetic, (label, value) line by line."""
    for item in result.media:
        yield from _media_steps(item, result)
    yield from _prompt_steps(result, text)
    yield from _memory_steps(result, config)


def _media_steps(item: Media, result: PlanFigures) -> Iterator[tuple[str, str]]:
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


def _prompt_steps(result: PlanFigures, text: str) -> Iterator[tuple[str, str]]:
    tokens = result.prompt_tokens
    words = f" + {result.text_tokens:,} text" if result.text_tokens else ""
    prompt = f"{result.visual_tokens:,} visual + {result.template_tokens:,} template{words} = {tokens:,} tokens"
    yield "prompt", prompt + (f"; the text adds at most {_most(text):,}" if result.text_tokens is None else "")
    yield "positions", _positions(result)
    yield "context", f"{tokens:,} of {result.context:,} = {percent(result.share_of_context)}"


def _memory_steps(result: PlanFigures, config: Config) -> Iterator[tuple[str, str]]:
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


def _positions(result: PlanFigures) -> str:
    if result.family == "qwen-vl":
        return f"{result.positions:,}, one for each token"
    longest = "".join(f" + {max(item.token_grid):,}" for item in result.media)
    return f"{result.prompt_tokens:,} - {result.visual_tokens:,} visual{longest} longest side = {result.positions:,}"


def sentence(result: PlanFigures, text: str) -> str:
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


def _bitten(result: PlanFigures) -> str:
    bitten = [item for item in result.media if item.limit]
    if result.family == "qwen-vl":
        return "every picture costs the same"
    if not bitten:
        return "no pixel limit bites"
    return " and ".join(f"{item.limit} brings {item.name} to {in_size(item.resized)}" for item in bitten)


def _most(text: str) -> int:
    """More tokens than this a text cannot have: every token holds at least one of its bytes."""
    return len(normalise(text).encode())
