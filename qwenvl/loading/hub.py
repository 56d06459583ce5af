"""Finds a checkpoint's folder: with the library, on disk, or on the hub, from where it is downloaded once.

Knows names, folders and `huggingface_hub`; opens no file of weights. Of a repository only what a model is made of is
fetched: its JSON and vocabulary files first, and then the weights that its index names, in one format alone.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from qwenvl.errors import CheckpointError
from qwenvl.models.config import PRESETS

CHECKPOINTS = Path(__file__).parents[1] / "checkpoints"
SMALL_FILES = ("*.json", "*.tiktoken", "*.txt", "*.jinja")
WEIGHTS = ("model.safetensors", "pytorch_model.bin")  # safetensors come first
ADAPTERS = ("adapter_model.safetensors", "adapter_model.bin")

Tell = Callable[[int, int], Any]  # bytes here, bytes in all


def find_folder(name: str | Path, *, weights: bool = True, tell: Tell | None = None) -> Path:
    """Where a checkpoint lies: with the library, in a folder, or on the hub, from where it is downloaded once.

    A download that breaks off goes on where it was; what is in the cache needs no network.

    Args:
        name: of a shipped checkpoint, of a folder, or a hub id (owner/name).
        weights: False for the small files alone, which say what the model is.
        tell: called with (bytes here, bytes in all) while weights are downloaded, from several threads.

    Raises:
        CheckpointError: there is none of that name, or the hub does not hand it out; the sentence says which.
    """
    if str(name) and Path(name).is_dir():
        return Path(name)
    name = str(name)
    if (CHECKPOINTS / name / "config.json").is_file():
        return CHECKPOINTS / name
    ours = ", ".join(sorted(folder.name for folder in CHECKPOINTS.glob("tiny-*")))
    if name in PRESETS:
        raise CheckpointError(f"{name} is a preset without weights; load a folder or a hub id, or one of {ours}.")
    if not is_hub_id(name):
        raise CheckpointError(
            f"There is no checkpoint {name!r}; give a folder, a hub id (owner/name) or one of {ours}."
        )
    folder = _fetch(name, SMALL_FILES)
    return _fetch_weights(name, folder, tell) if weights else folder


def is_hub_id(name: str) -> bool:
    """Whether a name reads owner/name, as on the hub; no look is taken whether there is one."""
    return name.count("/") == 1 and not name.startswith((".", "/", "~")) and all(name.split("/"))


def _fetch_weights(hub_id: str, folder: Path, tell: Tell | None) -> Path:
    """The shards that an index among the small files names, else a single file: safetensors where there are any."""
    for single in WEIGHTS:
        if (index := folder / f"{single}.index.json").exists():
            return _fetch(hub_id, sorted(set(_weight_map(index).values())), tell)
    for single in WEIGHTS:
        folder = _fetch(hub_id, [single], tell)
        if (folder / single).exists():
            return folder
    if (folder / "adapter_config.json").exists():
        folder = _fetch(hub_id, ADAPTERS, tell)
    return folder


def _weight_map(index: Path) -> dict[str, str]:
    try:
        names = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        return {str(name): Path(file).name for name, file in names.items()}  # a name, never a path out of the folder
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CheckpointError(f"{index.name} of {index.parent.name} names no files; download it again.") from None


def _fetch(hub_id: str, patterns: Sequence[str], tell: Tell | None = None) -> Path:
    """`snapshot_download` of the files of these names, its errors as sentences."""
    import huggingface_hub

    bar = None if tell is None else _progress(tell)
    try:
        return Path(huggingface_hub.snapshot_download(hub_id, allow_patterns=list(patterns), tqdm_class=bar))
    except Exception as error:  # the hub's own, its network library's and the disk's, which share no root
        raise CheckpointError(_sentence(hub_id, error)) from None


def _sentence(hub_id: str, error: Exception) -> str:
    """What went wrong with a download, and what to do."""
    from huggingface_hub import errors

    if isinstance(error, errors.HFValidationError):
        return f"{hub_id!r} is not a hub id; it reads owner/name."
    if isinstance(error, errors.GatedRepoError):
        return f"{hub_id} is gated: accept its terms on the hub, log in with `hf auth login`, and try again."
    if isinstance(error, errors.RepositoryNotFoundError):
        return f"The hub has no {hub_id}, or it is private: check the name, or log in with `hf auth login`."
    if isinstance(error, getattr(errors, "IncompleteSnapshotError", ())):  # not in every version
        return f"The download of {hub_id} was not finished and the hub cannot be reached; go online to finish it."
    if isinstance(error, errors.LocalEntryNotFoundError | errors.OfflineModeIsEnabled):
        return f"{hub_id} is not in the cache and the hub cannot be reached; go online once."
    if isinstance(error, errors.HfHubHTTPError):
        status = getattr(error.response, "status_code", "no")
        return f"The hub answered {status} for {hub_id}; try again later, what has arrived is kept."
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"The disk is full: {hub_id} needs more room; free some, or set HF_HOME to a larger disk."
    reason = type(error).__name__
    return f"The download of {hub_id} broke off ({reason}); try again, it goes on from what has arrived."


def _progress(tell: Tell) -> type:
    """A progress bar that also tells of the bytes it counts."""
    from huggingface_hub.utils import tqdm

    class Told(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.counts_bytes = kwargs.get("name") == "huggingface_hub.snapshot_download"
            self.arrived = 0
            super().__init__(*args, **kwargs)

        def update(self, n: float | None = 1) -> bool | None:
            if self.counts_bytes:
                self.arrived += int(n or 0)
                tell(self.arrived, int(self.total or 0))
            return super().update(n)

    return Told
