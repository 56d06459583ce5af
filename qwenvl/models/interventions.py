"""Changes values inside a forward pass while a `with` block runs: what a head reads, and the state after a block.

Knows modules by their dotted names, nothing about pictures or tokens. What hides keys or scales weights is a mask, and
stands with the masks in `qwenvl.models.trace` (`Block`, `Scale`). A cached step is changed where its tokens are named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn


@contextmanager
def Ablate(model: nn.Module, attend: str, heads: Sequence[int], *, mean_of: int | None = 0) -> Iterator[None]:
    """Take away what some heads of one attention read, before the output projection.

    Args:
        attend: the module, "language.blocks.3.attend".
        heads: whose output becomes 0 in every row, or the mean.
        mean_of: 0 for 0; n for the mean of each sequence's first n rows, which cached steps keep; None for the mean of
            all rows of the whole batch (a tower, where a row of the batch may be a picture).
    """
    means: list[Tensor] = []

    def hook(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
        split = output.unflatten(-1, (inputs[0].shape[1], -1)).clone()
        if mean_of == 0:
            split[:, :, heads] = 0
            return split.flatten(-2)
        if not means or mean_of is None:
            rows = split[:, :mean_of, heads].float()
            means[:] = [rows.mean(dim=(0, 1) if mean_of is None else 1, keepdim=True).to(split.dtype)]
        split[:, :, heads] = means[0]
        return split.flatten(-2)

    with _hooked(model.get_submodule(attend), hook):
        yield


@contextmanager
def Write(model: nn.Module, block: str, tokens: Sequence[int], values: Tensor, *, add: bool) -> Iterator[None]:
    """Change the state after one decoder block at some tokens.

    Args:
        block: the module, "language.blocks.3".
        tokens: each once, counted along the whole sequence.
        values: (dim,) for all of them, or (tokens, dim).
        add: to the state; otherwise in its place.
    """

    def hook(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
        cache = inputs[-1]
        start = 0 if cache is None else cache.length - output.shape[1]
        here = [index for index, token in enumerate(tokens) if 0 <= token - start < output.shape[1]]
        places = [tokens[index] - start for index in here]
        given = (values if values.dim() == 1 else values[here]).to(output)
        written = output.clone()
        written[:, places] = written[:, places] + given if add else given.expand(output.shape[0], len(here), -1)
        return written

    with _hooked(model.get_submodule(block), hook):
        yield


@contextmanager
def _hooked(module: nn.Module, hook: Any) -> Iterator[None]:
    handle = module.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
