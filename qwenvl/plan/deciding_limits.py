"""Says which limit decided the size of each media, and what would change it: one sentence per media."""

from __future__ import annotations

import math
from collections.abc import Iterator

from qwenvl.models.config import Config, QwenVLConfig
from qwenvl.plan.figures import PlanFigures
from qwenvl.plan.units import in_size, percent
from qwenvl.processing.media import Media
from qwenvl.processing.sampling import DEFAULT_FPS, Clamp, Sampling


def limits_in_words(result: PlanFigures, config: Config) -> Iterator[str]:
    """What bit, media by media, and whether the prompt fits."""
    if isinstance(config, QwenVLConfig):
        side = config.vision.image_size
        for item in result.media:
            yield f"{item.name} is squashed to {side} × {side} whatever its size; no setting changes that."
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
        return (
            f"max_pixels {high:,} shrinks {item.name} from {original} to {resized}; "
            f"from {own:,} up it would stay {in_size((sides[0], sides[1]))}, {own // factor**2:,} tokens{a_frame}."
        )
    if item.limit == "min_pixels":
        grown = f"min_pixels {low:,} enlarges {item.name} from {original} to {resized}"
        return grown + (f"; at {own:,} or below it would stay {in_size((sides[0], sides[1]))}." if own else ".")
    share = percent(math.prod(item.resized) / high)
    return f"No limit bites: {item.name} has {share} of max_pixels {high:,}."


def _of_clip(item: Media, sampling: Sampling) -> Iterator[str]:
    if not sampling.clamps:
        yield f"No limit bites on {item.name}: {len(sampling.indices)} frames of {in_size(item.resized)}."
    for clamp in sampling.clamps:
        yield f"{item.name}: {_clamped(clamp, item, sampling)}"


def _clamped(clamp: Clamp, item: Media, sampling: Sampling) -> str:
    frames, rate, resized = len(sampling.indices), f"{sampling.effective_fps:.3g}", in_size(item.resized)
    floor, ceiling, total = sampling.min_pixels or 0, sampling.max_pixels or 0, sampling.total_pixels or 0
    return {
        "min_frames": f"no fewer than {sampling.min_frames} frames are taken; nframes can say otherwise.",
        "max_frames": f"no more than {sampling.max_frames} frames are taken, {rate} a second; cut the clip to see more "
        "of it.",
        "total_frames": f"the clip has no more frames to take than {frames}; a higher fps changes nothing.",
        "min_pixels": f"min_pixels {floor:,} enlarges its frames to {resized}; lower it for fewer tokens.",
        "max_pixels": f"max_pixels {ceiling:,} a frame shrinks its frames to {resized}; raise it for larger ones.",
        "total_pixels": f"total_pixels {total:,}, shared by {frames} frames, shrinks them to {resized}; "
        f"take fewer than {DEFAULT_FPS:.0f} frames a second, or raise it, for larger ones.",
        "frame_floor": f"total_pixels {total:,} would make {frames} frames smaller than their floor, so they stay "
        f"{resized}; only fewer frames cost less.",
    }[clamp]


def _too_long(result: PlanFigures) -> str:
    over = result.prompt_tokens - result.context
    way = "lower max_pixels" if any(not item.sampling for item in result.media) else "take fewer frames"
    if result.family == "qwen-vl":
        way = "take fewer frames" if any(item.kind == "video" for item in result.media) else "give fewer pictures"
    return f"The prompt is {over:,} tokens longer than the context of {result.context:,}: {way}."
