"""Forecasts what a question would cost each model, without weights, while the rail's sliders move."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import qwenvl
from app.asking import pictures, words
from app.asking.conversation import media_parts
from app.costs import account
from app.costs.costs import Costs, Refusal, Ways, costs, fits, refusal
from app.costs.fitting import Asked, Offer, fewer_frames, fewer_pixels
from app.models.terms import Terms
from qwenvl.errors import Sentence
from qwenvl.plan import Plan
from qwenvl.processing.geometry.media import Media
from qwenvl.processing.geometry.sampling import VideoOptions
from qwenvl.processing.text.chat import DEFAULT_SYSTEM


class ForecastMedia(TypedDict):
    """A picture or clip of a question as one model is given it."""

    name: str
    kind: str
    size: list[int]
    resized: list[int]
    patch_grid: list[int]
    token_grid: list[int]
    limit: str | None
    patches: int
    tokens: int
    note: str | None
    effect: Sentence | None
    sampling: account.ClipSampling | None


class Forecast(Costs):
    """What a question would cost one model, and whether it can be asked."""

    media: list[ForecastMedia]
    prompt_tokens: int
    context: int
    fits: bool  # into the context
    sentence: str | None  # why it does not
    shorter: dict[str, float] | None  # the setting with which it does
    family: str
    refusal: Refusal | None  # of memory
    loaded: NotRequired[bool]


def forecast(
    model: str,
    paths: Sequence[str],
    question: str,
    system: str,
    *,
    min_pixels: int | None,
    max_pixels: int | None,
    samplings: Sequence[VideoOptions] = (),
    own: int | None = None,
    terms: Terms,
) -> Forecast:
    """Sizes and tokens of each picture and clip, tokens of the prompt, whether it fits, and what it would cost.

    Args:
        model: preset or folder.
        paths: the pictures and clips, in order.
        question: its text.
        system: system prompt; "" for the model's own.
        min_pixels, max_pixels: Qwen2-VL's pixel budget; None for the checkpoint's own.
        samplings: which frames of each clip are taken, one for each path; () for the usual ones.
        own: how many of the paths, the last ones, belong to the question itself, and can be sampled otherwise; None
            for all.
        terms: what memory and time follow from; see `costs`.

    Raises:
        MediaError: a picture, a clip, frames or a budget that no model accepts.
    """
    asked = Asked(tuple(samplings) or (VideoOptions(),) * len(paths), max_pixels)
    own = len(paths) if own is None else own
    return _Question(model, paths, question, min_pixels, own, terms, _system_tokens(model, system)).forecast(asked)


@dataclass(frozen=True)
class _Question:
    """A question but for the settings that an offer may change; see `forecast`."""

    model: str
    paths: Sequence[str]
    text: str
    min_pixels: int | None
    own: int
    terms: Terms
    more: int  # tokens of a system prompt of the visitor's own

    def forecast(self, asked: Asked) -> Forecast:
        plan = self.plan(asked)
        short, tokens, cost = self.is_short(plan), plan.prompt_tokens + self.more, self.costs(plan)
        shorter = None if short else self.ways(asked, plan, self.is_short).first()
        by_words = not short and shorter is None  # too long, and no setting of the media helps

        def is_roomy(one: Plan) -> bool:
            return fits(self.costs(one), self.terms.budgets) and (by_words or self.is_short(one))

        limits = {"min_pixels": plan.min_pixels, "max_pixels": plan.max_pixels}
        files = zip(plan.media, self.paths, strict=True)
        return {
            "media": [_media(media, Path(path).name, limits) for media, path in files],
            "prompt_tokens": tokens,
            "context": plan.context,
            "fits": short,
            "sentence": _too_long(plan, tokens, shorter),
            "shorter": shorter.to_json() if shorter else None,
            "family": plan.family,
            **cost,
            "refusal": refusal(cost, self.terms, self.ways(asked, plan, is_roomy)),
        }

    def plan(self, asked: Asked) -> Plan:
        low, most = self.min_pixels, asked.max_pixels
        return qwenvl.plan(
            _sources(self.paths, asked.samplings),
            self.model,
            min_pixels=min(low, most) if low and most else low,
            max_pixels=most,
            text=self.text,
            answer_tokens=self.terms.new_tokens,
            bytes_per_value=self.terms.size,
        )

    def costs(self, plan: Plan) -> Costs:
        return costs(plan, plan.prompt_tokens + self.more, self.terms)

    def is_short(self, plan: Plan) -> bool:
        """Whether it fits into the model's context."""
        return plan.prompt_tokens + self.more <= plan.context

    def ways(self, asked: Asked, plan: Plan, is_good: Callable[[Plan], bool]) -> Ways:
        """How this question may be made smaller until a plan of it is good; `plan` is of it as asked."""

        def tried(smaller: Asked) -> bool:
            return is_good(self.plan(smaller))

        return Ways(
            frames=lambda: fewer_frames(self.paths, asked, self.terms.config, self.own, tried),
            pixels=lambda: None if plan.family == "qwen-vl" else fewer_pixels(asked, tried),
            frames_first=_mostly_clips(plan),
            costs=lambda smaller: self.costs(self.plan(smaller)),
        )


def _mostly_clips(plan: Plan) -> bool:
    """Whether clips hold most of the visual tokens."""
    return 2 * sum(media.num_tokens for media in plan.media if media.sampling) > plan.visual_tokens


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
    width, height = pictures.describe(path)["size"]
    return width, height


def _system_tokens(model: str, system: str) -> int:
    """How many tokens more a system prompt takes than the model's own; 0 where no tokenizer is at hand."""
    if not system.strip():
        return 0
    asked, own = (qwenvl.plan([], model, text=text).text_tokens for text in (system, DEFAULT_SYSTEM))
    return 0 if asked is None or own is None else asked - own


def _media(media: Media, name: str, limits: dict[str, int | None]) -> ForecastMedia:
    limit = account.limit(replace(media, name=name), limits)
    return {
        "name": name,
        "kind": media.kind,
        "size": list(media.size),
        "resized": list(media.resized),
        "patch_grid": list(media.patch_grid),
        "token_grid": list(media.token_grid),
        "limit": media.limit,
        "patches": media.num_patches,
        "tokens": media.num_tokens,
        "note": media.note,
        "effect": limit["effect"] if limit else None,
        "sampling": account.sampling(media),
    }


def _too_long(plan: Plan, tokens: int, shorter: Offer | None) -> str | None:
    if tokens <= plan.context:
        return None
    otherwise = Sentence("ask about fewer pictures or clips, or shorten the question")
    way = otherwise if shorter is None else shorter.words
    return Sentence.of(
        "The prompt would have {tokens} tokens and {name} reads at most {context}: " + way.template + ".",
        tokens=words.count(tokens),
        name=plan.name,
        context=words.count(plan.context),
        **way.values,
    )
