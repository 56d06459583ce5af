"""One question to one model, planned: `plan`, and the `Plan` it answers with."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from qwenvl.errors import PromptError
from qwenvl.models.config import QWEN2_VL_72B, Config, Qwen2VLConfig, QwenVLConfig
from qwenvl.plan.deciding_limits import limits_in_words
from qwenvl.plan.flops import count_flops
from qwenvl.plan.memory import attention_bytes, cache_bytes, count_words, saved_positions, trace_bytes
from qwenvl.plan.parameters import parameters_by_part
from qwenvl.plan.planned_models import PlannedModel, find_model
from qwenvl.plan.recommended_tokens import suggestions
from qwenvl.plan.words import sentence, steps
from qwenvl.processing.clips import ClipFile
from qwenvl.processing.media import Media, Seen, qwen2_vl_media, qwen_vl_media
from qwenvl.processing.opened_media import Source, as_list, measure
from qwenvl.processing.sampled_clips import plan_clip
from qwenvl.processing.sampling import VideoOptions
from qwenvl.processing.size_request import SizeRequest

Measured = Seen | ClipFile


@dataclass(frozen=True)
class Plan:
    """What some media, and a text with them, cost one model.

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
        steps: the arithmetic, (label, value) line by line.
        limits: which limit bit and what would change it, a sentence each.
        sentence: the answer to "what will it cost, and which limit bites?".
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
    steps: tuple[tuple[str, str], ...] = ()
    limits: tuple[str, ...] = ()
    sentence: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know of the media, a sentence each: a clip over its budget, or read as a still."""
        return tuple(item.note for item in self.media if item.note)

    @property
    def suggestions(self) -> tuple[str, ...]:
        """Of each picture, whether its tokens are as many as the makers suggest; see `recommended_tokens`."""
        return tuple(suggestions(self.media))

    @property
    def share_of_context(self) -> float:
        """Prompt tokens over context; above 1 the prompt is refused."""
        return self.prompt_tokens / self.context

    def to_json(self) -> dict[str, Any]:
        """All of it as plain lists, strings and numbers."""
        media = [item.to_json() for item in self.media]
        more = {"share_of_context": self.share_of_context, "suggestions": list(self.suggestions)}
        return {**asdict(replace(self, media=())), "media": media, **more}


@dataclass(frozen=True)
class Words:
    """What is known of the words around the media."""

    text: str = ""
    text_tokens: int | None = None
    answer_tokens: int = 0
    bytes_per_value: int = 2


def plan(
    media: Source | Measured | Sequence[Source | Measured],
    preset_or_folder: str | os.PathLike[str],
    *,
    min_pixels: int | None = None,
    max_pixels: int | None = None,
    text: str = "",
    text_tokens: int | None = None,
    answer_tokens: int = 0,
    bytes_per_value: int = 2,
    preset: str = "Qwen2-VL",
    fps: float | None = None,
    nframes: int | None = None,
    total_pixels: int | None = None,
    pictures: int | None = None,
) -> Plan:
    """What media cost, without weights.

    Args:
        media: one or a list of: path of a picture or clip, PIL image, (width, height), (width, height, frames) for a
            clip given as its frames, a part of a message ({"type": "video", "video": path, "fps": 1}), or what
            `measured` made of one of these. Of an animated picture alone the first frame is meant; in a video part,
            all.
        preset_or_folder: a preset ("Qwen-VL", "Qwen-VL-Chat", "Qwen2-VL-2B", "-7B", "-72B", in any case), one of our
            tiny checkpoints by name, or a folder in the published layout, which needs no weights.
        min_pixels, max_pixels: Qwen2-VL's limits of height times width; None for the checkpoint's or published ones.
        text: of the question. Counted exactly where the folder has its tokenizer; presets have none, so that text is
            left out there and an upper limit of its tokens is given, its bytes. The template's tokens are exact.
        text_tokens: how many tokens to count for the text instead.
        answer_tokens: of the answer to make room for in cache and trace.
        bytes_per_value: 2 for bfloat16, 4 for float32.
        preset, fps, nframes, total_pixels, pictures: of the clips; see `processing.sampling.VideoOptions`. A part's own
            come first, and `max_pixels` can only lower what a preset allows a frame.

    Raises:
        CheckpointError: no such preset or folder, or a folder that cannot be read.
        MediaError: a picture that cannot be read, or a size or limit that no model accepts.
        PromptError: a number of tokens or bytes below 0.
    """
    _check_counts(text_tokens=text_tokens, answer_tokens=answer_tokens, bytes_per_value=bytes_per_value)
    model = find_model(preset_or_folder)
    limits = (
        model.min_pixels if min_pixels is None else min_pixels,
        model.max_pixels if max_pixels is None else max_pixels,
    )
    given = {"preset": preset, "fps": fps, "nframes": nframes, "total_pixels": total_pixels, "pictures": pictures}
    placed = place_all(_as_list(media), model.config, limits, VideoOptions.of(given), max_pixels)
    return cost(model, tuple(placed), limits, Words(text, text_tokens, answer_tokens, bytes_per_value))


def _check_counts(**counts: int | None) -> None:
    for name, count in counts.items():
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 0):
            raise PromptError(f"{name} is a whole number from 0 up, not {count!r}.")


def measured(media: Source, *, place: int = 1) -> Measured:
    """A media opened and measured once, to be planned for many models and settings without opening it again.

    Args:
        media: as in `plan`; a message's part loses its own options.
        place: which picture or clip it is, from 1; it names what has no file name.

    Raises:
        MediaError: it cannot be read, or has a size that no model accepts.
    """
    seen = measure(media, place, VideoOptions())[0]
    return replace(seen, request=SizeRequest()) if isinstance(seen, Seen) else seen


def cost(model: PlannedModel, media: tuple[Media, ...], limits: tuple[int, int], words: Words) -> Plan:
    """The plan of media that were placed already."""
    figures = _figures(model, media, limits, words)
    return replace(
        figures,
        steps=tuple(steps(figures, model.config, words.text)),
        limits=tuple(limits_in_words(figures, model.config)),
        sentence=sentence(figures, words.text),
    )


def _figures(model: PlannedModel, media: tuple[Media, ...], limits: tuple[int, int], words: Words) -> Plan:
    """All figures, no sentence yet."""
    config, has_limits = model.config, isinstance(model.config, Qwen2VLConfig)
    template_tokens, counted = count_words(model, media, words.text)
    text_tokens = counted if words.text_tokens is None else words.text_tokens
    visual_tokens = sum(item.num_tokens for item in media)
    tokens, size = visual_tokens + template_tokens + (text_tokens or 0), words.bytes_per_value
    parameters = sum(parameters_by_part(config).values())
    return Plan(
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
        answer_tokens=words.answer_tokens,
        positions=tokens - sum(map(saved_positions, media)),
        context=config.language.context,
        train_length=config.language.train_length if isinstance(config, QwenVLConfig) else None,
        parameters=parameters,
        derived=config is QWEN2_VL_72B,
        bytes_per_value=size,
        weight_bytes=parameters * size,
        kv_cache_bytes=cache_bytes(config, tokens + words.answer_tokens, size),
        trace_bytes=trace_bytes(config, media, tokens + words.answer_tokens, size),
        attention_bytes=attention_bytes(config, media, tokens, size),
        flops=count_flops(config, media, tokens),
    )


# --- the media ---


def place_all(
    sources: Sequence[Source | Measured],
    config: Config,
    limits: tuple[int, int],
    options: VideoOptions,
    max_pixels: int | None,
) -> list[Media]:
    """Every media as the model sees it, named and numbered."""
    placed: list[Media] = []
    for place, source in enumerate(sources, 1):
        number = 1 + sum(item.patch_grid[0] for item in placed)
        seen, own = (source, options) if isinstance(source, Seen | ClipFile) else measure(source, place, options)
        if isinstance(seen, ClipFile):
            placed.append(plan_clip(seen, config, own.within(max_pixels), number=number))
        else:
            placed.append(_place(replace(seen, number=number), config, *limits))
    return placed


def _place(seen: Seen, config: Config, min_pixels: int, max_pixels: int) -> Media:
    if isinstance(config, QwenVLConfig):
        return qwen_vl_media(seen, config)
    return qwen2_vl_media(seen, config, min_pixels=min_pixels, max_pixels=max_pixels)


def _as_list(media: Any) -> list[Any]:
    return [media] if isinstance(media, Seen | ClipFile | Mapping) else as_list(media)
