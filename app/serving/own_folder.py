"""Keeps what visitors bring in one folder of this process, which goes when the process ends, however it ends.

Uploads, pictures sent as text and what is written for a download lie there, closed to other users of the machine. A
process that is killed cannot remove its folder: the next one does, which it knows by a lock that only a living process
holds.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

PREFIX = "inside-qwen-vl-"
LOCK = ".in-use"


@contextmanager
def own_folder() -> Iterator[Path]:
    """A fresh folder, mode 0700, in which all temporary files of this process lie while the block runs."""
    sweep(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    before = tempfile.tempdir, os.environ.get("GRADIO_TEMP_DIR")
    lock = (folder / LOCK).open("w")
    try:
        _is_free(lock)  # taken, and held until the process ends
        tempfile.tempdir = str(folder)
        os.environ["GRADIO_TEMP_DIR"] = str(folder / "uploads")  # Gradio reads it on import
        yield folder
    finally:
        tempfile.tempdir = before[0]
        if before[1] is None:
            os.environ.pop("GRADIO_TEMP_DIR", None)
        else:
            os.environ["GRADIO_TEMP_DIR"] = before[1]
        lock.close()
        shutil.rmtree(folder, ignore_errors=True)


def sweep(place: Path) -> list[Path]:
    """Remove the folders of processes that are no more; returns which."""
    swept = []
    for folder in place.glob(f"{PREFIX}*"):
        try:
            if folder.is_symlink() or not folder.is_dir() or folder.stat().st_uid != _own_id():
                continue
            with (folder / LOCK).open("r+") as lock:
                if not _is_free(lock):
                    continue
        except OSError:  # gone meanwhile, or not ours to look at
            continue
        shutil.rmtree(folder, ignore_errors=True)
        swept.append(folder)
    return swept


def _own_id() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0


def _is_free(lock: IO[str]) -> bool:
    """Whether nobody held this lock; it is taken now. Where there are no such locks every folder counts as in use."""
    try:
        import fcntl
    except ImportError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
