"""Counts what a question costs one model: tokens, positions, memory and operations, as plain numbers without words."""

from __future__ import annotations

from dataclasses import dataclass

from qwenvl.models.config import QWEN2_VL_72B, Qwen2VLConfig, QwenVLConfig
from qwenvl.plan.flops import count_flops
from qwenvl.plan.memory import attention_bytes, cache_bytes, count_words, saved_positions, trace_bytes
from qwenvl.plan.parameters import parameters_by_part
from qwenvl.plan.planned_models import PlannedModel
from qwenvl.processing.geometry.media import Media


@dataclass(frozen=True)
class PlanFigures:
    """The figures of a plan: what some media, and a text with them, cost one model.

    Attributes:
        name: preset or folder.
        media: sizes and grids, without pixels; `limit` of each says which pixel limit decided its size.
        min_pixels, max_pixels: the limits used; None for Qwen-VL, which has none.
        patches, visual_tokens: of all media together.
        template_tokens: roles, the default system prompt, and the tags and labels of the media.
        text_tokens: of the text; None where no tokenizer is at hand, and then not part of `prompt_tokens` either.
        prompt_tokens: visual, template and text tokens together.
        answer_tokens: those planned for, which cache and trace hold too.
        positions: ids that the prompt takes up; Qwen2-VL spends on a media only the longest side of its token grid.
        context: tokens the model is published for.
        train_length: tokens it was trained with where that is known to be less (Qwen-VL: 2,048).
        parameters: of the whole model, exactly; `derived` says that its dimensions are not from a published file.
        bytes_per_value: of weights, cache and trace.
        weight_bytes, kv_cache_bytes: memory for the parameters, and for keys and values of prompt and answer.
        trace_bytes: site -> what a run that keeps all queries and keys of prompt and answer takes.
        attention_bytes: site -> what all attention maps of the prompt would take whole; no run stores them.
        flops: part -> floating-point operations of one pass over the prompt; see `qwenvl.plan.flops`.
    """

    name: str
    family: str
    media: tuple[Media, ...]
    min_pixels: int | None
    max_pixels: int | None
    patches: int
    visual_tokens: int
    template_tokens: int
    text_tokens: int | None
    prompt_tokens: int
    answer_tokens: int
    positions: int
    context: int
    train_length: int | None
    parameters: int
    derived: bool
    bytes_per_value: int
    weight_bytes: int
    kv_cache_bytes: int
    trace_bytes: dict[str, int]
    attention_bytes: dict[str, int]
    flops: dict[str, int]

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know of the media, one sentence per note: a clip over its budget, or read as a still."""
        return tuple(item.note for item in self.media if item.note)

    @property
    def share_of_context(self) -> float:
        """Prompt tokens over context; above 1 the prompt is refused."""
        return self.prompt_tokens / self.context


@dataclass(frozen=True)
class Text:
    """What is known of the words around the media: see `qwenvl.plan.planning.plan`."""

    words: str = ""
    tokens: int | None = None
    answer_tokens: int = 0
    bytes_per_value: int = 2


def count_figures(model: PlannedModel, media: tuple[Media, ...], limits: tuple[int, int], text: Text) -> PlanFigures:
    """The figures of media that are placed already, within these limits of pixels."""
    config, has_limits = model.config, isinstance(model.config, Qwen2VLConfig)
    template_tokens, counted = count_words(model, media, text.words)
    text_tokens = counted if text.tokens is None else text.tokens
    visual_tokens = sum(item.num_tokens for item in media)
    tokens, size = visual_tokens + template_tokens + (text_tokens or 0), text.bytes_per_value
    parameters = sum(parameters_by_part(config).values())
    return PlanFigures(
        name=model.name,
        family=config.family,
        media=media,
        min_pixels=limits[0] if has_limits else None,
        max_pixels=limits[1] if has_limits else None,
        patches=sum(item.num_patches for item in media),
        visual_tokens=visual_tokens,
        template_tokens=template_tokens,
        text_tokens=text_tokens,
        prompt_tokens=tokens,
        answer_tokens=text.answer_tokens,
        positions=tokens - sum(map(saved_positions, media)),
        context=config.language.context,
        train_length=config.language.train_length if isinstance(config, QwenVLConfig) else None,
        parameters=parameters,
        derived=config is QWEN2_VL_72B,
        bytes_per_value=size,
        weight_bytes=parameters * size,
        kv_cache_bytes=cache_bytes(config, tokens + text.answer_tokens, size),
        trace_bytes=trace_bytes(config, media, tokens + text.answer_tokens, size),
        attention_bytes=attention_bytes(config, media, tokens, size),
        flops=count_flops(config, media, tokens),
    )
