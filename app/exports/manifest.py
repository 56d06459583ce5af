"""Writes the manifest of an export as JSON: versions, models, question, settings and checksums."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from app.asking.finished import Finished
from app.exports.exported import Exported

FORMAT, VERSION = "inside-qwen-vl-numbers", 1
PACKAGES = ("torch", "numpy", "pillow", "matplotlib", "safetensors", "tokenizers", "tiktoken")


def manifest(view: str, runs: Mapping[str, Finished], exported: Exported) -> dict[str, Any]:
    """The manifest of one view's numbers; it holds no run id and no path of the machine."""
    return {
        **{"format": FORMAT, "version": VERSION, "view": view, "caption": exported.caption},
        "software": software(),
        "runs": {letter: _run(finished) for letter, finished in runs.items()},
        "facts": dict(exported.facts),
        "arrays": {name: _array(values) for name, values in exported.arrays.items()},
        "python": exported.lines,
    }


def software() -> dict[str, str]:
    """Versions of everything that numbers depend on."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def _run(finished: Finished) -> dict[str, Any]:
    run = finished.run
    return {
        "model": {"name": run.card.name, "family": run.card.family, "parameters": run.card.parameters},
        "trained": run.card.trained,
        "system": finished.conversation.system,
        "turns": [turn.question for turn in finished.conversation.turns],
        "answer": run.answer,
        "stopped": run.stopped,
        "tokens": [token.id for token in run.tokens],
        "answer_start": run.answer_start,
        "settings": {**dict(run.settings), **finished.limits},
        "edits": [edit.words() for edit in run.edits],
        "hooks": list(run.record.hooks),
        "media": _media(finished),
    }


def _media(finished: Finished) -> list[dict[str, Any]]:
    """Each media with the sum of its file, where that is still there, and of its upright RGB pixels, frame by frame."""
    run, paths = finished.run, finished.conversation.media
    paths = paths[len(paths) - len(run.media) :]  # Qwen-VL leaves out the oldest turns of a long conversation
    return [
        {
            **media.to_json(),
            "sha256_file": _file_sum(Path(path)),
            "sha256_pixels": [hashlib.sha256(frame.tobytes()).hexdigest() for frame in media.frames],
        }
        for media, path in zip(run.media, paths, strict=True)
    ]


def _file_sum(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _array(values: np.ndarray) -> dict[str, Any]:
    """Of an array as numpy writes it, so that whoever reads the file can check it: sha256 of its bytes in C order."""
    whole = np.ascontiguousarray(values)
    return {
        "dtype": whole.dtype.str,
        "shape": list(whole.shape),
        "sha256": hashlib.sha256(whole.tobytes()).hexdigest(),
    }
