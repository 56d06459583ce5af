"""Finds the model that a plan is for: a preset, or a folder in the published layout, without weights."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from qwenvl.errors import CheckpointError, shown
from qwenvl.models.config import PRESETS, Config, Qwen2VLConfig
from qwenvl.processing.geometry.pixel_limits import (
    PUBLISHED_MAX_PIXELS,
    PUBLISHED_MIN_PIXELS,
    limits_folder,
    read_pixel_limits,
)
from qwenvl.published_files.adapter_files import is_adapter, model_folder
from qwenvl.published_files.json_files import read_json
from qwenvl.published_files.published_config import ConfigError, from_published

if TYPE_CHECKING:
    from qwenvl.processing.processor import Processor

CHECKPOINTS = Path(__file__).parents[1] / "checkpoints"
PUBLISHED = ("Qwen-VL-Chat", "Qwen2-VL-2B", "Qwen2-VL-7B", "Qwen2-VL-72B")
"""The published models that differ in what a question costs them: Qwen-VL costs what Qwen-VL-Chat does."""

_TOKENIZER_FILES = ("qwen.tiktoken", "tokenizer.json", "vocab.json")


@dataclass(frozen=True)
class PlannedModel:
    """A model without weights: its numbers, its pixel limits, and its processor where the folder has a tokenizer."""

    name: str
    config: Config
    min_pixels: int
    max_pixels: int
    processor: Processor | None


def find_model(preset_or_folder: str | os.PathLike[str]) -> PlannedModel:
    """By the name of a preset in any case, of one of our checkpoints, or by folder.

    Raises:
        CheckpointError: there is none, or its folder cannot be read.
    """
    given = os.fspath(preset_or_folder)
    short = given.rstrip("/").rsplit("/", 1)[-1].lower().removesuffix("-instruct")
    for name, config in PRESETS.items():
        if short == name.lower() and not Path(given, "config.json").exists():
            return PlannedModel(name, config, PUBLISHED_MIN_PIXELS, PUBLISHED_MAX_PIXELS, None)
    for folder in (Path(given), CHECKPOINTS / given.lower()):
        if (folder / "config.json").exists() or is_adapter(folder):
            return _read_folder(folder)
    raise CheckpointError(
        f"There is no preset {shown(given)} and no folder with a config.json there; "
        f"the presets are {', '.join(PRESETS)}."
    )


def _read_folder(folder: Path) -> PlannedModel:
    changed = (file.stat().st_mtime_ns for file in sorted(folder.glob("*.json")))
    return _read_once(folder.resolve(), tuple(changed))


@lru_cache(maxsize=8)
def _read_once(folder: Path, changed: tuple[int, ...]) -> PlannedModel:
    """A published vocabulary takes a second to read; a plan is asked for at every move of a slider."""
    try:
        base = model_folder(folder)
        config = from_published(read_json(base / "config.json"))
    except ConfigError as error:
        raise CheckpointError(str(error).replace("This checkpoint", folder.name, 1)) from None
    has_tokenizer = any((place / name).exists() for name in _TOKENIZER_FILES for place in (folder, base))
    limits = (PUBLISHED_MIN_PIXELS, PUBLISHED_MAX_PIXELS)
    if isinstance(config, Qwen2VLConfig):
        limits = read_pixel_limits(limits_folder(folder, base), config)
    return PlannedModel(folder.name, config, *limits, _processor(folder, config, base) if has_tokenizer else None)


def _processor(folder: Path, config: Config, base: Path) -> Processor:
    """torch and the tokenizers come in with it: a plan for a published model needs none of them."""
    from qwenvl.processing.processor import from_folder

    return from_folder(folder, config, base=base)
