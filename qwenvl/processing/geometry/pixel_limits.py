"""Reads the pixel limits that a checkpoint's folder sets, in any of the spellings published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qwenvl.errors import CheckpointError
from qwenvl.models.config import Qwen2VLConfig
from qwenvl.processing.geometry import pictures
from qwenvl.published_files.json_files import read_json, read_json_if_there
from qwenvl.published_files.keys import check_keys, shown
from qwenvl.published_files.preprocessor_keys import PREPROCESSOR, SIZE

PUBLISHED_MIN_PIXELS, PUBLISHED_MAX_PIXELS = 56 * 56, 16384 * 28 * 28
CLASS_MAX_PIXELS = 1280 * 28 * 28
"""What the image processor of transformers 5.23 takes where its file is there and says nothing."""


def read_pixel_limits(folder: Path, config: Qwen2VLConfig) -> tuple[int, int]:
    """(min_pixels, max_pixels) of a checkpoint's `preprocessor_config.json`, the published ones without such a file.

    `min_pixels` and `max_pixels` come before the edges of `size`, as in transformers, and those before what older
    releases wrote into `size` by the same names.

    Raises:
        CheckpointError: the file asks for what no Qwen2-VL does: other patches, or pixels normalised otherwise; or
            limits that exclude each other.
    """
    settings, file = _settings(folder)
    if settings is None:
        return PUBLISHED_MIN_PIXELS, PUBLISHED_MAX_PIXELS
    check_keys(file, settings, PREPROCESSOR)
    size = settings.get("size") or {}
    check_keys(f"size of {file}", size, SIZE)
    expected = {
        "patch_size": config.vision.patch_size,
        "temporal_patch_size": config.vision.temporal_patch_size,
        "merge_size": config.vision.merge_size,
        "image_mean": list(pictures.MEAN),
        "image_std": list(pictures.DEVIATION),
    }
    for name, value in expected.items():
        given = settings.get(name)
        if given is not None and given != value:
            raise CheckpointError(f"{file} says {name} {shown(given)}; this model needs {value}.")
    low = settings.get("min_pixels") or size.get("shortest_edge") or size.get("min_pixels") or PUBLISHED_MIN_PIXELS
    high = settings.get("max_pixels") or size.get("longest_edge") or size.get("max_pixels") or CLASS_MAX_PIXELS
    if low > high:
        raise CheckpointError(f"{file} says min_pixels {low:,} above max_pixels {high:,}; correct either.")
    return low, high


def limits_folder(folder: Path, base: Path | None) -> Path:
    """Which of two folders sets the pixel limits."""
    return holding(folder, base, "preprocessor_config.json", "processor_config.json")


def holding(folder: Path, base: Path | None, *names: str) -> Path:
    """The folder, or where it holds none of these files its base."""
    return folder if base is None or any((folder / name).exists() for name in names) else base


def _settings(folder: Path) -> tuple[dict[str, Any] | None, str]:
    """The settings of the image processor, None where there are none, and the file that holds them."""
    if (folder / "preprocessor_config.json").exists():
        return read_json(folder / "preprocessor_config.json"), "preprocessor_config.json"
    nested = read_json_if_there(folder / "processor_config.json").get("image_processor")
    if nested is None:
        return None, ""
    if not isinstance(nested, dict):
        raise CheckpointError(
            f"processor_config.json says image_processor {shown(nested)}; it is an object of its own."
        )
    return nested, "image_processor of processor_config.json"
