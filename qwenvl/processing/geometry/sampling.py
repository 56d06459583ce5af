"""Chooses which frames of a clip Qwen2-VL is shown, and how large: arithmetic on counts, rates and sizes.

The model has no rule of its own: the published tool qwen-vl-utils chooses, and its releases differ. Three presets stand
for them. Opens no file. Tokens here are visual tokens of one temporal patch: a pair of frames shares them.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np

from qwenvl.errors import MediaError, Sentence, shown
from qwenvl.integers import plain
from qwenvl.processing.geometry.pictures import Limit, check_limits, check_size
from qwenvl.processing.geometry.size_request import MAX_TOKENS, MIN_TOKENS, SizeRequest

FRAMES_A_PATCH = 2
DEFAULT_FPS, MIN_FRAMES, MAX_FRAMES = 2.0, 4, 768
MIN_FRAME_TOKENS, MAX_FRAME_TOKENS = 128, 768
_FLOOR_MARGIN = 1.05  # the ceiling of a frame never falls below its floor times this, whatever the budget says

Clamp = Literal["min_frames", "max_frames", "total_frames", "min_pixels", "max_pixels", "total_pixels", "frame_floor"]
"""A limit that changed something.

"min_frames", "max_frames": 4 and 768. "total_frames": the clip has no more. "min_pixels", "max_pixels": floor and
ceiling of a frame. "total_pixels": the budget of the whole clip, shared among its frames. "frame_floor": the budget
would have made frames smaller than their floor, which the published tool never does.
"""


@dataclass(frozen=True)
class VideoPreset:
    """One release's rules.

    Attributes:
        total_tokens: budget of visual tokens for a whole clip; 2409.12191, section 2.1 trains with 16,384.
        rounding: how a number of frames becomes even; "floor" also never asks for more than there are.
        may_raise: whether a given `max_pixels` replaces the ceiling of a frame, or can only lower it.
    """

    name: str
    total_tokens: int
    rounding: Literal["round", "floor"]
    may_raise: bool


VIDEO_PRESETS = {
    preset.name: preset
    for preset in (
        VideoPreset("Qwen2-VL", total_tokens=24_576, rounding="round", may_raise=True),  # qwen-vl-utils up to 0.0.8
        VideoPreset("paper", total_tokens=16_384, rounding="round", may_raise=True),
        VideoPreset("qwen-vl-utils 0.0.14", total_tokens=115_200, rounding="floor", may_raise=False),
    )
}


@dataclass(frozen=True)
class VideoOptions:
    """What a message's part, or `qwenvl.plan`, says about a clip; None for the preset's.

    Attributes:
        fps: frames to take a second; or `nframes`, how many in all.
        min_pixels, max_pixels: floor and ceiling of height times width of a resized frame.
        total_pixels: budget of the clip: height times width of a resized frame times half the number of frames.
        min_frames, max_frames: fewest and most frames taken where `nframes` does not say how many; None: 4 and 768.
        video_start, video_end: seconds of the clip between which frames are taken; None for its ends.
        resized_height, resized_width: of a frame, both or none, brought to multiples of 28.
        pictures: how many of the clip's frames Qwen-VL gets, which has no video; it heeds none of the others.
    """

    preset: str = "Qwen2-VL"
    fps: float | None = None
    nframes: int | None = None
    min_pixels: int | None = None
    max_pixels: int | None = None
    total_pixels: int | None = None
    pictures: int | None = None
    min_frames: int | None = None
    max_frames: int | None = None
    video_start: float | None = None
    video_end: float | None = None
    resized_height: int | None = None
    resized_width: int | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Those among a part's keys, checked.

        Raises:
            MediaError: a value that cannot be meant, or both `fps` and `nframes`.
        """
        options = cls(**{name: plain(given[name]) for name in cls.__dataclass_fields__ if given.get(name) is not None})
        if options.preset not in VIDEO_PRESETS:
            raise MediaError(
                Sentence.of(
                    "There is no video preset {name}; take one of {names}.",
                    name=f"{options.preset!r}",
                    names=", ".join(VIDEO_PRESETS),
                )
            )
        if options.fps is not None and options.nframes is not None:
            raise MediaError("fps and nframes both say how many frames to take; give one of them.")
        check_fps(options.fps)
        for name in ("nframes", "min_pixels", "max_pixels", "total_pixels", "pictures", "min_frames", "max_frames"):
            value = getattr(options, name)
            if value is not None and (type(value) is not int or not 1 <= value < 1 << 40):
                raise MediaError(
                    Sentence.of("{name} is a whole number from 1 up, not {value}.", name=name, value=shown(value))
                )
        options._check_frames()
        for name in ("video_start", "video_end"):
            _check_second(name, getattr(options, name))
        SizeRequest.of({name: getattr(options, name) for name in ("resized_height", "resized_width")})
        return options

    def _check_frames(self) -> None:
        """What the numbers of frames say together."""
        if self.nframes is not None and (self.min_frames or self.max_frames):
            raise MediaError("nframes says how many frames to take; leave min_frames and max_frames out.")
        least = _even(self.min_frames or MIN_FRAMES, math.ceil)
        most = _even(self.max_frames or least, math.floor)
        if self.max_frames is not None and most < FRAMES_A_PATCH:
            raise MediaError(
                Sentence.of("max_frames is at least {least}, not {value}.", least=FRAMES_A_PATCH, value=self.max_frames)
            )
        if self.min_frames is not None and most < least:
            raise MediaError(
                Sentence.of(
                    "min_frames {least} is above max_frames {most}; correct either.",
                    least=f"{self.min_frames:,}",
                    most=f"{self.max_frames:,}",
                )
            )

    def changed(self, given: Mapping[str, Any]) -> Self:
        """The same but for what a part's keys say; raises as `of`."""
        kept = dict(vars(self))
        if given.get("fps") is not None or given.get("nframes") is not None:
            kept |= {"fps": None, "nframes": None}
        return self.of({**kept, **{name: value for name, value in given.items() if value is not None}})

    def within(self, max_pixels: int | None) -> Self:
        """The same with frames of at most `max_pixels`, where that is lower; None changes nothing."""
        if max_pixels is None or (self.max_pixels is not None and self.max_pixels <= max_pixels):
            return self
        check_limits(1, max_pixels)
        return replace(self, max_pixels=min(max_pixels, self.max_pixels or MAX_FRAME_TOKENS * 28 * 28))


@dataclass(frozen=True)
class Sampling:
    """How the frames of a clip were chosen: what a timeline shows.

    Attributes:
        preset: of `VIDEO_PRESETS`; "evenly spaced" for Qwen-VL.
        total_frames, fps: of the file; frames a second on average.
        indices, times: of the frames taken, counted from 0, and their seconds after the clip's first frame.
        clamps: every limit that changed their number or size.
        min_pixels, max_pixels, total_pixels: the limits that applied; None for Qwen-VL, which has none.
        first, last: the frames of the file between which some were taken; None: its last.
        min_frames, max_frames: the limits of their number.
    """

    preset: str
    total_frames: int
    fps: float
    indices: tuple[int, ...]
    times: tuple[float, ...]
    clamps: tuple[Clamp, ...] = ()
    min_pixels: int | None = None
    max_pixels: int | None = None
    total_pixels: int | None = None
    first: int = 0
    last: int | None = None
    min_frames: int = MIN_FRAMES
    max_frames: int = MAX_FRAMES

    @property
    def seconds(self) -> float:
        """How long the clip lasts."""
        return self.total_frames / self.fps

    @property
    def effective_fps(self) -> float:
        """Frames taken a second."""
        last = self.total_frames - 1 if self.last is None else self.last
        return len(self.indices) / ((last - self.first + 1) / self.fps)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """From what `dataclasses.asdict` made of it, lists for tuples."""
        return cls(**{**data, **{name: tuple(data[name]) for name in ("indices", "times", "clamps")}})


@dataclass(frozen=True)
class FrameSize:
    """The size of the frames of a clip, and why: `limit` as in `Media`, the limits that applied, and the clamps."""

    width: int
    height: int
    limit: Limit | None
    min_pixels: int
    max_pixels: int
    total_pixels: int
    clamps: tuple[Clamp, ...]


def check_fps(fps: object) -> None:
    """Refuse a rate that is none; None passes."""
    if fps is None:
        return
    sound = isinstance(fps, int | float) and not isinstance(fps, bool) and 0 < fps <= sys.float_info.max
    if not sound:
        raise MediaError(Sentence.of("fps is the number of frames a second, above 0, not {value}.", value=shown(fps)))


def count_frames(total: int, fps: float, options: VideoOptions) -> tuple[int, tuple[Clamp, ...]]:
    """How many frames of a clip are taken: an even number.

    Args:
        total, fps: frames of the file, and how many a second; at least 2.

    Returns:
        The number, and which of "min_frames", "max_frames" and "total_frames" changed it.

    Raises:
        MediaError: `nframes` asks for more than there are.
    """
    if options.nframes is not None:
        return _given_count(total, options.nframes), ()
    least, cap = frame_limits(options)
    most = _even(min(cap, total), math.floor)
    wanted = total / fps * (DEFAULT_FPS if options.fps is None else options.fps)
    clamps: list[Clamp] = []
    if wanted < least <= most:
        clamps.append("min_frames")
    if max(wanted, least) > most:
        clamps.append("max_frames" if total > cap else "total_frames")
    wanted = min(max(wanted, least), most)
    rounding = math.floor if VIDEO_PRESETS[options.preset].rounding == "floor" else round
    return _even(wanted, rounding), tuple(clamps)


def _given_count(total: int, nframes: int) -> int:
    count, most = _even(nframes, round), _even(total, math.floor)
    if not FRAMES_A_PATCH <= count <= most:
        raise MediaError(
            Sentence.of(
                "nframes is an even number from 2 to {most} for a clip of {frames} frames, not {value}.",
                most=most,
                frames=f"{total:,}",
                value=f"{nframes:,}",
            )
        )
    return count


def frame_limits(options: VideoOptions) -> tuple[int, int]:
    """The fewest and the most frames that are taken, both even."""
    return _even(options.min_frames or MIN_FRAMES, math.ceil), _even(options.max_frames or MAX_FRAMES, math.floor)


def frame_range(total: int, fps: float, options: VideoOptions) -> tuple[int, int]:
    """The first and the last frame that may be taken, between `video_start` and `video_end`.

    Raises:
        MediaError: fewer than two frames lie between them.
    """
    seconds = total / fps
    start, end = (
        None if second is None else max(0.0, min(second, seconds))
        for second in (options.video_start, options.video_end)
    )
    first = 0 if start is None else math.ceil(start * fps)
    last = total - 1 if end is None else min(math.floor(end * fps), total - 1)
    if (start is not None or end is not None) and first >= last:
        raise MediaError(
            Sentence.of(
                "video_start and video_end leave fewer than two frames of a clip of {seconds} s; take a longer part.",
                seconds=f"{seconds:.4g}",
            )
        )
    return first, last


def _check_second(name: str, value: object) -> None:
    if value is None:
        return
    sound = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
    if not sound:
        raise MediaError(
            Sentence.of("{name} is a number of seconds from 0, not {value}.", name=name, value=shown(value))
        )


def _even(number: float, rounding: Any) -> int:
    return int(rounding(number / FRAMES_A_PATCH)) * FRAMES_A_PATCH


def frame_indices(total: int, count: int, first: int = 0) -> tuple[int, ...]:
    """`count` frames evenly spaced from the first to the last of `total`, halves rounded to even.

    The published tools say `torch.linspace(first, first + total - 1, count).round()`: a step in float32, and places
    counted from the nearer end, each rounded to float32 once.
    """
    if count == 1:
        return (first,)
    last, step = np.float64(first + total - 1), np.float64(np.float32(total - 1) / np.float32(count - 1))
    places = np.arange(count)
    near_first = places < count // 2
    exact = np.where(near_first, first + step * places, last - step * (count - 1 - places))
    return tuple(exact.astype(np.float32).round().astype(np.int64).tolist())


def frame_size(height: int, width: int, count: int, options: VideoOptions, *, factor: int = 28) -> FrameSize:
    """The size of each of `count` frames of a clip.

    The rule of qwen-vl-utils, with two repairs where it fails: no side shrinks below `factor` (there: to 0), and a
    given `max_pixels` below the floor lifts the floor (there: small frames grow beyond the ceiling).

    Args:
        height, width: of an upright frame, in pixels.
        factor: pixels a side of a merged token.

    Raises:
        MediaError: no pixels, too long a strip, or limits that exclude each other.
    """
    check_size(width, height, "This clip")
    if options.resized_height is not None:
        return _named_size(height, width, count, options, factor)
    preset, area = VIDEO_PRESETS[options.preset], factor * factor
    floor = options.min_pixels or _floor(MIN_FRAME_TOKENS * area, options.max_pixels, area)
    total = options.total_pixels or preset.total_tokens * area
    share, least, most = total / count * FRAMES_A_PATCH, int(floor * _FLOOR_MARGIN), MAX_FRAME_TOKENS * area
    ceiling = max(min(most, share), least)
    why: Clamp = "max_pixels" if ceiling == most else "frame_floor" if share < least else "total_pixels"
    if options.max_pixels is not None and (preset.may_raise or options.max_pixels < ceiling):
        ceiling, why = options.max_pixels, "max_pixels"
    check_limits(floor, int(ceiling))
    limit, (rows, columns) = _fit(height, width, factor, floor, ceiling)
    clamps: dict[Limit | None, tuple[Clamp, ...]] = {"max_pixels": (why,), "min_pixels": ("min_pixels",)}
    return FrameSize(columns, rows, limit, floor, int(ceiling), int(total), clamps.get(limit, ()))


def _named_size(height: int, width: int, count: int, options: VideoOptions, factor: int) -> FrameSize:
    """A size that was asked for by name, within the limits that the tool has for pictures."""
    request = SizeRequest(resized_height=options.resized_height, resized_width=options.resized_width)
    least, most = MIN_TOKENS * factor * factor, MAX_TOKENS * factor * factor
    rows, columns, _ = request.size(height, width, factor=factor, min_pixels=least, max_pixels=most)
    return FrameSize(columns, rows, None, least, most, rows * columns * count // FRAMES_A_PATCH, ())


def _floor(published: int, max_pixels: int | None, area: int) -> int:
    return published if max_pixels is None or max_pixels >= published else min(area, max_pixels)


def _fit(height: int, width: int, factor: int, floor: int, ceiling: float) -> tuple[Limit | None, tuple[int, int]]:
    rows, columns = (max(factor, round(side / factor) * factor) for side in (height, width))
    if rows * columns > ceiling:
        shrink = math.sqrt(height * width / ceiling)
        rows, columns = (max(factor, math.floor(side / shrink / factor) * factor) for side in (height, width))
        return "max_pixels", (rows, columns)
    if rows * columns < floor:
        grow = math.sqrt(floor / (height * width))
        rows, columns = (math.ceil(side * grow / factor) * factor for side in (height, width))
        return "min_pixels", (rows, columns)
    return None, (rows, columns)
