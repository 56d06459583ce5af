"""Tells a run's answer again and again with attention hidden, without reading its pictures again.

What enters the language model is kept from one whole pass; each later pass runs the language model alone, several
re-tellings side by side in one batch where that is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import torch
from torch import Tensor

from qwenvl.models.qwen2_vl import Qwen2VL
from qwenvl.models.qwen_vl import QwenVL
from qwenvl.models.trace import Block, Hidden, reads_only

Cut = tuple[Sequence[int], Hidden]
"""Layers of the language model, and what does not meet in them."""


class Reteller:
    """One run's forward passes with nothing changed but attention in the language model.

    Args:
        model: that made the run.
        held: what a pass is made under: the pipeline's lock, and the run's edits.
        inputs: of a pass over prompt and answer.
        answer: how many tokens the answer has.
    """

    def __init__(
        self,
        model: QwenVL | Qwen2VL,
        held: Callable[[], AbstractContextManager[Any]],
        inputs: Mapping[str, Any],
        answer: int,
    ) -> None:
        self._model, self._held, self._inputs, self._answer = model, held, inputs, answer
        self._entered: tuple[Any, ...] | None = None

    def logits(self, cuts: Sequence[Cut]) -> Tensor:
        """The logits that predict the answer under each cut, float32 (cuts, answer tokens, vocab); uncut for none."""
        with self._held(), torch.no_grad():
            if self._entered is None:
                self._entered = self._enter()
            batch = max(1, len(cuts))
            with ExitStack() as hidden:
                for row, (layers, (queries, keys, _, heads)) in enumerate(cuts):
                    names = [f"language.blocks.{layer}.attend" for layer in layers]
                    if names and queries and keys:
                        hidden.enter_context(Block(self._model, names, queries, keys, [row], heads))
                x = self._model.language(*_repeated(self._entered, batch))
            return self._model.language.logits(x[:, -self._answer - 1 :])[:, : self._answer].float().cpu()

    def _enter(self) -> tuple[Any, ...]:
        """The arguments of the language model in one whole pass, which ends before it."""
        seen: list[tuple[Any, ...]] = []

        @reads_only
        def keep(module: Any, inputs: tuple[Any, ...]) -> None:
            seen.append(inputs)
            raise _Entered

        handle = self._model.language.register_forward_pre_hook(keep)
        try:
            self._model(**self._inputs, last=1)
        except _Entered:
            pass
        finally:
            handle.remove()
        return seen[0]


class _Entered(Exception):
    """The language model is reached."""


def _repeated(entered: tuple[Any, ...], batch: int) -> tuple[Any, ...]:
    """The arguments of the language model for so many copies of one sequence side by side."""
    x, positions, *rest = entered
    if positions.dim() == 3:  # Qwen2-VL's ids (3, batch, tokens); Qwen-VL's (tokens,) hold for every row
        positions = positions.expand(-1, batch, -1)
    return (x.expand(batch, -1, -1), positions, *rest)
