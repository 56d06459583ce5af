"""Reads the files of a checkpoint tensor by tensor, and never runs what lies in them.

Knows files and published names; no config, device or model. Safetensors and `.bin` files are memory-mapped: a tensor's
bytes are read when they are used.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from qwenvl.errors import CheckpointError

CHUNK = 8 << 20  # bytes read at once


def read_json(path: Path) -> dict:
    """A JSON object from a checkpoint folder.

    Raises:
        CheckpointError: no such file, or not a JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(
            f"{path.parent.name} has no {path.name}; is it a checkpoint in the published layout?"
        ) from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{path.name} of {path.parent.name} is not valid JSON: {error}.") from None
    if not isinstance(content, dict):
        raise CheckpointError(f"{path.name} of {path.parent.name} is not a JSON object.")
    return content


def read_tensors(folder: Path) -> Iterator[tuple[str, Tensor]]:
    """The published names and tensors of a checkpoint, file by file, the next one read while one is used.

    Raises:
        CheckpointError: no weights, a shard that is not there, or a damaged file.
    """
    files = weight_files(folder)
    with ThreadPoolExecutor(1, "read-ahead") as reader:
        ahead = reader.submit(_bring_to_memory, files[0])
        for file, following in zip_longest(files, files[1:]):
            ahead.result()
            if following:
                ahead = reader.submit(_bring_to_memory, following)
            yield from read_file(file)


def read_file(file: Path) -> Iterator[tuple[str, Tensor]]:
    """The published names and tensors of one file. Raises CheckpointError for a damaged one."""
    return _read_safetensors(file) if file.suffix == ".safetensors" else _read_pickle(file)


def weight_files(folder: Path) -> list[Path]:
    """The files that hold a checkpoint's weights: safetensors before `.bin`, an index before a single file."""
    for single in ("model.safetensors", "pytorch_model.bin"):
        index = folder / f"{single}.index.json"
        if index.exists():
            files = [folder / name for name in _shards(index)]
            missing = next((file.name for file in files if not file.exists()), None)
            if missing:
                raise CheckpointError(f"{folder.name} lacks {missing}, which its index names; finish the download.")
            return files
        if (folder / single).exists():
            return [folder / single]
    raise CheckpointError(
        f"{folder.name} has no weights: neither model.safetensors nor pytorch_model.bin, whole or sharded."
    )


def _bring_to_memory(file: Path) -> None:
    """Read a file from one end to the other into the system's cache: mapped pages that are not there yet are read in
    the order of their use, twice slower, measured."""
    buffer = memoryview(bytearray(CHUNK))
    with file.open("rb", buffering=0) as opened:
        while opened.readinto(buffer):
            pass


def _shards(index: Path) -> list[str]:
    """The files that an index names."""
    names = read_json(index).get("weight_map")
    if not isinstance(names, dict) or not names or not all(isinstance(name, str) for name in names.values()):
        raise CheckpointError(f"{index.name} of {index.parent.name} names no files; download it again.")
    return sorted(set(names.values()))


def _read_safetensors(file: Path) -> Iterator[tuple[str, Tensor]]:
    try:
        with safe_open(file, framework="pt") as tensors:
            for name in tensors.keys():  # noqa: SIM118 - not a mapping
                yield name, tensors.get_tensor(name)
    except SafetensorError as error:
        raise CheckpointError(f"{file.name} is damaged or not a safetensors file: {error}.") from None


def _read_pickle(file: Path) -> Iterator[tuple[str, Tensor]]:
    """A `.bin` file: tensors only, memory-mapped; anything else in the pickle is refused and never run."""
    try:
        state = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"{file.name} is damaged or holds more than tensors: {reason}") from None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise CheckpointError(f"{file.name} does not hold a dictionary of tensors.")
    yield from state.items()


class Stored:
    """Single tensors of a checkpoint by their published names, read from the disk each time."""

    def __init__(self, places: Mapping[str, Path]) -> None:
        self._places = dict(places)

    @classmethod
    def of(cls, folder: Path) -> Stored:
        """All of a checkpoint's tensors."""
        return cls({name: file for file in weight_files(folder) for name, _ in read_file(file)})

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __call__(self, name: str) -> Tensor:
        """The tensor of this name, in the dtype it is stored in."""
        file = self._places[name]
        if file.suffix == ".safetensors":
            with safe_open(file, framework="pt") as tensors:
                return tensors.get_tensor(name)
        return dict(_read_pickle(file))[name]
