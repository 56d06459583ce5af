"""Reads the small JSON files of a checkpoint: ordinary files alone, of bounded size and depth."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any, NoReturn

from qwenvl.errors import CheckpointError

SMALL = 4 << 20  # bytes of a config; the published ones have a few thousand
VOCABULARY = 32 << 20  # bytes of a file that lists tokens or tensors; the largest published one has 7 MB

LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_VALUES = 4_000_000  # in a JSON file: more take more memory than a model of this size


def read_bytes(path: Path, *, limit: int = SMALL) -> bytes:
    """All of an ordinary file.

    Raises:
        CheckpointError: it is none, too large, or a Git LFS pointer to what was not downloaded.
        FileNotFoundError: there is none.
    """
    check_ordinary(path)
    with path.open("rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise CheckpointError(
            f"{path.name} of {path.parent.name} has more than {limit:,} bytes, which no such file of a checkpoint has; "
            "download it again."
        )
    check_no_pointer(path, content)
    return content


def check_ordinary(path: Path) -> None:
    """Refuse a pipe, a device or a folder, on which reading would hang or never end.

    Raises:
        CheckpointError, FileNotFoundError.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise
    except (OSError, ValueError):  # a name with a zero byte, a loop of links
        raise CheckpointError(f"{path.name} of {path.parent.name} cannot be opened; download it again.") from None
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
        raise CheckpointError(f"{path.name} of {path.parent.name} is {what}, not a file; download it again.")


def check_no_pointer(path: Path, start: bytes) -> None:
    """Refuse what Git leaves in the place of a large file it did not fetch."""
    if start.startswith(LFS_POINTER):
        raise CheckpointError(
            f"{path.name} of {path.parent.name} is a Git LFS pointer, not the file itself: run `git lfs pull` in that "
            "folder, or download the file."
        )


def read_json(path: Path, *, limit: int = SMALL) -> dict[str, Any]:
    """A JSON object from a checkpoint folder.

    Raises:
        CheckpointError: no such file, not a JSON object, too large or too deep.
    """
    try:
        content = read_bytes(path, limit=limit)
    except FileNotFoundError:
        raise CheckpointError(
            f"{path.parent.name} has no {path.name}; is it a checkpoint in the published layout?"
        ) from None
    except OSError:
        raise CheckpointError(
            f"{path.name} of {path.parent.name} cannot be read; check that you may open it."
        ) from None
    if content.count(b",") + content.count(b"[") + content.count(b"{") > _VALUES:
        raise CheckpointError(f"{path.name} of {path.parent.name} holds more values than any such file; check it.")
    try:
        parsed = json.loads(content.decode("utf-8-sig"), parse_constant=_refuse_constant)
        if b"\\u" in content:  # an escape may be half of a pair of surrogates, which is no character of any text
            json.dumps(parsed, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise CheckpointError(f"{path.name} of {path.parent.name} is nested too deep to be read; check it.") from None
    except ValueError as error:  # of decoding, of JSON, and of numbers with thousands of digits
        raise CheckpointError(
            f"{path.name} of {path.parent.name} is not valid JSON ({error}); download it again."
        ) from None
    if not isinstance(parsed, dict):
        raise CheckpointError(f"{path.name} of {path.parent.name} is not a JSON object; download it again.")
    return parsed


def read_json_if_there(path: Path, *, limit: int = SMALL) -> dict[str, Any]:
    """The same, and an empty object where there is no such file."""
    return read_json(path, limit=limit) if path.exists() else {}


def read_text(path: Path, *, limit: int = SMALL) -> str:
    """A text file in UTF-8.

    Raises:
        CheckpointError: as `read_json`.
    """
    try:
        return read_bytes(path, limit=limit).decode("utf-8")
    except FileNotFoundError:
        raise CheckpointError(f"{path.parent.name} has no {path.name}; download it again.") from None
    except (UnicodeDecodeError, OSError):
        raise CheckpointError(f"{path.name} of {path.parent.name} is not a text in UTF-8; download it again.") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
