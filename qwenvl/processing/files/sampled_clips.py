"""Plans a clip's file as one model sees it: which frames, how large, how many tokens.

Arithmetic on what `clips.open_clip` found, so that a clip is forecast, and refused, before it is decoded. Qwen2-VL gets
frames in pairs; Qwen-VL, which has no video, gets a few frames as pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from qwenvl.errors import MediaError, Sentence
from qwenvl.models.config import Config, Qwen2VLConfig, QwenVLConfig
from qwenvl.processing.files.clips import ClipFile
from qwenvl.processing.geometry.media import Media
from qwenvl.processing.geometry.sampling import (
    MAX_FRAMES,
    MIN_FRAMES,
    FrameSize,
    Sampling,
    VideoOptions,
    count_frames,
    frame_indices,
    frame_limits,
    frame_range,
    frame_size,
)

_PICTURE_TOKENS = 266  # 256 queries, two tags, and the line "Picture N: " with up to three digits


def plan_clip(clip: ClipFile, config: Config, options: VideoOptions, *, number: int = 1) -> Media:
    """A clip of at least two frames as a model sees it, without its frames.

    Args:
        number: as in `Media`.

    Raises:
        MediaError: options that do not fit this clip, or a size that no model accepts.
    """
    if isinstance(config, QwenVLConfig):
        return _as_pictures(clip, config, options, number)
    return _as_video(clip, config, options, number)


def pictures_that_fit(config: QwenVLConfig) -> int:
    """How many frames of a clip Qwen-VL gets if nobody says: three quarters of the length it was trained with, 5."""
    return max(1, config.language.train_length * 3 // 4 // _PICTURE_TOKENS)


def sampling_steps(media: Media) -> Iterator[tuple[str, str]]:
    """How the frames of a clip's file were chosen, line by line; none for other media."""
    if (sampling := media.sampling) is None:
        return
    yield (
        "lasts",
        Sentence.of(
            "{frames} frames / {fps} a second = {seconds} s",
            frames=f"{sampling.total_frames:,}",
            fps=f"{sampling.fps:.4g}",
            seconds=f"{sampling.seconds:,.1f}",
        ),
    )
    if sampling.first or sampling.last is not None:
        last = sampling.total_frames - 1 if sampling.last is None else sampling.last
        yield "taken between", f"frame {sampling.first:,} and frame {last:,}"
    clamped = "".join(f", {clamp}" for clamp in sampling.clamps if clamp.endswith("frames"))
    yield (
        "frames taken",
        Sentence.of(
            "{n}, {rate} a second ({preset})",
            n=len(sampling.indices),
            rate=f"{sampling.effective_fps:.3g}",
            preset=f"{sampling.preset}{clamped}",
        ),
    )


def _as_pictures(clip: ClipFile, config: QwenVLConfig, options: VideoOptions, number: int) -> Media:
    first, last = frame_range(len(clip.times), clip.fps, options)
    wanted, total = options.pictures or pictures_that_fit(config), last - first + 1
    if wanted > total and options.pictures:
        raise MediaError(
            Sentence.of(
                "{name} has {frames} frames; ask for at most as many pictures, not {asked}.",
                name=clip.name,
                frames=total,
                asked=f"{wanted:,}",
            )
        )
    indices = frame_indices(total, min(wanted, total), first)
    sampling = _sampling(clip, "evenly spaced", indices, (first, last))
    side, queries = config.vision.grid_side, config.adapter.query_side
    return Media(
        kind="video",
        name=clip.name,
        size=clip.size,
        resized=(config.vision.image_size, config.vision.image_size),
        patch_grid=(len(indices), side, side),
        token_grid=(len(indices), queries, queries),
        tokens_are_places=False,
        timestamps=sampling.times,
        number=number,
        sampling=sampling,
        note=clip.note,
    )


def _as_video(clip: ClipFile, config: Qwen2VLConfig, options: VideoOptions, number: int) -> Media:
    vision, (width, height) = config.vision, clip.size
    first, last = frame_range(len(clip.times), clip.fps, options)
    total = last - first + 1
    factor = vision.patch_size * vision.merge_size
    count, clamps = count_frames(total, clip.fps, options)
    size = frame_size(height, width, count, options, factor=factor)
    sampling = replace(
        _sampling(clip, options.preset, frame_indices(total, count, first), (first, last), frame_limits(options)),
        clamps=(*clamps, *size.clamps),
        min_pixels=size.min_pixels,
        max_pixels=size.max_pixels,
        total_pixels=size.total_pixels,
    )
    time, rows, columns = count // vision.temporal_patch_size, size.height // factor, size.width // factor
    return Media(
        kind="video",
        name=clip.name,
        size=clip.size,
        resized=(size.width, size.height),
        patch_grid=(time, rows * vision.merge_size, columns * vision.merge_size),
        token_grid=(time, rows, columns),
        tokens_are_places=True,
        timestamps=sampling.times[:: vision.temporal_patch_size],
        limit=size.limit,
        number=number,
        sampling=sampling,
        note=" ".join(filter(None, (clip.note, _over_budget(clip, time * rows * columns, size, factor)))),
    )


def _sampling(
    clip: ClipFile,
    preset: str,
    indices: tuple[int, ...],
    cut: tuple[int, int],
    limits: tuple[int, int] = (MIN_FRAMES, MAX_FRAMES),
) -> Sampling:
    """Those frames of a clip, taken between the two of `cut`."""
    times, total = tuple(clip.times[index] for index in indices), len(clip.times)
    last = None if cut[1] == total - 1 else cut[1]
    named: dict[str, Any] = {"first": cut[0], "last": last, "min_frames": limits[0], "max_frames": limits[1]}
    return Sampling(preset, total, clip.fps, indices, times, **named)


def _over_budget(clip: ClipFile, tokens: int, size: FrameSize, factor: int) -> str:
    """The warning where no frame may be made small enough for the clip's budget; "" where it holds."""
    budget = size.total_pixels // factor**2
    if tokens <= budget:
        return ""
    why = {
        "frame_floor": "since a frame is never brought below",
        "min_pixels": "since frames are made to have at least",
    }.get(next(iter(size.clamps), ""), "since frames may have")
    pixels = size.min_pixels if "min_pixels" in size.clamps else size.max_pixels
    return f"{clip.name} takes {tokens:,} visual tokens, more than its budget of {budget:,}, {why} {pixels:,} pixels."
