"""Accounts for tokens: how pixels become patches, visual tokens and a prompt, in numbers and in words.

Knows sizes and grids of a `Media`; needs no model, weights or pixels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypedDict

from app.asking import words
from qwenvl.errors import Sentence
from qwenvl.processing.geometry.media import Media
from qwenvl.processing.geometry.sampling import MAX_FRAMES, MIN_FRAMES, Sampling

MARKS = 2  # one token before a picture's visual tokens and one after


class Step(TypedDict):
    """One link of the chain from pixels to tokens."""

    label: str
    value: str


class LimitEffect(TypedDict):
    """A pixel limit that decided a size, and what it did."""

    name: str
    value: int | None
    effect: Sentence


class Clamp(TypedDict):
    """A limit that changed the number or the size of a clip's frames."""

    name: str
    sentence: Sentence


class ClipSampling(TypedDict):
    """Which frames of a clip a model was shown, and every limit that changed their number or size."""

    preset: str
    total_frames: int
    fps: float
    seconds: float
    indices: list[int]
    times: list[float]
    effective_fps: float
    min_pixels: int | None
    max_pixels: int | None
    budget: int | None
    clamps: list[Clamp]


class Account(TypedDict):
    """Totals of a prompt and its answer, the steps and the sentence of each media, and the first limit that bites."""

    patches: int
    visual_tokens: int
    prompt_tokens: int
    answer_tokens: int
    largest_position: int
    last_position: int
    context: int
    steps: list[list[Step]]
    sentence: list[str]
    limit: LimitEffect | None


def steps(media: Media) -> list[Step]:
    """The arithmetic of one media as a chain of labelled values, from pixels to tokens with their marks."""
    patches, tokens = media.num_patches, media.num_tokens
    marks = num_marks(media)
    if not media.tokens_are_places:
        middle = [("squash", words.size(media.resized)), ("grid", words.grid(media.patch_grid))]
        middle += [("patches", words.count(patches)), ("queries", words.count(tokens))]
    else:
        middle = [(_rounding(media), words.size(media.resized)), ("grid", words.grid(media.patch_grid))]
        middle += [("patches", words.count(patches)), ("merge", "÷ 4"), ("tokens", words.count(tokens))]
    begin = "original"
    if media.sampling:
        begin = Sentence.of(
            "{n} of {total} frames",
            n=words.count(len(media.sampling.indices)),
            total=words.count(media.sampling.total_frames),
        )
    chain = [(begin, words.size(media.size)), *middle, ("with marks", words.count(tokens + marks))]
    return [{"label": label, "value": value} for label, value in chain]


def sentence(media: Media, prompt_tokens: int) -> str:
    """The same arithmetic as one sentence."""
    patches, tokens = media.num_patches, media.num_tokens
    marks = num_marks(media)
    end = (
        f"with {marks} marks around them {words.count(tokens + marks)} "
        f"of the {words.count(prompt_tokens)} tokens in the prompt."
    )
    cut = f"a grid of {words.grid(media.patch_grid)} = {words.count(patches)} patches of 14 × 14"
    if media.kind == "video" and media.tokens_are_places:
        cut += " × 2 frames"
    if not media.tokens_are_places:
        return (
            f"{_frames(media)}{words.size(media.size)} is squashed to {words.size(media.resized)}, "
            f"whatever its shape: {cut}, "
            f"which {words.count(tokens)} learned queries read; that makes {words.count(tokens)} visual tokens, {end}"
        )
    return (
        f"{_frames(media)}{words.size(media.size)} is resized to {words.size(media.resized)}, {_reason(media)}: {cut}; "
        f"each 2 × 2 of them is one visual token, {words.count(patches)} ÷ 4 = {words.count(tokens)}, {end}"
    )


def _frames(media: Media) -> str:
    """What a sentence about a clip begins with."""
    if media.sampling is None:
        return ""
    taken = media.sampling
    return (
        f"Of {words.count(taken.total_frames)} frames {words.count(len(taken.indices))} are taken, "
        f"{taken.effective_fps:.3g} a second; each of "
    )


def limit(media: Media, limits: Mapping[str, int | None]) -> LimitEffect | None:
    """The pixel limit that decided this media's size: its name, value and effect; None where none did.

    Args:
        media: a `Media`.
        limits: min_pixels and max_pixels that were in force.
    """
    if media.limit is None:
        return None
    value = limits.get(media.limit) if media.sampling is None else getattr(media.sampling, media.limit)
    verb = "shrank" if media.limit == "max_pixels" else "enlarged"
    effect = Sentence.of(
        f"{{limit}} {verb} {{name}} from {{size}} ({{before}} px) to {{resized}} ({{after}} px).",
        limit=media.limit if value is None else f"{media.limit} {words.count(value)}",
        name=media.name,
        size=words.size(media.size),
        before=words.count(math.prod(media.size)),
        resized=words.size(media.resized),
        after=words.count(math.prod(media.resized)),
    )
    return {"name": media.limit, "value": value, "effect": effect}


def sampling(media: Media) -> ClipSampling | None:
    """Which frames of a clip a model was shown, and every limit that changed their number or size, in words.

    None for a still, or a clip given as a list of frames.
    """
    taken = media.sampling
    if taken is None:
        return None
    return {
        "preset": taken.preset,
        "total_frames": taken.total_frames,
        "fps": taken.fps,
        "seconds": taken.seconds,
        "indices": list(taken.indices),
        "times": list(taken.times),
        "effective_fps": taken.effective_fps,
        "min_pixels": taken.min_pixels,
        "max_pixels": taken.max_pixels,
        "budget": taken.total_pixels and taken.total_pixels // 784,
        "clamps": [_clamp(name, media, taken) for name in taken.clamps],
    }


_CLAMPS = {
    "min_frames": "min_frames {least}: a clip gives at least {frames} frames, whatever the rate.",
    "max_frames": "max_frames {most}: a clip gives at most {frames} frames, {rate} a second here.",
    "total_frames": "total_frames: the clip has {total} frames, so no more than {taken} are taken.",
    "min_pixels": "min_pixels {pixels}: frames of {size} were enlarged to {resized}.",
    "max_pixels": "max_pixels {pixels}: frames of {size} were shrunk to {resized}.",
    "total_pixels": "total_pixels {pixels}: shared by {taken} frames, it shrank each from {size} to {resized}.",
    "frame_floor": "frame_floor {pixels}: no frame is made smaller than this, whatever total_pixels says.",
}


def _clamp(name: str, media: Media, taken: Sampling) -> Clamp:
    return {"name": name, "sentence": Sentence.of(_CLAMPS[name], **_limits(name, media, taken))}


def _limits(name: str, media: Media, taken: Sampling) -> dict[str, str]:
    pixels = {"min_pixels": taken.min_pixels, "total_pixels": taken.total_pixels}.get(name, taken.max_pixels)
    frames = MIN_FRAMES if name == "min_frames" else MAX_FRAMES
    return {
        "least": words.count(MIN_FRAMES),
        "most": words.count(MAX_FRAMES),
        "frames": words.count(frames),
        "pixels": words.count(pixels or 0),
        "total": words.count(taken.total_frames),
        "taken": words.count(len(taken.indices)),
        "rate": f"{taken.effective_fps:.3g}",
        "size": words.size(media.size),
        "resized": words.size(media.resized),
    }


def account(
    media: Sequence[Media],
    *,
    prompt_tokens: int,
    limits: Mapping[str, int | None],
    answer_tokens: int,
    largest_position: int,
    last_position: int,
    context: int,
) -> Account:
    """The account of a whole prompt and its answer; see `Account`.

    Args:
        media: in the order they were given.
        prompt_tokens: tokens of the prompt, visual ones and marks included.
        limits: min_pixels and max_pixels that were in force.
        largest_position: id of the prompt; last_position: of prompt and answer.
        context: tokens that the model reads at most.
    """
    bites = [found for one in media if (found := limit(one, limits))]
    return {
        "patches": sum(one.num_patches for one in media),
        "visual_tokens": sum(one.num_tokens for one in media),
        "prompt_tokens": prompt_tokens,
        "answer_tokens": answer_tokens,
        "largest_position": largest_position,
        "last_position": last_position,
        "context": context,
        "steps": [steps(one) for one in media],
        "sentence": [sentence(one, prompt_tokens) for one in media],
        "limit": bites[0] if bites else None,
    }


def num_marks(media: Media) -> int:
    """Tokens that mark where a media begins and ends; in Qwen-VL every frame of a clip has its own."""
    return MARKS * (1 if media.tokens_are_places else media.patch_grid[0])


def _rounding(media: Media) -> str:
    return "nearest 28" if media.limit is None else Sentence.of("within {limit}", limit=media.limit)


def _reason(media: Media) -> str:
    if media.limit is None:
        return "the nearest multiples of 28"
    return f"multiples of 28 within {media.limit}"
