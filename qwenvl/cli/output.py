"""Writes results to standard output or to a file that appears whole, and progress to standard error."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qwenvl.errors import UserError

EVERY, EVERY_IN_A_LOG = 0.2, 10.0  # seconds between two words of progress, on a terminal and elsewhere


class OutputError(UserError):
    """A file that cannot be written."""


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A path beside the wanted one to write to; it takes its place when the block ends well, and is removed otherwise.

    Raises:
        OutputError: the folder is not there, or not to be written to.
    """
    wanted = Path(path)
    try:
        handle, name = tempfile.mkstemp(prefix=".unfinished-", suffix=wanted.suffix, dir=wanted.parent)
        os.close(handle)
    except OSError:
        raise OutputError(f"{wanted} cannot be written; choose a file in a folder that exists and has room.") from None
    unfinished = Path(name)
    try:
        yield unfinished
        os.chmod(unfinished, 0o666 & ~_umask())
        os.replace(unfinished, wanted)
    except UserError as error:  # of whoever wrote, who knows the file by its passing name alone
        raise type(error)(str(error).replace(unfinished.name, wanted.name)) from None
    except OSError:
        raise OutputError(f"{wanted} cannot be written; choose a file in a folder that exists and has room.") from None
    finally:
        unfinished.unlink(missing_ok=True)


def check_destination(path: str | os.PathLike[str] | None) -> None:
    """Whether a file can be written there, before the work that fills it. Raises `OutputError`; None is no file."""
    if path is None:
        return
    folder = Path(path).parent
    if Path(path).is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise OutputError(f"{path} cannot be written; choose a file in a folder that exists and has room.")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_text(text: str, into: str | None) -> None:
    """To a file, or to standard output."""
    if into is None:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        return
    with whole_file(into) as path:
        path.write_text(text, encoding="utf-8", errors="backslashreplace")


def as_json(value: Any) -> str:
    """Indented, in Unicode."""
    return json.dumps(value, ensure_ascii=False, indent=2)


class Progress:
    """Lines about how far it is, on standard error: one that is written over on a terminal, a new one elsewhere."""

    def __init__(self, quiet: bool) -> None:
        self.quiet, self._last, self._length = quiet, 0.0, 0

    def say(self, words: str, *, often: bool = False) -> None:
        """Say how far it is; `often` drops what comes too soon after the last line."""
        now, every = time.monotonic(), EVERY if sys.stderr.isatty() else EVERY_IN_A_LOG
        if self.quiet or (often and now - self._last < every):
            return
        self._last = now
        if sys.stderr.isatty():
            sys.stderr.write("\r" + words.ljust(self._length))
            self._length = len(words)
        else:
            sys.stderr.write(words + "\n")
        sys.stderr.flush()

    def end(self) -> None:
        """Wipe the line that is written over."""
        if self._length:
            sys.stderr.write("\r" + " " * self._length + "\r")
            sys.stderr.flush()
            self._length = 0

    def steps(self) -> Callable[[str, int, int], None]:
        """For `pipeline.stream(progress=...)`: frames and blocks as they are done."""
        words = {"frames": "reading frames", "blocks": "reading, block"}
        return lambda step, done, all_: self.say(f"{words.get(step, step)} {done:,} of {all_:,}", often=True)
