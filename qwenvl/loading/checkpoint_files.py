"""Reads the files of a checkpoint tensor by tensor, and never runs what lies in them.

Knows files and published names; no config, device or model. Safetensors and `.bin` files are memory-mapped: a tensor's
bytes are read when they are used.
"""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from pathlib import Path, PurePosixPath, PureWindowsPath

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from qwenvl.errors import CheckpointError
from qwenvl.published_files.json_files import VOCABULARY, check_no_pointer, check_ordinary, read_json

CHUNK = 8 << 20  # bytes read at once


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
            return [checked_file(file) for file in files]
        if (folder / single).exists():
            return [checked_file(folder / single)]
    raise CheckpointError(
        f"{folder.name} has no weights: neither model.safetensors nor pytorch_model.bin, whole or sharded."
    )


def checked_file(file: Path) -> Path:
    """A file of weights that can be read as one.

    Raises:
        CheckpointError: a pipe or a device, on which reading would hang; an empty file, or a Git LFS pointer.
    """
    try:
        check_ordinary(file)
        with file.open("rb") as opened:
            start = opened.read(64)
    except OSError:
        raise CheckpointError(
            f"{file.name} of {file.parent.name} cannot be read; check that you may open it."
        ) from None
    check_no_pointer(file, start)
    if not start:
        raise CheckpointError(f"{file.name} is damaged: it is empty; download it again.")
    return file


def _bring_to_memory(file: Path) -> None:
    """Read a file from one end to the other into the system's cache: mapped pages that are not there yet are read in
    the order of their use, twice slower, measured."""
    buffer = memoryview(bytearray(CHUNK))
    with file.open("rb", buffering=0) as opened:
        while opened.readinto(buffer):
            pass


def _shards(index: Path) -> list[str]:
    """The files that an index names: in its own folder or beneath it, never elsewhere.

    A link is followed wherever it leads: the cache of the hub is made of links.
    """
    names = read_json(index, limit=VOCABULARY).get("weight_map")
    if not isinstance(names, dict) or not names or not all(isinstance(name, str) and name for name in names.values()):
        raise CheckpointError(f"{index.name} of {index.parent.name} names no files; download it again.")
    for name in set(names.values()):
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or PureWindowsPath(name).drive or "\\" in name or "\0" in name:
            raise CheckpointError(
                f"{index.name} of {index.parent.name} names {name[:80]!r}, a file outside of the folder, which is not "
                "opened; download the checkpoint again."
            )
    return sorted(set(names.values()))


def _read_safetensors(file: Path) -> Iterator[tuple[str, Tensor]]:
    try:
        with safe_open(file, framework="pt") as tensors:
            for name in tensors.keys():  # noqa: SIM118 - not a mapping
                yield name, tensors.get_tensor(name)
    except SafetensorError as error:
        raise CheckpointError(f"{file.name} is damaged or not a safetensors file: {error}.") from None


def _read_pickle(file: Path) -> Iterator[tuple[str, Tensor]]:
    """A `.bin` file: tensors only, memory-mapped (those of torch before 1.6 cannot be); anything else in the pickle is
    refused and never run."""
    try:
        state = torch.load(file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file))
    except Exception as error:  # pickles raise whatever a damaged one trips over
        raise CheckpointError(_pickle_refusal(file, error)) from None
    named = isinstance(state, dict) and all(isinstance(name, str) for name in state)
    if not named or not all(isinstance(value, Tensor) for value in state.values()):
        raise CheckpointError(f"{file.name} does not hold a dictionary of tensors; give the file of a checkpoint.")
    yield from state.items()


def _pickle_refusal(file: Path, error: Exception) -> str:
    """Why a pickle was refused, without PyTorch's advice to load it unsafely."""
    found = re.search(
        r"(?:GLOBAL|global|class|Can only build Tensor, .*? but got) [`'<]?(?:class ')?([\w.]+)", str(error)
    )
    if isinstance(error, pickle.UnpicklingError) and found:
        return (
            f"{file.name} is damaged or holds more than tensors: it names {found[1]}, and is not opened, since a "
            "pickle can run what it names; get the checkpoint as safetensors."
        )
    return f"{file.name} is damaged or holds more than tensors; download it again, or get it as safetensors."


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
