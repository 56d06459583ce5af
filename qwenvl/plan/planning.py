"""Plans one question to one model, without weights: opens and places the media, counts, and puts it into words."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypedDict

from qwenvl.errors import PromptError, shown
from qwenvl.integers import as_integer, plain
from qwenvl.models.config import Config, QwenVLConfig
from qwenvl.plan.deciding_limits import limits_in_words
from qwenvl.plan.figures import PlanFigures, Text, count_figures
from qwenvl.plan.planned_models import PlannedModel, find_model
from qwenvl.plan.recommended_tokens import suggestions
from qwenvl.plan.words import sentence, steps
from qwenvl.processing.files.clips import ClipFile
from qwenvl.processing.files.opened_media import Source, as_list, measure
from qwenvl.processing.files.sampled_clips import plan_clip
from qwenvl.processing.geometry.media import Media, Seen, qwen2_vl_media, qwen_vl_media
from qwenvl.processing.geometry.sampling import VideoOptions
from qwenvl.processing.geometry.size_request import SizeRequest
from qwenvl.summaries import Summary

Measured = Seen | ClipFile


@dataclass(frozen=True, repr=False)
class Plan(Summary, PlanFigures):
    """What some media, and a text with them, cost one model: figures, and the same in words.

    Attributes:
        steps: the arithmetic, (label, value) line by line.
        limits: which limit bit and what would change it, one sentence per media.
        sentence: the answer to "what will it cost, and which limit bites?".
    """

    steps: tuple[tuple[str, str], ...] = ()
    limits: tuple[str, ...] = ()
    sentence: str = ""

    @property
    def suggestions(self) -> tuple[str, ...]:
        """One sentence per picture: whether its tokens are as many as the makers suggest; see `recommended_tokens`."""
        return tuple(suggestions(self.media))

    def summary(self) -> list[tuple[str, str]]:
        """The sentence, the counts and the limits."""
        counted = {"patches": self.patches, "visual tokens": self.visual_tokens, "prompt tokens": self.prompt_tokens}
        counts = [(name, f"{value:,}") for name, value in {**counted, "positions": self.positions}.items()]
        return [("model", self.name), ("in words", self.sentence), *counts, ("limits", " ".join(self.limits) or "none")]

    def to_json(self) -> dict[str, Any]:
        """All of it as plain lists, strings and numbers."""
        media = [item.to_json() for item in self.media]
        more = {"share_of_context": self.share_of_context, "suggestions": list(self.suggestions)}
        return {**asdict(replace(self, media=())), "media": media, **more}


class PlanSettings(TypedDict, total=False):
    """The keyword arguments of `plan`, which says what each means."""

    min_pixels: int | None
    max_pixels: int | None
    text: str
    text_tokens: int | None
    answer_tokens: int
    bytes_per_value: int
    preset: str
    fps: float | None
    nframes: int | None
    total_pixels: int | None
    pictures: int | None


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
    counted = None if text_tokens is None else _whole("text_tokens", text_tokens)
    room, size = _whole("answer_tokens", answer_tokens), _whole("bytes_per_value", bytes_per_value)
    model, min_pixels, max_pixels = find_model(preset_or_folder), plain(min_pixels), plain(max_pixels)
    limits = (
        model.min_pixels if min_pixels is None else min_pixels,
        model.max_pixels if max_pixels is None else max_pixels,
    )
    given = {"preset": preset, "fps": fps, "nframes": nframes, "total_pixels": total_pixels, "pictures": pictures}
    placed = place_all(_as_list(media), model.config, limits, VideoOptions.of(given), max_pixels)
    return cost(model, tuple(placed), limits, Text(text, counted, room, size))


def _whole(name: str, count: int) -> int:
    """A number of tokens or bytes as a Python int. Raises `PromptError` for one that is none."""
    whole = as_integer(count)
    if whole is None or whole < 0:
        raise PromptError(f"{name} is a whole number from 0 up, not {shown(count)}.")
    return whole


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


def cost(model: PlannedModel, media: tuple[Media, ...], limits: tuple[int, int], text: Text) -> Plan:
    """The plan of media that are placed already."""
    figures = count_figures(model, media, limits, text)
    return Plan(
        **vars(figures),
        steps=tuple(steps(figures, model.config, text.words)),
        limits=tuple(limits_in_words(figures, model.config)),
        sentence=sentence(figures, text.words),
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
