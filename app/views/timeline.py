"""Answers a clip's timeline: its frames in one picture, and where its ids lie under each rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from PIL import Image

from app.asking import pictures
from app.views.contract import Look
from app.views.rows import media_index
from qwenvl.analysis.clip_timeline import resumes, tubes
from qwenvl.analysis.still_frames import compare_convolutions_of
from qwenvl.errors import RunError
from qwenvl.models.config import Qwen2VLConfig
from qwenvl.plan.clip_duration import DURATIONS, TRAINED_TOKENS, cost_by_length
from qwenvl.processing.pictures import resize
from qwenvl.processing.pixels import normalise
from qwenvl.processing.sampling import VIDEO_PRESETS

MAX_FRAMES, MAX_HEIGHT = 24, 240


def filmstrip(look: Look, asked: Mapping[str, Any]) -> dict[str, Any]:
    """{"run", "media", "frames", "height"}: those kept frames of a media, each at the original's shape, left to right.

    "width" is that of one frame; the picture holds as many as were asked for.
    """
    run = look(asked.get("run")).run
    media = run.media[media_index(run, asked)]
    frames, height = _frames(asked, len(media.frames)), asked.get("height")
    if isinstance(height, bool) or not isinstance(height, int) or not 8 <= height <= MAX_HEIGHT:
        raise RunError(f"height must be a whole number from 8 to {MAX_HEIGHT}: choose another.")
    width = max(1, min(4 * height, round(height * media.size[0] / media.size[1])))
    strip = Image.new("RGB", (width * len(frames), height))
    for place, frame in enumerate(frames):
        shown = media.frames[frame].resize((width, height), Image.Resampling.BICUBIC)
        strip.paste(shown, (place * width, 0))
    return {"picture": pictures.png_url(strip), "width": width, "height": height}


def clip_time(look: Look, asked: Mapping[str, Any]) -> dict[str, Any]:
    """{"run", "media"}: each tube's t id and seconds, and by each rule where the text goes on and what overlaps."""
    run = look(asked.get("run")).run
    media = media_index(run, asked)
    return {
        "tubes": [{"position": one.position, "seconds": list(one.seconds)} for one in tubes(run, media)],
        "resumes": [asdict(one) for one in resumes(run, media)],
    }


def clip_longer(look: Look, asked: Mapping[str, Any]) -> dict[str, Any]:
    """{"run", "media"}: what a clip of this size and rate would cost if it lasted otherwise, by each preset's limits.

    Raises:
        RunError: no clip's file, or Qwen-VL, whose pictures all cost the same.
    """
    run = look(asked.get("run")).run
    media = run.media[media_index(run, asked)]
    if media.sampling is None or not isinstance(run.config, Qwen2VLConfig):
        raise RunError(
            "Only of a clip's file in Qwen2-VL is it known what a longer one would cost: choose such a clip."
        )
    costs = {preset: cost_by_length(media.size, media.sampling.fps, preset) for preset in VIDEO_PRESETS}
    return {
        "seconds": list(DURATIONS),
        "presets": [
            {
                **{"name": name, "budget": VIDEO_PRESETS[name].total_tokens},
                "costs": [[one.frames, one.width, one.height, one.tokens] for one in found],
            }
            for name, found in costs.items()
        ],
        "trained": TRAINED_TOKENS,
        "here": [media.sampling.seconds, media.num_tokens],
    }


def twins(look: Look, asked: Mapping[str, Any]) -> dict[str, Any]:
    """{"run", "media", "frame"}: one frame shown twice, through the model's own patch embedding in two and three
    dimensions, and how far the results are apart.

    Raises:
        RunError: Qwen-VL, which knows no time, or a run without its model.
    """
    run = look(asked.get("run")).run
    if not isinstance(run.config, Qwen2VLConfig) or run.pipeline is None:
        raise RunError("Only Qwen2-VL shows a still twice, and only its model can tell: ask it again.")
    media = run.media[media_index(run, asked)]
    kept = len(media.frames)
    if isinstance(frame := asked.get("frame", 0), bool) or not isinstance(frame, int) or not 0 <= frame < kept:
        raise RunError(f"frame must be a whole number from 0 to {kept - 1:,}: choose another.")
    seen = resize(media.frames[frame], *media.resized)
    pixels = normalise(torch.from_numpy(np.array(seen)).permute(2, 0, 1))
    return asdict(compare_convolutions_of(run.pipeline.model, pixels))


def _frames(asked: Mapping[str, Any], kept: int) -> list[int]:
    frames = asked.get("frames")
    wanted = frames if isinstance(frames, list) else []
    sound = [one for one in wanted if isinstance(one, int) and not isinstance(one, bool) and 0 <= one < kept]
    if not 1 <= len(wanted) <= MAX_FRAMES or sound != wanted:
        raise RunError(f"frames must be 1 to {MAX_FRAMES} whole numbers from 0 to {kept - 1:,}: choose others.")
    return sound
