"""Times each part of a model in one forward pass: vision tower, adapter, language model.

Knows modules and clocks. On a GPU it waits for what was queued before it reads the clock, so that a part's time is its
own and not that of handing it its work.
"""

from __future__ import annotations

import time
from typing import Any

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

PARTS = ("vision", "adapter", "language")


class PartClock:
    """Time the first pass through each part while the `with` block runs.

    ```python
    with PartClock(model) as clock:
        model(**batch)
    clock.seconds["vision"]
    ```

    "vision" is the tower with its patch embedding, "language" the blocks with the last norm. What is left of a whole
    pass is the embedding of the words, the splice of the visual tokens and the head. Hooks go when the block ends.

    Attributes:
        seconds: by part; a part that nothing passed through is absent.
    """

    def __init__(self, model: nn.Module) -> None:
        self.seconds: dict[str, float] = {}
        self._model = model
        self._begun: dict[str, float] = {}
        self._handles: list[RemovableHandle] = []

    def __enter__(self) -> PartClock:
        for name in PARTS:
            part = self._model.get_submodule(name)
            self._handles += [
                part.register_forward_pre_hook(self._begin(name)),
                part.register_forward_hook(self._end(name)),
            ]
        return self

    def __exit__(self, *rest: object) -> None:
        while self._handles:
            self._handles.pop().remove()

    def _begin(self, name: str) -> Any:
        def hook(module: nn.Module, inputs: tuple[Any, ...]) -> None:
            if name not in self._begun:
                self._begun[name] = _now(module)

        return hook

    def _end(self, name: str) -> Any:
        def hook(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            if name not in self.seconds:
                self.seconds[name] = _now(module) - self._begun[name]

        return hook


def _now(module: nn.Module) -> float:
    """Seconds of a steady clock, once the device has done all it was told."""
    device = next(module.parameters()).device
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
