"""Finds by trying the largest number of a clip's frames that fits a limit on tokens."""

from __future__ import annotations

from collections.abc import Callable

from qwenvl.models.config import Config, QwenVLConfig
from qwenvl.processing.files.clips import ClipFile
from qwenvl.processing.files.sampled_clips import plan_clip
from qwenvl.processing.geometry.sampling import FRAMES_A_PATCH, VideoOptions


def frames_that_fit(
    clip: ClipFile,
    config: Config,
    options: VideoOptions,
    fits: Callable[[VideoOptions], bool],
    *,
    max_pixels: int | None = None,
) -> VideoOptions | None:
    """The options with the most frames that fit, any smaller number of which fits as well; None where none does.

    Args:
        options: as they stand, which do not fit.
        fits: whether a question does with these options of the clip.
        max_pixels: that the question sets besides.
    """
    tries = _fewer(clip, config, options, max_pixels)
    if not tries or not fits(tries[0][0]):
        return None
    found = largest(lambda index: fits(tries[index][1]), 0, len(tries) - 1)
    return tries[found][0]


def largest(fits: Callable[[int], bool], low: int, high: int) -> int:
    """The largest number that fits, of those from `low`, which does, to `high`."""
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def _fewer(
    clip: ClipFile, config: Config, options: VideoOptions, max_pixels: int | None
) -> list[tuple[VideoOptions, VideoOptions]]:
    """For each smaller number of frames, ascending: the options with it, and those up to it that take most tokens.

    Where frames share a budget, fewer of them may take more.
    """
    name, step = ("pictures", 1) if isinstance(config, QwenVLConfig) else ("nframes", FRAMES_A_PATCH)
    sampling = plan_clip(clip, config, options.within(max_pixels)).sampling
    taken = len(sampling.indices) if sampling else 0
    tries = [options.changed({name: number}) for number in range(step, taken, step)]
    tokens = [plan_clip(clip, config, one.within(max_pixels)).num_tokens for one in tries]
    heaviest = [max(range(index + 1), key=tokens.__getitem__) for index in range(len(tries))]
    return [(one, tries[index]) for one, index in zip(tries, heaviest, strict=True)]
