"""Tabulates the plans of many files and models, one row per file and model, as CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from qwenvl.errors import MediaError, UserError
from qwenvl.plan.planned_models import PUBLISHED
from qwenvl.plan.planning import Measured, Plan, PlanSettings, measured, plan
from qwenvl.plan.units import in_size
from qwenvl.processing.files.clips import ClipFile
from qwenvl.processing.files.opened_media import Source, as_list
from qwenvl.processing.files.picture_files import is_picture
from qwenvl.processing.geometry.media import Media, Seen

CLIP_SUFFIXES = (".mp4", ".mov", ".webm", ".mkv", ".avi", ".mpeg", ".mpg", ".m4v", ".gif")
COLUMNS = (
    *("file", "model", "kind", "width", "height", "frames", "resized_width", "resized_height"),
    *("patch_rows", "patch_columns", "patches", "visual_tokens", "prompt_tokens", "positions"),
    *("context", "share_of_context", "limit", "min_pixels", "max_pixels"),
    *("weight_bytes", "kv_cache_bytes", "trace_bytes", "attention_bytes"),
    *("flops_vision", "flops_adapter", "flops_language", "says", "notes", "error"),
)
"""Of a table, in this order. Bytes and operations are whole numbers; `limit` is the name of the setting that bit, or of
several of a clip."""
FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # what a formula begins with in a spreadsheet


@dataclass(frozen=True)
class Table:
    """Rows of `COLUMNS`, None where a column does not apply; `error` says why a file has no figures."""

    rows: tuple[dict[str, Any], ...]

    def to_json(self) -> list[dict[str, Any]]:
        """The rows as they are."""
        return list(self.rows)

    def to_csv(self) -> str:
        """The rows with a header, lines ending in a line feed; empty where a column does not apply.

        Text that a spreadsheet would compute as a formula begins with an apostrophe, which makes it text there.
        """
        file = io.StringIO()
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _as_text(value) for name, value in row.items()} for row in self.rows)
        return file.getvalue()

    def __str__(self) -> str:
        return json.dumps(self.to_json(), ensure_ascii=False, indent=2)


def _as_text(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula; a name of a file is whatever somebody chose."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULAS) else value


def plan_table(
    media: Source | Measured | Sequence[Source | Measured],
    models: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = PUBLISHED,
    **settings: Unpack[PlanSettings],
) -> Table:
    """What each of many files would cost each model, one question per file.

    Args:
        media: as in `plan`, and folders, of which every picture and clip is taken, in folders below too, by name.
        models: presets or folders; one or several.
        settings: those of `plan`. A file that cannot be read, or takes none of them, gets a row with its error.

    Raises:
        MediaError: a folder without pictures or clips, or no file at all.
        CheckpointError: no such model.
    """
    names = [models] if isinstance(models, str | os.PathLike) else list(models)
    sources = [media] if isinstance(media, Seen | ClipFile) else as_list(media)  # type: ignore[arg-type]
    files = [file for source in sources for file in files_of(source)]
    if not files:
        raise MediaError("There is no file to plan; give pictures, clips, or a folder of them.")
    return Table(tuple(row for place, file in enumerate(files, 1) for row in _rows(file, place, names, settings)))


def files_of(source: Any) -> list[Any]:
    """A folder's pictures and clips, those of folders below too, by name; anything else is itself.

    Raises:
        MediaError: a folder without any.
    """
    if not isinstance(source, str | os.PathLike) or not Path(source).is_dir():
        return [source]
    found = sorted(path for path in Path(source).rglob("*") if path.is_file() and _readable(path))
    if not found:
        raise MediaError(f"The folder {Path(source).name} holds no pictures or clips; name another.")
    return list(found)


def _readable(path: Path) -> bool:
    hidden = path.name.startswith(".")
    return not hidden and (path.suffix.lower() in CLIP_SUFFIXES or is_picture(path))


def _rows(file: Any, place: int, models: Sequence[Any], settings: PlanSettings) -> Iterator[dict[str, Any]]:
    try:
        is_part = isinstance(file, dict)
        seen = file if is_part or isinstance(file, Seen | ClipFile) else measured(file, place=place)
    except UserError as error:
        yield dict.fromkeys(COLUMNS) | {"file": name_of(file, place), "error": str(error)}
        return
    for model in models:
        try:
            yield row(plan(seen, model, **settings), name_of(file, place))
        except MediaError as error:
            yield dict.fromkeys(COLUMNS) | {"file": name_of(file, place), "model": str(model), "error": str(error)}


def name_of(file: Any, place: int) -> str:
    """What a file is called in a table: its path as given, a size in figures, or its place, from 1."""
    if isinstance(file, tuple):
        return in_size(file[:2]) + (f", {file[2]:,} frames" if len(file) > 2 else "")
    if isinstance(file, str | os.PathLike):
        return os.fspath(file)
    return file.name if isinstance(file, Seen | ClipFile) else f"media {place}"


def _limit(item: Media) -> str | None:
    """The settings that bit; of a clip also those that decided its frames."""
    clamps = item.sampling.clamps if item.sampling else ()
    return ", ".join(clamps) or item.limit


def row(result: Plan, file: str) -> dict[str, Any]:
    """The columns of one plan of one media."""
    (item,) = result.media
    return {
        **{"file": file, "model": result.name, "kind": item.kind, "width": item.size[0], "height": item.size[1]},
        "frames": len(item.sampling.indices) if item.sampling else None,
        **{"resized_width": item.resized[0], "resized_height": item.resized[1]},
        **{"patch_rows": item.patch_grid[1], "patch_columns": item.patch_grid[2], "patches": item.num_patches},
        **{"visual_tokens": item.num_tokens, "prompt_tokens": result.prompt_tokens, "positions": result.positions},
        **{"context": result.context, "share_of_context": result.share_of_context, "limit": _limit(item)},
        **{"min_pixels": result.min_pixels, "max_pixels": result.max_pixels, "weight_bytes": result.weight_bytes},
        "kv_cache_bytes": result.kv_cache_bytes,
        "trace_bytes": sum(result.trace_bytes.values()),
        "attention_bytes": sum(result.attention_bytes.values()),
        **{f"flops_{part}": count for part, count in result.flops.items()},
        **{"says": " ".join(result.limits), "notes": " ".join(result.notes), "error": None},
    }
