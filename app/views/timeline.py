"""Answers a clip's timeline: its frames in one picture, and where its ids lie under each rule."""

from __future__ import annotations

from typing import TypedDict

import numpy as np
import torch
from PIL import Image

from app.asking import pictures
from app.asking.posted import Posted, index, indices, whole
from app.views.contract import Look, selected
from qwenvl.analysis.clip_timeline import Resumes, resumes, tubes
from qwenvl.analysis.still_frames import ConvolutionComparison, compare_convolutions_of
from qwenvl.errors import RunError, Sentence
from qwenvl.models.config import Qwen2VLConfig
from qwenvl.plan.clip_duration import DURATIONS, TRAINED_TOKENS, cost_by_length
from qwenvl.processing.geometry.pictures import resize
from qwenvl.processing.geometry.pixels import normalise
from qwenvl.processing.geometry.sampling import VIDEO_PRESETS

MAX_FRAMES, MAX_HEIGHT = 24, 240


class Filmstrip(TypedDict):
    """Frames side by side in one picture; "width" is that of one frame."""

    picture: str
    width: int
    height: int


class TubeTime(TypedDict):
    """One temporal patch: its t id, and when its frames are shown."""

    position: int
    seconds: list[float]


class ClipTime(TypedDict):
    """Each tube's t id and seconds, and by each rule where the text goes on and what overlaps."""

    tubes: list[TubeTime]
    resumes: list[Resumes]


class PresetCosts(TypedDict):
    """What a clip would cost by one preset's limits: [frames, width, height, tokens] for each duration."""

    name: str
    budget: int
    costs: list[list[int]]


class ClipLonger(TypedDict):
    """What a clip would cost if it lasted otherwise; "here" is its own duration and number of tokens."""

    seconds: list[float]
    presets: list[PresetCosts]
    trained: int
    here: list[float]


def filmstrip(look: Look, posted: Posted) -> Filmstrip:
    """{"run", "media", "frames", "height"}: kept frames of a media, each at the original's shape, left to right."""
    media = selected(look, posted).item
    frames = indices(posted, "frames", len(media.frames), MAX_FRAMES)
    if not frames:
        raise RunError(Sentence.of("frames must be a list of 1 to {n} frames: choose some.", n=MAX_FRAMES))
    height = whole(posted, "height", 8, MAX_HEIGHT)
    width = max(1, min(4 * height, round(height * media.size[0] / media.size[1])))
    strip = Image.new("RGB", (width * len(frames), height))
    for place, frame in enumerate(frames):
        shown = media.frames[frame].resize((width, height), Image.Resampling.BICUBIC)
        strip.paste(shown, (place * width, 0))
    return {"picture": pictures.png_url(strip), "width": width, "height": height}


def clip_time(look: Look, posted: Posted) -> ClipTime:
    """{"run", "media"}: see `ClipTime`."""
    chosen = selected(look, posted)
    found = tubes(chosen.run, chosen.media)
    return {
        "tubes": [{"position": one.position, "seconds": list(one.seconds)} for one in found],
        "resumes": list(resumes(chosen.run, chosen.media)),
    }


def clip_longer(look: Look, posted: Posted) -> ClipLonger:
    """{"run", "media"}: see `ClipLonger`.

    Raises:
        RunError: no clip's file, or Qwen-VL, whose pictures all cost the same.
    """
    chosen = selected(look, posted)
    sampling = chosen.item.sampling
    if sampling is None or not isinstance(chosen.run.config, Qwen2VLConfig):
        raise RunError(
            "Only of a clip's file in Qwen2-VL is it known what a longer one would cost: choose such a clip."
        )
    return {
        "seconds": list(DURATIONS),
        "presets": [_by_preset(name, chosen.item.size, sampling.fps) for name in VIDEO_PRESETS],
        "trained": TRAINED_TOKENS,
        "here": [sampling.seconds, chosen.item.num_tokens],
    }


def _by_preset(name: str, size: tuple[int, int], fps: float) -> PresetCosts:
    found = cost_by_length(size, fps, name)
    costs = [[one.frames, one.width, one.height, one.tokens] for one in found]
    return {"name": name, "budget": VIDEO_PRESETS[name].total_tokens, "costs": costs}


def twins(look: Look, posted: Posted) -> ConvolutionComparison:
    """{"run", "media", "frame"}: one kept frame shown twice, through the model's own patch embedding in two and three
    dimensions, and how far the results are apart.

    Raises:
        RunError: Qwen-VL, which knows no time, or a run without its model.
    """
    run = look(posted.get("run")).run
    if not isinstance(run.config, Qwen2VLConfig) or run.pipeline is None:
        raise RunError("Only Qwen2-VL shows a still twice, and only its model can tell: ask it again.")
    media = run.media[index(posted, "media", len(run.media), default=0)]
    frame = index(posted, "frame", len(media.frames), default=0)
    seen = resize(media.frames[frame], *media.resized)
    pixels = normalise(torch.from_numpy(np.array(seen)).permute(2, 0, 1))
    return compare_convolutions_of(run.pipeline.model, pixels)
