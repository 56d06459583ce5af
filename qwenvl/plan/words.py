"""Puts the figures of a plan into words: the arithmetic line by line, and one sentence that sums it up."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from qwenvl.errors import Sentence
from qwenvl.models.config import Config
from qwenvl.plan.figures import PlanFigures
from qwenvl.plan.memory import key_heads
from qwenvl.plan.units import in_bytes, in_operations, in_size, percent
from qwenvl.processing.files.sampled_clips import sampling_steps
from qwenvl.processing.geometry.media import Media
from qwenvl.processing.text.normal_form import normalise

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
    yield item.name, Sentence.of("{size} pixels", size=in_size(item.size))
    yield from sampling_steps(item)
    if not item.tokens_are_places:
        yield "squashed", Sentence.of("{size}, whatever its shape", size=in_size(item.resized))
        yield "patches", Sentence.of("{grid} of 14 × 14 pixels", grid=grid)
        yield (
            "visual tokens",
            Sentence.of(
                "{n} queries = {all}, always",
                n=f"{frames}{item.token_grid[1] * item.token_grid[2]}",
                all=f"{item.num_tokens:,}",
            ),
        )
        return
    why, changed = "{size}, sides rounded to multiples of 28", ""
    if item.limit:
        limits = item.sampling or result
        limit = {"min_pixels": limits.min_pixels, "max_pixels": limits.max_pixels}[item.limit]
        why = "{size}, grown to {limit}" if item.limit == "min_pixels" else "{size}, shrunk to {limit}"
        changed = f"{item.limit} {limit:,}"
    yield "resized", Sentence.of(why, size=in_size(item.resized), limit=changed)
    patches = "{grid} of 14 × 14 pixels × 2 frames" if item.kind == "video" else "{grid} of 14 × 14 pixels"
    yield "patches", Sentence.of(patches, grid=grid)
    yield "visual tokens", f"{item.num_patches:,} / 4 = {item.num_tokens:,}"


def _prompt_steps(result: PlanFigures, text: str) -> Iterator[tuple[str, str]]:
    tokens = result.prompt_tokens
    words = " + {c} text" if result.text_tokens else ""
    unknown = "; the text adds at most {most}" if result.text_tokens is None else ""
    yield (
        "prompt",
        Sentence.of(
            "{a} visual + {b} template" + words + " = {d} tokens" + unknown,
            a=f"{result.visual_tokens:,}",
            b=f"{result.template_tokens:,}",
            c=f"{result.text_tokens or 0:,}",
            d=f"{tokens:,}",
            most=f"{_most(text):,}",
        ),
    )
    yield "positions", _positions(result)
    yield (
        "context",
        Sentence.of(
            "{a} of {b} = {share}", a=f"{tokens:,}", b=f"{result.context:,}", share=percent(result.share_of_context)
        ),
    )


def _memory_steps(result: PlanFigures, config: Config) -> Iterator[tuple[str, str]]:
    language, size = config.language, result.bytes_per_value
    tokens = "({n} + {m} of the answer) tokens" if result.answer_tokens else "{n} tokens"
    derived = " (from derived dimensions)" if result.derived else ""
    yield (
        "weights",
        Sentence.of(
            "{n} parameters × {size} bytes = {all}" + derived,
            n=f"{result.parameters:,}",
            size=size,
            all=in_bytes(result.weight_bytes),
        ),
    )
    yield (
        "keys and values",
        Sentence.of(
            "2 × " + tokens + " × {layers} layers × {heads} heads × {dim} × {size} bytes = {all}",
            n=f"{result.prompt_tokens:,}",
            m=f"{result.answer_tokens:,}",
            layers=language.num_blocks,
            heads=key_heads(config),
            dim=language.head_dim,
            size=size,
            all=in_bytes(result.kv_cache_bytes),
        ),
    )
    yield "all queries and keys", _sum(result.trace_bytes, in_bytes)
    yield (
        "attention written out",
        Sentence.of("{sum}, which no run here stores", sum=_sum(result.attention_bytes, in_bytes)),
    )
    yield "operations", Sentence.of("{sum} for the prompt", sum=_sum(result.flops, in_operations))


def _sum(parts: dict[str, int], written: Written) -> Sentence:
    """ "vision 1.00 GiB + language 2.00 GiB = 3.00 GiB"."""
    gaps = dict(zip("abc", map(written, parts.values()), strict=False))
    template = " + ".join(f"{site} {{{gap}}}" for site, gap in zip(parts, gaps, strict=True))
    last = "abcd"[len(gaps)]
    return Sentence.of(f"{template} = {{{last}}}", **gaps, **{last: written(sum(parts.values()))})


def _positions(result: PlanFigures) -> str:
    if result.family == "qwen-vl":
        return Sentence.of("{n}, one for each token", n=f"{result.positions:,}")
    longest = " + ".join(f"{max(item.token_grid):,}" for item in result.media)
    if not longest:
        return f"{result.prompt_tokens:,} - {result.visual_tokens:,} visual longest side = {result.positions:,}"
    return Sentence.of(
        "{a} - {b} visual + {c} longest side = {d}",
        a=f"{result.prompt_tokens:,}",
        b=f"{result.visual_tokens:,}",
        c=longest,
        d=f"{result.positions:,}",
    )


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
