"""Says which limit decided the size of each media, and what would change it: one sentence per media."""

from __future__ import annotations

import math
from collections.abc import Iterator

from qwenvl.errors import Sentence
from qwenvl.models.config import Config, QwenVLConfig
from qwenvl.plan.figures import PlanFigures
from qwenvl.plan.units import in_size, percent
from qwenvl.processing.geometry.media import Media
from qwenvl.processing.geometry.sampling import DEFAULT_FPS, Clamp, Sampling


def limits_in_words(result: PlanFigures, config: Config) -> Iterator[str]:
    """What bit, media by media, and whether the prompt fits."""
    if isinstance(config, QwenVLConfig):
        side = config.vision.image_size
        for item in result.media:
            yield Sentence.of(
                "{name} is squashed to {size} whatever its size; no setting changes that.",
                name=item.name,
                size=f"{side} × {side}",
            )
    else:
        factor = config.vision.patch_size * config.vision.merge_size
        for item in result.media:
            yield from _of_clip(item, item.sampling) if item.sampling else [_of_still(item, result, factor)]
    if result.prompt_tokens > result.context:
        yield _too_long(result)


def _of_still(item: Media, result: PlanFigures, factor: int) -> str:
    low, high = item.min_pixels or result.min_pixels, item.max_pixels or result.max_pixels
    assert low is not None
    assert high is not None
    sides = [round(side / factor) * factor for side in item.size]
    own = math.prod(sides)
    resized, original = in_size(item.resized), in_size(item.size)
    if item.limit == "max_pixels":
        a_frame = " a frame" if item.kind == "video" else ""
        return Sentence.of(
            "max_pixels {limit} shrinks {name} from {size} to {resized}; from {own} up it would stay {kept}, {n} tokens"
            + a_frame
            + ".",
            limit=f"{high:,}",
            name=item.name,
            size=original,
            resized=resized,
            own=f"{own:,}",
            kept=in_size((sides[0], sides[1])),
            n=f"{own // factor**2:,}",
        )
    if item.limit == "min_pixels":
        return Sentence.of(
            "min_pixels {limit} enlarges {name} from {size} to {resized}"
            + ("; at {own} or below it would stay {kept}." if own else "."),
            limit=f"{low:,}",
            name=item.name,
            size=original,
            resized=resized,
            own=f"{own:,}",
            kept=in_size((sides[0], sides[1])),
        )
    share = percent(math.prod(item.resized) / high)
    return Sentence.of(
        "No limit bites: {name} has {share} of max_pixels {limit}.", name=item.name, share=share, limit=f"{high:,}"
    )


def _of_clip(item: Media, sampling: Sampling) -> Iterator[str]:
    if not sampling.clamps:
        yield Sentence.of(
            "No limit bites on {name}: {n} frames of {size}.",
            name=item.name,
            n=len(sampling.indices),
            size=in_size(item.resized),
        )
    for clamp in sampling.clamps:
        yield _clamped(clamp, item, sampling)


_CLAMPED: dict[Clamp, str] = {
    "min_frames": "{name}: no fewer than {n} frames are taken; nframes can say otherwise.",
    "max_frames": "{name}: no more than {n} frames are taken, {rate} a second; cut the clip to see more of it.",
    "total_frames": "{name}: the clip has no more frames to take than {n}; a higher fps changes nothing.",
    "min_pixels": "{name}: min_pixels {limit} enlarges its frames to {size}; lower it for fewer tokens.",
    "max_pixels": "{name}: max_pixels {limit} a frame shrinks its frames to {size}; raise it for larger ones.",
    "total_pixels": "{name}: total_pixels {limit}, shared by {n} frames, shrinks them to {size}; "
    "take fewer than {fps} frames a second, or raise it, for larger ones.",
    "frame_floor": "{name}: total_pixels {limit} would make {n} frames smaller than their floor, so they stay {size}; "
    "only fewer frames cost less.",
}


def _clamped(clamp: Clamp, item: Media, sampling: Sampling) -> Sentence:
    limits = {"min_pixels": sampling.min_pixels, "max_pixels": sampling.max_pixels}
    counts = {"min_frames": sampling.min_frames, "max_frames": sampling.max_frames}
    return Sentence.of(
        _CLAMPED[clamp],
        name=item.name,
        n=counts.get(clamp, len(sampling.indices)),
        rate=f"{sampling.effective_fps:.3g}",
        limit=f"{limits.get(clamp, sampling.total_pixels) or 0:,}",
        size=in_size(item.resized),
        fps=f"{DEFAULT_FPS:.0f}",
    )


def _too_long(result: PlanFigures) -> str:
    over = result.prompt_tokens - result.context
    way = "lower max_pixels" if any(not item.sampling for item in result.media) else "take fewer frames"
    if result.family == "qwen-vl":
        way = "take fewer frames" if any(item.kind == "video" for item in result.media) else "give fewer pictures"
    return Sentence.of(
        "The prompt is {n} tokens longer than the context of {context}: {way}.",
        n=f"{over:,}",
        context=f"{result.context:,}",
        way=way,
    )
