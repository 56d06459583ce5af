"""Answers the Planner: what files cost every published model, with no model loaded.

The page hands over the files of the rail once and gets an unguessable id for each, which is the permission to plan it.
Every function takes one dict that anybody may have posted, and answers one; all figures are `qwenvl.plan`'s.
"""

from __future__ import annotations

import math
import os
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

import qwenvl
from app.asking import pictures
from app.asking.conversation import FPS, MAX_NUM_FRAMES, MAX_PIXELS
from app.asking.posted import optional_number, optional_whole
from app.costs.planner_answers import (
    ConvertedPlaces,
    Crop,
    PlannedFile,
    PlannedMedia,
    PlannedToolchain,
    PlannerFigures,
    PlannerGroup,
    PlannerPage,
    PlannerRow,
    PlannerTable,
    RefusedRow,
    ShownMedia,
    SuggestedTokens,
    ToolchainMedia,
)
from qwenvl.errors import MediaError, PromptError
from qwenvl.plan import PUBLISHED, Plan, measured, plan_table, plan_toolchains
from qwenvl.plan.planning import PlanSettings
from qwenvl.plan.recommended_tokens import SUGGESTED, Suggestion
from qwenvl.plan.toolchains import CLASS_MAX_PIXELS, Outcome
from qwenvl.processing.files.clips import ClipFile
from qwenvl.processing.files.picture_files import open_picture
from qwenvl.processing.geometry.coordinates import SPACES, Space, convert, written
from qwenvl.processing.geometry.media import Media, Seen
from qwenvl.processing.geometry.pictures import resize
from qwenvl.processing.geometry.pixels import resize_frame
from qwenvl.processing.processor import PUBLISHED_MAX_PIXELS, PUBLISHED_MIN_PIXELS

MOST_FILES = 64
CROP_WIDTH, CROP_SHAPE = 420, 16 / 9
LETTER = 20  # pixels of a letter whose fate the table tells
THUMBNAIL = 480
KEPT = 512
_SMALL = 192  # pixels across the copy on which the place with the most detail is looked for

Asked = Mapping[str, Any]  # as posted: nothing of it is checked yet
Measured = Seen | ClipFile
Answer = Mapping[str, object]
Group = tuple[str, int | None, int | None]  # its key, min_pixels and max_pixels


class Files:
    """The files that may be planned, by id; the oldest are forgotten."""

    def __init__(self) -> None:
        self._paths: dict[str, str] = {}
        self._lock = threading.Lock()

    def give(self, paths: Sequence[str]) -> list[PlannedFile]:
        """What the page needs of each file to show and to ask about it."""
        return [_described(path, self._id(path)) for path in paths[:MOST_FILES]]

    def path(self, file_id: Any) -> str:
        """Raises `MediaError` for an id that names none."""
        path = self._paths.get(file_id) if isinstance(file_id, str) else None
        if path is None or not os.path.isfile(path):
            raise MediaError("This file is no longer here: give it again.")
        return path

    def measured(self, file_id: Any) -> Measured:
        """A file's size and name, opened once for each time it changes."""
        path = self.path(file_id)
        return _measured(path, os.stat(path).st_mtime_ns)

    def _id(self, path: str) -> str:
        with self._lock:
            known = next((file_id for file_id, one in self._paths.items() if one == path), None)
            file_id = known or secrets.token_urlsafe(16)
            self._paths[file_id] = self._paths.pop(file_id, path)
            while len(self._paths) > KEPT:
                del self._paths[next(iter(self._paths))]
            return file_id


@lru_cache(maxsize=256)
def _measured(path: str, changed: int) -> Measured:
    return measured(path)


def _described(path: str, file_id: str) -> PlannedFile:
    seen = _measured(path, os.stat(path).st_mtime_ns)
    told: PlannedFile = {"id": file_id, "name": seen.name, "size": list(seen.size), "kind": seen.kind}
    if isinstance(seen, ClipFile):
        told |= {"frames": len(seen.times), "fps": seen.fps}
    return told


def functions(files: Files) -> dict[str, Callable[[Asked], Answer]]:
    """What the Planner asks of the server, by name."""
    return {
        "planner_plan": lambda asked: plan_page(files, asked),
        "planner_crop": lambda asked: crop(files, asked),
        "planner_picture": lambda asked: picture(files, asked),
        "planner_table": lambda asked: table(files, asked),
        "planner_convert": lambda asked: converted(files, asked),
    }


# --- the table ---


@dataclass(frozen=True)
class PlannerSettings:
    """What the page assumes: limits of a picture (None: those of the files), frames of clips, words."""

    models: tuple[str, ...]
    min_pixels: int | None
    max_pixels: int | None
    fps: float | None
    nframes: int | None
    text_tokens: int
    answer_tokens: int

    @classmethod
    def of(cls, asked: Asked) -> PlannerSettings:
        """Checked. Raises `PromptError` for a value that cannot be meant."""
        models = asked.get("models", list(PUBLISHED))
        if not isinstance(models, list) or any(name not in PUBLISHED for name in models):
            raise PromptError(f"models are a list of {', '.join(PUBLISHED)}: choose among them.")
        return cls(
            models=tuple(models),
            min_pixels=optional_whole(asked, "min_pixels", 1, MAX_PIXELS),
            max_pixels=optional_whole(asked, "max_pixels", 1, MAX_PIXELS),
            fps=optional_number(asked, "fps", *FPS),
            nframes=optional_whole(asked, "nframes", 1, MAX_NUM_FRAMES),
            text_tokens=optional_whole(asked, "text_tokens", 0, 1_000_000) or 0,
            answer_tokens=optional_whole(asked, "answer_tokens", 0, 1_000_000) or 0,
        )

    def given(self) -> PlanSettings:
        """For `qwenvl.plan`, without limits."""
        return {
            "fps": self.fps,
            "nframes": self.nframes,
            "text_tokens": self.text_tokens,
            "answer_tokens": self.answer_tokens,
        }

    def limited(self) -> PlanSettings:
        """For `qwenvl.plan`, with the visitor's limits of a picture."""
        return {**self.given(), "min_pixels": self.min_pixels, "max_pixels": self.max_pixels}


def plan_page(files: Files, asked: Asked) -> PlannerPage:
    """The table in its groups by pixel limit, what each toolchain does, and how many tokens are suggested.

    "groups" is a list of {"key", "min_pixels", "max_pixels", "rows"}: "one" for Qwen-VL, "files" as the checkpoints
    ship, "class" for a processor without its file, and "own" where the visitor's limits are none of these.
    """
    seen, settings = _seen(files, asked), PlannerSettings.of(asked)
    shown = optional_whole(asked, "shown", 0, max(0, len(seen) - 1)) or 0
    has_clips = any(isinstance(one, ClipFile) for one in seen)
    groups: list[PlannerGroup] = [
        {"key": key, "min_pixels": low, "max_pixels": high, "rows": rows}
        for key, low, high in _groups(settings, has_clips)
        if (rows := [_row(seen, name, (key, low, high), settings, shown) for name in _of_group(key, settings.models)])
    ]
    chain = plan_toolchains(seen[shown], text_tokens=settings.text_tokens) if seen else []
    return {
        "groups": groups,
        "toolchains": [_toolchain(one) for one in chain],
        "suggested": [_suggested(one) for one in SUGGESTED],
        "files": list(asked.get("files", [])),
    }


def _groups(settings: PlannerSettings, has_clips: bool) -> list[Group]:
    """A processor without its file leaves clips unsampled, which is no line of this table but a toolchain's."""
    shipped = (PUBLISHED_MIN_PIXELS, PUBLISHED_MAX_PIXELS)
    own = (settings.min_pixels or shipped[0], settings.max_pixels or shipped[1])
    groups: list[Group] = [("one", None, None)]
    if own != shipped:
        groups.append(("own", *own))
    groups.append(("files", *shipped))
    return groups if has_clips else [*groups, ("class", shipped[0], CLASS_MAX_PIXELS)]


def _of_group(key: str, models: Sequence[str]) -> list[str]:
    return [name for name in models if name.startswith("Qwen-VL") is (key == "one")]


def _row(
    seen: Sequence[Measured], name: str, group: Group, settings: PlannerSettings, shown: int
) -> PlannerRow | RefusedRow:
    """One line of the table, or the sentence why there is none."""
    key, low, high = group
    # As the files ship nothing is set: a limit that is set, even to the same, takes a clip's budget out of force.
    limited: PlanSettings = {**settings.given(), "min_pixels": low, "max_pixels": high}
    given = settings.given() if key in ("one", "files") else limited
    try:
        plan = qwenvl.plan(list(seen), name, **given)
    except MediaError as error:
        return {"model": name, "error": error.sentence}
    return {"model": name, **_figures(plan), **_shown(plan, shown)}


def _figures(plan: Plan) -> PlannerFigures:
    marks = sum(2 if item.tokens_are_places else 2 * item.patch_grid[0] for item in plan.media)
    own = sum(max(item.token_grid) if item.tokens_are_places else item.num_tokens for item in plan.media)
    kept = sum(plan.trace_bytes.values())
    return {
        "family": plan.family,
        "parameters": plan.parameters,
        "derived": plan.derived,
        "patches": plan.patches,
        "visual_tokens": plan.visual_tokens,
        "template_tokens": plan.template_tokens,
        "text_tokens": plan.text_tokens,
        "prompt_tokens": plan.prompt_tokens,
        "context": plan.context,
        "train_length": plan.train_length,
        "sentence": plan.sentence,
        "share_of_context": plan.share_of_context,
        "flops": plan.flops,
        "attention_bytes": plan.attention_bytes,
        "tokens": plan.visual_tokens + marks,
        "positions": own + marks,
        "prompt_positions": plan.positions,
        "kv_bytes": plan.kv_cache_bytes,
        "kept_bytes": kept,
        "weight_bytes": plan.weight_bytes,
        "total_bytes": plan.kv_cache_bytes + kept + plan.weight_bytes,
        "steps": plan.steps,
        "limits": plan.limits,
        "notes": plan.notes,
        "suggestions": plan.suggestions,
        "media": [_media(item, plan) for item in plan.media],
    }


def _media(item: Media, plan: Plan) -> PlannedMedia:
    ceiling = (item.sampling.max_pixels if item.sampling else None) or plan.max_pixels
    return {
        "name": str(item.name),
        "size": item.size,
        "resized": item.resized,
        "limit": item.limit,
        "patch_grid": item.patch_grid,
        "token_grid": item.token_grid,
        "tokens": item.num_tokens,
        "frames": len(item.sampling.indices) if item.sampling else None,
        "clamps": item.sampling.clamps if item.sampling else (),
        "filled": math.prod(item.resized) / ceiling if ceiling and item.tokens_are_places else None,
    }


def _shown(plan: Plan, shown: int) -> ShownMedia:
    if not plan.media:
        return {"resized": None, "letter": None, "limit": None, "filled": None}
    item = plan.media[shown]
    chosen = _media(item, plan)
    return {
        "resized": chosen["resized"],
        "letter": _letter(item),
        "limit": chosen["limit"],
        "filled": chosen["filled"],
    }


def _letter(item: Media) -> list[float]:
    """What becomes of a letter's width and height."""
    return [LETTER * new / old for new, old in zip(item.resized, item.size, strict=True)]


def _toolchain(outcome: Outcome) -> PlannedToolchain:
    plan, toolchain = outcome.plan, outcome.toolchain
    told: PlannedToolchain = {"key": toolchain.key, "says": toolchain.says, "error": outcome.error}
    if plan is None:
        return told
    return {
        **told,
        "prompt_tokens": plan.prompt_tokens,
        "context": plan.context,
        "media": [_by_toolchain(item) for item in plan.media],
        "letter": _letter(plan.media[0]),
    }


def _by_toolchain(item: Media) -> ToolchainMedia:
    return {
        "name": item.name,
        "resized": item.resized,
        "frames": len(item.sampling.indices) if item.sampling else None,
        "tokens": item.num_tokens,
        "limit": item.limit,
    }


def _suggested(one: Suggestion) -> SuggestedTokens:
    return {"low": one.low, "high": one.high, "purpose": one.purpose, "source": one.source}


def table(files: Files, asked: Asked) -> PlannerTable:
    """Every file by every model under the visitor's limits, as CSV and JSON text: `qwenvl.plan_table`."""
    settings = PlannerSettings.of(asked)
    found = plan_table(_seen(files, asked), settings.models, **settings.limited())
    return {"csv": found.to_csv(), "json": str(found)}


# --- pictures ---


def picture(files: Files, asked: Asked) -> pictures.Picture:
    """A file as a picture of the page: upright, small."""
    small = _original(files, asked).copy()
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    return {"picture": pictures.png_url(small)}


def crop(files: Files, asked: Asked) -> Crop:
    """The same part of a picture as one model receives it: cut from the whole picture, resized by its processor.

    Round the place (x, y) in fractions of the sides, or without one round the place with the most detail. Answers
    "crop", a PNG of whole pixels of the resized picture; "box", where the part lies in it, (left, top, width, height),
    not rounded; "arrive", how many pixels of it the part is; "region", the part in pixels of the original.
    """
    seen = files.measured(asked.get("file"))
    item = _placed(seen, asked)
    path = files.path(asked.get("file"))
    x, y = (optional_number(asked, name, 0, 1e6) for name in ("x", "y"))
    if x is None or y is None:
        x, y = _busiest(path, os.stat(path).st_mtime_ns)
    region = _region(seen.size, x, y)
    scale = [new / old for new, old in zip(item.resized, seen.size, strict=True)]
    left, top, width, height = (edge * scale[place % 2] for place, edge in enumerate(region))
    whole = (math.floor(left), math.floor(top), math.ceil(left + width), math.ceil(top + height))
    whole = (*whole[:2], min(whole[2], item.resized[0]), min(whole[3], item.resized[1]))
    received = _resized(path, os.stat(path).st_mtime_ns, item.resized, item.tokens_are_places)
    return {
        "crop": pictures.png_url(received.crop(whole)),
        "box": [left - whole[0], top - whole[1], width, height],
        "arrive": [round(width), round(height)],
        "region": list(region),
        "resized": list(item.resized),
    }


def _region(size: tuple[int, int], x: float, y: float) -> tuple[float, float, float, float]:
    """The part round a place (fractions of the sides), inside the picture: (left, top, width, height)."""
    width = min(CROP_WIDTH, size[0], size[1] * CROP_SHAPE)
    height = width / CROP_SHAPE
    left = min(max(x * size[0] - width / 2, 0), size[0] - width)
    top = min(max(y * size[1] - height / 2, 0), size[1] - height)
    return left, top, width, height


@lru_cache(maxsize=64)
def _busiest(path: str, changed: int) -> tuple[float, float]:
    """Where the part with the most detail has its middle, in fractions of the sides: most edges, on a small copy."""
    whole = _opened(path, changed)
    small = whole.convert("L").resize(
        (_SMALL, max(8, round(_SMALL * whole.height / whole.width))), Image.Resampling.BOX
    )
    light = np.asarray(small, dtype=np.float64)
    edges = np.abs(np.diff(light, axis=1))[:-1] + np.abs(np.diff(light, axis=0))[:, :-1]
    _, _, width, height = _region(whole.size, 0.5, 0.5)
    rows, columns = (
        max(1, min(length, round(length * part / side)))
        for length, part, side in zip(edges.shape, (height, width), (whole.height, whole.width), strict=True)
    )
    sums = np.pad(edges.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    windows = sums[rows:, columns:] - sums[:-rows, columns:] - sums[rows:, :-columns] + sums[:-rows, :-columns]
    top, left = np.unravel_index(int(windows.argmax()), windows.shape)
    return float((left + columns / 2) / edges.shape[1]), float((top + rows / 2) / edges.shape[0])


def _placed(seen: Measured, asked: Asked) -> Media:
    """The media as the model that is asked about sees it."""
    model = asked.get("model", PUBLISHED[-1])
    if model not in PUBLISHED:
        raise PromptError(f"model is one of {', '.join(PUBLISHED)}: choose among them.")
    settings = PlannerSettings.of(asked)
    return qwenvl.plan([seen], model, **settings.limited()).media[0]


def _original(files: Files, asked: Asked) -> Image.Image:
    path = files.path(asked.get("file"))
    return _opened(path, os.stat(path).st_mtime_ns)


@lru_cache(maxsize=2)
def _opened(path: str, changed: int) -> Image.Image:
    """The upright picture, or the middle frame of a clip, since many begin in the dark."""
    seen = _measured(path, changed)
    return next(iter(seen.read([len(seen.times) // 2]))) if isinstance(seen, ClipFile) else open_picture(path)


@lru_cache(maxsize=6)
def _resized(path: str, changed: int, size: tuple[int, int], is_qwen2: bool) -> Image.Image:
    """The whole picture as a model's processor resizes it; frames of a clip as the published video tool does."""
    is_frame = isinstance(_measured(path, changed), ClipFile) and is_qwen2
    return (resize_frame if is_frame else resize)(_opened(path, changed), *size)


# --- coordinates ---


def converted(files: Files, asked: Asked) -> ConvertedPlaces:
    """Places of a picture in all three spaces, and as a model writes them; see `processing.coordinates`."""
    item = _placed(files.measured(asked.get("file")), asked)
    numbers, space = asked.get("numbers"), asked.get("space")
    if not isinstance(numbers, list) or not all(map(_is_number, numbers)) or len(numbers) > 64:
        raise PromptError("numbers are x, y, x, y ...: give pairs, at most 32.")
    if space not in SPACES:
        raise PromptError(f"space is one of {', '.join(SPACES)}: choose among them.")

    def places(target: Space) -> tuple[float, ...]:
        return convert(numbers, source=space, target=target, size=item.size, resized=item.resized)

    return {
        "original": places("original"),
        "resized": places("resized"),
        "thousandths": places("thousandths"),
        "written": written(places("original"), size=item.size),
        "size": item.size,
        "sees": item.resized,
    }


# --- what was posted ---


def _seen(files: Files, asked: Asked) -> list[Measured]:
    ids = asked.get("files", [])
    if not isinstance(ids, list) or len(ids) > MOST_FILES:
        raise PromptError(f"files is a list of at most {MOST_FILES} ids: send one.")
    return [files.measured(one) for one in ids]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -1e9 <= value <= 1e9
