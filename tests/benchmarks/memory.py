"""How much memory this process holds, and how fast files can be read: what benchmarks of loading compare with."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Iterable
from pathlib import Path

CHUNK = 8 << 20


def resident(*, peak: bool = False, reset_peak: bool = False) -> int:
    """Bytes this process holds now, or held at most. Only Linux tells both; elsewhere: the peak since the start."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    if reset_peak:
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    field = "VmHWM:" if peak else "VmRSS:"
    line = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024


def forget(files: Iterable[Path]) -> None:
    """Ask the system to drop files from its cache, so that the next reading comes from the disk. Linux alone does."""
    for file in files:
        with file.open("rb") as opened:
            os.fsync(opened.fileno())
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def seconds_to_read(files: Iterable[Path]) -> float:
    """Reading files from one end to the other and keeping nothing."""
    buffer = memoryview(bytearray(CHUNK))
    begun = time.perf_counter()
    for file in files:
        with file.open("rb", buffering=0) as opened:
            while opened.readinto(buffer):
                pass
    return time.perf_counter() - begun
