"""Decides how much of this machine's memory the app may take for weights and for what runs keep."""

from __future__ import annotations

from dataclasses import dataclass

import psutil
import torch

WEIGHTS, RUNS, ALL = 0.7, 0.2, 0.9  # of what is free when the app starts
LEAST_FOR_RUNS = 1 << 30
TRACES_A_VISITOR = 2.5  # two runs of the largest kind, and something replayed


@dataclass(frozen=True)
class Budgets:
    """Bytes: of all weights in memory, of all runs kept, of one visitor's runs, and of one run's queries and keys.

    Attributes:
        free: what one model may take with its cache, its work and what its run keeps.
    """

    weights: int
    runs: int
    free: int

    @property
    def visitor(self) -> int:
        """Half of all: a second visitor finds room too."""
        return self.runs // 2

    @property
    def trace(self) -> int:
        """Of one run, so that both models' runs fit a visitor's budget."""
        return int(self.visitor / TRACES_A_VISITOR)


def free_bytes() -> int:
    """Of the device that models are loaded on: the GPU's where there is one, else of this machine."""
    if torch.cuda.is_available():
        return torch.cuda.mem_get_info()[0]
    return psutil.virtual_memory().available


def budgets(weights: int | None = None) -> Budgets:
    """From what is free now; runs are kept in the machine's own memory.

    Args:
        weights: the limit of all weights, where somebody has set one.
    """
    runs = max(LEAST_FOR_RUNS, int(RUNS * psutil.virtual_memory().available))
    free = free_bytes()
    return Budgets(weights if weights is not None else int(WEIGHTS * free), runs, int(ALL * free))
