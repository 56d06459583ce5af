"""Reads and writes a run as one safetensors file, whose header carries the record as JSON.

Pictures are stored as PNG, upright and whole, so that a run can be replayed; no path of the machine goes in.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from qwenvl.errors import RunError
from qwenvl.models import config as configs
from qwenvl.models.rope_scaling import RopeScaling
from qwenvl.processing.geometry.media import Media
from qwenvl.recorded.checked_parts import check_parts
from qwenvl.recorded.edits_file import edits_from_parts, edits_to_parts
from qwenvl.recorded.record import Alternative, Record, RunCard, Token

FORMAT = "qwenvl-run"
PLAIN, EDITED = "1", "2"  # versions: what reads only the first would take an edited run for a plain one


@dataclass(frozen=True, eq=False)
class RunParts:
    """What a run file holds; see `qwenvl.recorded.rows.RunRows`."""

    record: Record
    media: tuple[Media, ...]
    positions: Tensor
    kept: dict[str, Tensor]


def save_parts(run: RunParts, path: Path) -> None:
    """Write the parts of a run; an existing file is replaced in one step, so a broken-off save leaves it whole."""
    tensors = {"positions": run.positions} | {f"kept.{name}": value.contiguous() for name, value in run.kept.items()}
    for index, media in enumerate(run.media):
        tensors |= {f"media.{index}.{frame}": _png(picture) for frame, picture in enumerate(media.frames)}
    edits, edit_tensors = edits_to_parts(run.record.edits)
    tensors |= edit_tensors
    content = {
        "record": _record_json(run.record) | ({"edits": edits} if edits else {}),
        "media": [media.to_json() for media in run.media],
        "frames": [len(media.frames) for media in run.media],
    }
    version = EDITED if edits else PLAIN
    metadata = {"format": FORMAT, "version": version, "content": json.dumps(content, ensure_ascii=False)}
    unfinished = path.with_name(path.name + ".part")
    try:
        save_file(tensors, unfinished, metadata)
        os.replace(unfinished, path)
    except (OSError, SafetensorError):
        raise RunError(f"{path.name} cannot be written; choose a folder that exists and has room.") from None
    finally:
        unfinished.unlink(missing_ok=True)


def load_parts(path: Path) -> RunParts:
    """Read what `save_parts` wrote.

    Raises:
        RunError: the file is missing, damaged, not a run, or of a later version.
    """
    if not path.is_file():
        raise RunError(f"There is no run file {path.name}; check its name and folder.")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            # Copied into memory that torch aligned: products of unaligned tensors differ in their last bits.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError):
        raise RunError(f"{path.name} is damaged or not a run file; save the run again.") from None
    if metadata.get("format") != FORMAT:
        raise RunError(f"{path.name} is a safetensors file but not a run; give a file that Run.save wrote.")
    if metadata.get("version") not in (PLAIN, EDITED):
        raise RunError(
            f"{path.name} is of version {metadata.get('version')} of the run format; "
            f"this reads versions up to {EDITED}."
        )
    try:
        return _assemble(json.loads(metadata["content"]), tensors)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OSError, RecursionError) as error:
        raise RunError(f"{path.name} is a damaged run ({type(error).__name__}); save the run again.") from None


def _assemble(content: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> RunParts:
    record = _record(content["record"])
    media = tuple(
        Media.from_json(item, frames=_pictures(tensors, index, count))
        for index, (item, count) in enumerate(zip(content["media"], content["frames"], strict=True))
    )
    kept = {name.removeprefix("kept."): value for name, value in tensors.items() if name.startswith("kept.")}
    if any(name[:-1] + tap not in kept for name in kept for tap in "qk"):
        raise ValueError("queries without their keys")
    positions = tensors["positions"]
    if positions.shape != (3, len(record.tokens)):
        raise ValueError("positions do not fit the tokens")
    edits = edits_from_parts(content["record"].get("edits", []), tensors, record)
    record = replace(record, edits=edits)
    check_parts(record, media, kept)
    return RunParts(record, media, positions, kept)


def _record_json(record: Record) -> dict[str, Any]:
    content = asdict(replace(record, edits=()))
    del content["edits"]
    return content | {"config": {"class": type(record.config).__name__, **asdict(record.config)}}


def _record(content: Mapping[str, Any]) -> Record:
    record = Record(
        **{name: content[name] for name in ("messages", "answer", "settings", "seconds", "stopped", "ntk_alpha")},
        card=RunCard(**{**content["card"], "notes": tuple(content["card"].get("notes", ()))}),
        config=_config(content["config"]),
        tokens=tuple(_token(token) for token in content["tokens"]),
        words=tuple(tuple(word) for word in content["words"]),
        likeliest=tuple(tuple(Alternative(**item) for item in place) for place in content["likeliest"]),
        probabilities=tuple(content["probabilities"]),
        parts=content.get("parts", {}),
        hooks=tuple(content.get("hooks", ())),
    )
    return replace(record, messages=tuple(record.messages))


def _token(content: Mapping[str, Any]) -> Token:
    cell = None if content["cell"] is None else tuple(content["cell"])
    return Token(**{**content, "cell": cell, "position": tuple(content["position"])})


def _config(content: Mapping[str, Any]) -> configs.Config:
    """A config dataclass from its fields; nested ones by the names of their classes."""
    content = dict(content)
    if content.pop("class") == "QwenVLConfig":
        return configs.QwenVLConfig(
            vision=configs.QwenVLVisionConfig(**content["vision"]),
            adapter=configs.QwenVLAdapterConfig(**content["adapter"]),
            language=configs.QwenVLLanguageConfig(**content["language"]),
            image_start_id=content["image_start_id"],
        )
    language = content.pop("language")
    language["rope_sections"] = tuple(language["rope_sections"])
    if language.get("rope_scaling") is not None:
        language["rope_scaling"] = RopeScaling(**language["rope_scaling"])
    return configs.Qwen2VLConfig(
        vision=configs.Qwen2VLVisionConfig(**content.pop("vision")),
        language=configs.Qwen2VLLanguageConfig(**language),
        **content,
    )


def _png(picture: Image.Image) -> Tensor:
    """A picture as the bytes of a PNG file, uint8 (bytes,)."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return torch.from_numpy(np.frombuffer(buffer.getvalue(), dtype=np.uint8).copy())


def _pictures(tensors: Mapping[str, Tensor], media: int, count: int) -> tuple[Image.Image, ...]:
    files = (io.BytesIO(tensors[f"media.{media}.{frame}"].numpy().tobytes()) for frame in range(count))
    return tuple(Image.open(file, formats=["PNG"]).convert("RGB") for file in files)
