"""Places a run's clip in time: when its frames are shown, which ids they have, and which id the text goes on with.

Knows a finished run. A *tube* is one temporal cell of a media: two frames in Qwen2-VL, one frame taken as a picture in
Qwen-VL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from qwenvl.analysis.position_rules import positions_by_rule
from qwenvl.models.rope import PositionRule, decoding_positions
from qwenvl.processing.geometry.media import Media
from qwenvl.recorded.rows import Head, Layer, RunRows

RULES: tuple[PositionRule, ...] = ("paper", "transformers-5")


@dataclass(frozen=True)
class Tube:
    """One temporal cell of a clip.

    Attributes:
        seconds: at which each of its frames is shown; () where the clip's rate is not known.
        position: its t id, in a Qwen-VL the id of its first visual token.
        tokens: its visual tokens, indices into the run's.
    """

    seconds: tuple[float, ...]
    position: int
    tokens: range


def tubes(run: RunRows, media: int = 0) -> tuple[Tube, ...]:
    """The temporal cells of a media, in order; one of a still.

    Raises:
        RunError: no such media.
    """
    media = run.check_media(media)
    places = run.visual[media].tolist()
    cells = run.media[media].patch_grid[0]
    each, times = len(places) // cells, frame_times(run.media[media])
    frames = max(1, len(run.media[media].frames) // cells)
    return tuple(
        Tube(
            seconds=tuple(times[cell * frames : (cell + 1) * frames]),
            position=int(run.positions[0, places[cell * each]]),
            tokens=range(places[cell * each], places[(cell + 1) * each - 1] + 1),
        )
        for cell in range(cells)
    )


def frame_times(media: Media) -> tuple[float, ...]:
    """Seconds at which each frame that a model was shown begins; () for stills, and where the rate is not known."""
    if media.sampling is not None:
        return tuple(media.sampling.times)
    if len(media.timestamps) < 2:
        return ()
    each = (media.timestamps[1] - media.timestamps[0]) * media.patch_grid[0] / max(1, len(media.frames))
    return tuple(frame * each for frame in range(len(media.frames)))


def tube_shares(run: RunRows, *, query: int, layer: Layer, head: Head = "mean", media: int = 0) -> Tensor:
    """How much of one row of the language model falls on each tube of a media, (tubes,) float32.

    Args: as `Run.image_map`, whose sum over a tube this is.
    """
    return run.image_map(query=query, layer=layer, head=head, media=media).flatten(1).sum(dim=1)


@dataclass(frozen=True)
class Resumes:
    """What follows a media by one rule.

    Attributes:
        first, last: the least and the largest t id of the media.
        after: the id of the token after it.
        overlapping: how many later tokens have an id that its tubes have too, as t ids.
    """

    rule: PositionRule
    first: int
    last: int
    after: int
    overlapping: int


def resumes(run: RunRows, media: int = 0) -> tuple[Resumes, ...]:
    """Where the text goes on after a media, by each rule: the paper's largest id so far plus one, and that of
    transformers 5, which takes no notice of t, so that later text may share ids with a long clip's tubes.

    Raises:
        RunError: no such media.
    """
    places = run.visual[run.check_media(media)].tolist()
    end = places[-1] + 1
    return tuple(_resumes(positions_by_rule(run, rule), rule, places, end) for rule in RULES)


def _resumes(positions: Tensor, rule: PositionRule, places: Sequence[int], end: int) -> Resumes:
    own, later = positions[0, list(places)], positions[0, end:]
    first, last = int(own.min()), int(own.max())
    overlapping = int((later <= last).sum())
    after = int(later[0]) if len(later) else int(decoding_positions(positions[:, :end], 1, rule)[0, 0])
    return Resumes(rule, first, last, after, overlapping)
