"""Plans what the defaults of each common tool make of the same file; they differ.

A processor read from the checkpoint's folder, one built from its class alone, and two eras of qwen-vl-utils in front of
the former give one model four sizes; Qwen-VL's own code knows one size only. Rules and limits are those of
transformers 5.23 and of qwen-vl-utils 0.0.8 and 0.0.14.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from qwenvl.errors import MediaError, Sentence
from qwenvl.models.config import Qwen2VLConfig
from qwenvl.plan.figures import Text
from qwenvl.plan.planned_models import PlannedModel, find_model
from qwenvl.plan.planning import Measured, Plan, cost, measured, place_all
from qwenvl.processing.files.clips import ClipFile
from qwenvl.processing.files.opened_media import Source, as_list
from qwenvl.processing.geometry.media import Media, Seen, qwen2_vl_media
from qwenvl.processing.geometry.pictures import Limit, check_size
from qwenvl.processing.geometry.pixel_limits import PUBLISHED_MAX_PIXELS, PUBLISHED_MIN_PIXELS
from qwenvl.processing.geometry.sampling import MAX_FRAME_TOKENS, MIN_FRAME_TOKENS, Sampling, VideoOptions
from qwenvl.processing.geometry.size_request import utils_resize

CLASS_MAX_PIXELS = 1280 * 28 * 28
_FRAME_LIMITS = (MIN_FRAME_TOKENS * 28 * 28, MAX_FRAME_TOKENS * 28 * 28)


@dataclass(frozen=True)
class Toolchain:
    """Defaults that people run, knowingly or not.

    Attributes:
        key: a short name.
        says: what runs.
        family: whose.
        min_pixels, max_pixels: of a picture; None where the size is fixed, or where the checkpoint's files say.
        frames: how the frames of a clip are chosen: a preset of `processing.sampling`, or "all".
    """

    key: str
    says: str
    family: Literal["qwen-vl", "qwen2-vl"]
    min_pixels: int | None
    max_pixels: int | None
    frames: str


TOOLCHAINS = (
    Toolchain("qwen-vl", "Qwen-VL's own code: one size", "qwen-vl", None, None, "evenly spaced"),
    Toolchain("checkpoint", "the processor with the checkpoint's file", "qwen2-vl", None, None, "all"),
    Toolchain(
        "class", "the processor built from its class alone", "qwen2-vl", PUBLISHED_MIN_PIXELS, CLASS_MAX_PIXELS, "all"
    ),
    Toolchain(
        "utils-0.0.8",
        "qwen-vl-utils 0.0.8, then the processor",
        "qwen2-vl",
        PUBLISHED_MIN_PIXELS,
        PUBLISHED_MAX_PIXELS,
        "Qwen2-VL",
    ),
    Toolchain(
        "utils-0.0.14",
        "qwen-vl-utils 0.0.14, then the processor",
        "qwen2-vl",
        PUBLISHED_MIN_PIXELS,
        PUBLISHED_MAX_PIXELS,
        "qwen-vl-utils 0.0.14",
    ),
)


@dataclass(frozen=True)
class Outcome:
    """What one toolchain makes of some media: a plan, or the sentence with which it refuses them."""

    toolchain: Toolchain
    plan: Plan | None
    error: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain values; of the plan what differs between toolchains."""
        told = {"key": self.toolchain.key, "says": self.toolchain.says, "error": self.error}
        if self.plan is None:
            return told
        names = (
            "name",
            "min_pixels",
            "max_pixels",
            "visual_tokens",
            "prompt_tokens",
            "context",
            "positions",
            "sentence",
        )
        return told | {name: getattr(self.plan, name) for name in names} | {"media": _sizes(self.plan)}


def _sizes(plan: Plan) -> list[dict[str, Any]]:
    return [
        {
            "name": item.name,
            "resized": item.resized,
            "frames": _frames(item),
            "tokens": item.num_tokens,
            "limit": item.limit,
        }
        for item in plan.media
    ]


def _frames(item: Media) -> int | None:
    """Frames taken of a clip's file; None for what is no such clip."""
    return len(item.sampling.indices) if item.sampling else None


def plan_toolchains(
    media: Source | Measured | Sequence[Source | Measured],
    preset_or_folder: str | os.PathLike[str] = "Qwen2-VL-7B",
    *,
    text: str = "",
    text_tokens: int | None = None,
) -> list[Outcome]:
    """What the defaults of each toolchain make of the same media, for a Qwen2-VL and beside it Qwen-VL.

    Args:
        media: as in `plan`; pixel limits and frame rates of message parts are left out, since defaults are asked for.
        preset_or_folder: a Qwen2-VL; its own limits are those of "the checkpoint's file".
        text, text_tokens: as in `plan`.

    Raises:
        CheckpointError: no such model, or a Qwen-VL.
        MediaError: media that no toolchain can read.
    """
    model, asked = find_model(preset_or_folder), Text(text, text_tokens)
    if not isinstance(model.config, Qwen2VLConfig):
        raise MediaError("Toolchains differ for Qwen2-VL alone; name one, such as Qwen2-VL-7B.")
    sources = [media] if isinstance(media, Seen | ClipFile) else as_list(media)  # type: ignore[arg-type]
    seen = [
        one if isinstance(one, Seen | ClipFile) else measured(one, place=place) for place, one in enumerate(sources, 1)
    ]
    return [_outcome(toolchain, seen, model, asked) for toolchain in TOOLCHAINS]


def _outcome(toolchain: Toolchain, seen: Sequence[Measured], model: PlannedModel, text: Text) -> Outcome:
    try:
        if toolchain.family == "qwen-vl":
            other = find_model("Qwen-VL-Chat")
            placed = place_all(seen, other.config, (1, 1), VideoOptions(), None)
            return Outcome(toolchain, cost(other, tuple(placed), (1, 1), text))
        limits = (toolchain.min_pixels or model.min_pixels, toolchain.max_pixels or model.max_pixels)
        media = tuple(_place(toolchain, one, place, _Given(model, limits)) for place, one in enumerate(seen, 1))
        return Outcome(toolchain, cost(model, media, limits, text))
    except MediaError as error:
        return Outcome(toolchain, None, error.sentence)


@dataclass(frozen=True)
class _Given:
    """For whom, and within which limits a toolchain's first step stays."""

    model: PlannedModel
    limits: tuple[int, int]

    def place(self, seen: Seen, limits: tuple[int, int]) -> Media:
        assert isinstance(self.model.config, Qwen2VLConfig)
        return qwen2_vl_media(seen, self.model.config, min_pixels=limits[0], max_pixels=limits[1])


def _place(toolchain: Toolchain, seen: Measured, place: int, given: _Given) -> Media:
    if isinstance(seen, Seen):
        numbered = replace(seen, number=place)
        is_utils = toolchain.key.startswith("utils")
        return _twice(numbered, given) if is_utils else given.place(numbered, given.limits)
    if toolchain.frames == "all":
        return _every_frame(seen, place, given, _FRAME_LIMITS if toolchain.key == "class" else given.limits)
    options = VideoOptions(preset=toolchain.frames)
    return place_all([seen], given.model.config, given.limits, options, None)[0]


def _every_frame(clip: ClipFile, place: int, given: _Given, limits: tuple[int, int]) -> Media:
    """A clip handed over whole: no frame is left out, and nothing bounds them together."""
    seen = Seen("video", clip.name, clip.size, len(clip.times), clip.fps, number=place, note=clip.note)
    every = tuple(range(len(clip.times)))
    sampling = Sampling("every frame", len(every), clip.fps, every, clip.times, (), *limits)
    return replace(given.place(seen, limits), sampling=sampling)


def _twice(seen: Seen, given: _Given) -> Media:
    """A picture that qwen-vl-utils resizes first and the processor again, which may even refuse what it is given."""
    width, height = seen.size
    rows, columns = utils_resize(height, width, min_pixels=given.limits[0], max_pixels=given.limits[1])
    check_size(columns, rows, Sentence.of("What qwen-vl-utils makes of {name}", name=seen.name))
    between = replace(seen, size=(columns, rows))
    placed = given.place(between, (given.model.min_pixels, given.model.max_pixels))
    return replace(placed, size=seen.size, limit=placed.limit or _utils_limit(height, width, *given.limits))


def _utils_limit(height: int, width: int, min_pixels: int, max_pixels: int) -> Limit | None:
    area = math.prod(max(28, round(side / 28) * 28) for side in (height, width))
    if area > max_pixels:
        return "max_pixels"
    return "min_pixels" if area < min_pixels else None
