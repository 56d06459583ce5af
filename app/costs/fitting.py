"""Finds settings that make a question fit the context or the memory; each offer is tried before it is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from qwenvl.errors import Sentence
from qwenvl.models.config import Config, QwenVLConfig
from qwenvl.processing.files.clips import ClipFile, is_clip, open_clip
from qwenvl.processing.files.frame_count import frames_that_fit, largest
from qwenvl.processing.geometry.sampling import DEFAULT_FPS, VideoOptions

SMALLEST = 56 * 56  # pixels below which no offer goes
_MOST_TOKENS = 16_384  # of max_pixels where a search for it begins
_RATES = tuple(digit * scale for scale in (1.0, 0.1, 0.01, 0.001) for digit in (9, 8, 7, 6, 5, 4, 3, 2, 1.5, 1))


Name = Literal["nframes", "fps", "pictures", "max_pixels"]


@dataclass(frozen=True)
class Asked:
    """The settings of a question that an offer may change.

    Attributes:
        samplings: how each media, if it is a clip, is sampled.
        max_pixels: None for the checkpoint's own.
    """

    samplings: tuple[VideoOptions, ...]
    max_pixels: int | None


Fits = Callable[[Asked], bool]
Clips = dict[int, ClipFile]  # of the question itself, by their place


@dataclass(frozen=True)
class Offer:
    """One setting that makes a question fit.

    Attributes:
        name, value: of the setting: "nframes" for one clip, "fps" for several, "pictures" where a model has no video,
            or "max_pixels".
        asked: the question with it.
    """

    name: Name
    value: float
    asked: Asked

    @property
    def words(self) -> Sentence:
        """What to do, in words: a smaller number of frames fits too, of rates this one was tried."""
        if self.name == "max_pixels":
            return Sentence.of("lower max_pixels to {pixels}", pixels=f"{self.value:,.0f}")
        if self.name == "fps":
            return Sentence.of("at fps {fps} it fits", fps=f"{self.value:g}")
        return Sentence.of("set {setting} or fewer", setting=f"{self.name} {self.value:,.0f}")

    def to_json(self) -> dict[str, float]:
        return {self.name: self.value}


def fewer_frames(paths: Sequence[str], asked: Asked, config: Config, own: int, fits: Fits) -> Offer | None:
    """The most frames of the question's own clips that fit; None where it has none, or the fewest are too many.

    Args:
        paths: of all media of the conversation; the last `own` of them belong to the question itself.
        asked: as it stands, which does not fit.
        fits: whether a question does.
    """
    places = [place for place in range(len(paths) - own, len(paths)) if is_clip(paths[place])]
    clips = {place: clip for place in places if len((clip := open_clip(paths[place])).times) > 1}
    if not clips:
        return None
    if len(clips) == 1:
        return _fewer_of_one(clips, asked, config, fits)
    return _fewer_pictures(clips, asked, fits) if isinstance(config, QwenVLConfig) else _slower(clips, asked, fits)


def fewer_pixels(asked: Asked, fits: Fits) -> Offer | None:
    """The largest max_pixels, in whole visual tokens, that fits; None where the smallest does not."""

    def at(tokens: int) -> Asked:
        return replace(asked, max_pixels=tokens * 784)

    most = _MOST_TOKENS if asked.max_pixels is None else asked.max_pixels // 784
    if not fits(at(SMALLEST // 784)):
        return None
    found = largest(lambda tokens: fits(at(tokens)), SMALLEST // 784, most)
    return Offer("max_pixels", found * 784, at(found))


def _changed(asked: Asked, places: Sequence[int], name: str, value: float) -> Asked:
    samplings = list(asked.samplings)
    for place in places:
        samplings[place] = samplings[place].changed({name: value})
    return replace(asked, samplings=tuple(samplings))


def _fewer_of_one(clips: Clips, asked: Asked, config: Config, fits: Fits) -> Offer | None:
    ((place, clip),) = clips.items()
    options = asked.samplings[place]
    name: Name = "pictures" if isinstance(config, QwenVLConfig) else "nframes"

    def tried(options: VideoOptions) -> bool:
        return fits(_changed(asked, [place], name, getattr(options, name)))

    found = frames_that_fit(clip, config, options, tried, max_pixels=asked.max_pixels)
    if found is None:
        return None
    number = getattr(found, name)
    return Offer(name, number, _changed(asked, [place], name, number))


def _fewer_pictures(clips: Clips, asked: Asked, fits: Fits) -> Offer | None:
    """The same number of each clip, as it is asked for on the page."""
    most = min(len(clip.times) for clip in clips.values())
    now = [one for place in clips if (one := asked.samplings[place].pictures)]
    most = min(most, max(now) - 1) if now else most

    def at(count: int) -> Asked:
        return _changed(asked, list(clips), "pictures", count)

    if most < 1 or not fits(at(1)):
        return None
    found = largest(lambda count: fits(at(count)), 1, most)
    return Offer("pictures", found, at(found))


def _slower(clips: Clips, asked: Asked, fits: Fits) -> Offer | None:
    """By rate: no one number of frames suits several clips."""
    now = max(_rate(asked.samplings[place], clip) for place, clip in clips.items())
    rates = [rate for rate in _RATES if rate < now]
    tries = [_changed(asked, list(clips), "fps", round(rate, 4)) for rate in rates]
    if not tries or not fits(tries[-1]):
        return None
    found = next(one for one in tries if fits(one))
    return Offer("fps", round(rates[tries.index(found)], 4), found)


def _rate(options: VideoOptions, clip: ClipFile) -> float:
    if options.nframes is not None:
        return options.nframes * clip.fps / len(clip.times)
    return DEFAULT_FPS if options.fps is None else options.fps
