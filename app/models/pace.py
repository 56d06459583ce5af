"""Estimates how fast this machine is with a model: from a multiplication at first, then from its answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache

import torch

from qwenvl.inference.run import Run
from qwenvl.loading.load import pick_device
from qwenvl.plan.flops import count_flops

SIDE = 1024  # of the matrices of the guess
SHARE = 0.5  # of a bare multiplication's pace that a whole model reaches
KEPT = 64  # models whose pace is known


@dataclass(frozen=True)
class Speed:
    """Floating-point operations a second while a prompt is read, and bytes of weights a second while answering."""

    operations: float
    bytes: float
    measured: bool


class Pace:
    """What each model was measured at; the last answer counts."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Speed] = {}
        self._lock = threading.Lock()

    def note(self, key: Hashable, run: Run, num_bytes: int) -> None:
        """Learn from a finished answer; one without times, or of a word alone, teaches nothing."""
        read, answer = run.seconds.get("read"), run.seconds.get("answer")
        said = len(run.tokens) - run.answer_start
        if not read or not answer or said < 2:
            return
        operations = sum(count_flops(run.config, run.media, run.answer_start).values())
        with self._lock:
            if len(self._known) >= KEPT:
                self._known.pop(next(iter(self._known)))
            self._known[key] = Speed(operations / read, num_bytes * (said - 1) / answer, True)

    def speed(self, key: Hashable, dtype: torch.dtype) -> Speed:
        """Of a model: as measured, or this machine's in this number format."""
        with self._lock:
            known = self._known.get(key)
        return known or guess(dtype)


@lru_cache(maxsize=4)
def guess(dtype: torch.dtype) -> Speed:
    """From one product of two matrices and one of a matrix and a vector, a few hundredths of a second."""
    device = pick_device("auto")
    matrix = torch.ones(SIDE, SIDE, dtype=dtype, device=device)
    seconds = _seconds(matrix, matrix)
    large = torch.ones(4 * SIDE, 4 * SIDE, dtype=dtype, device=device)
    reading = _seconds(large, large[:, :1].contiguous())
    return Speed(SHARE * 2 * SIDE**3 / seconds, SHARE * large.nbytes / reading, False)


def _seconds(left: torch.Tensor, right: torch.Tensor) -> float:
    best = float("inf")
    for _ in range(3):
        begun = time.perf_counter()
        (left @ right)[0, 0].item()  # .item() waits for a GPU too
        best = min(best, time.perf_counter() - begun)
    return best
