"""Heads taken away and states written, in passes with and without a cache, against the same done by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from qwenvl.models.interventions import Ablate, Write
from qwenvl.models.layers import BlockCache


class Reads(nn.Module):
    """What an attention looks like from outside: queries in, (batch, queries, heads * head_dim) out."""

    def forward(self, q: Tensor, k: Tensor) -> Tensor:
        return q.transpose(1, 2).flatten(2)


class Block(nn.Module):
    """What a decoder block looks like from outside."""

    def forward(self, x: Tensor, cache: BlockCache | None) -> Tensor:
        if cache is not None:
            cache.append(x[:, None], x[:, None])
        return x


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attend, self.block = Reads(), Block()


Q = torch.randn(2, 3, 6, 4, generator=torch.Generator().manual_seed(0))
X = torch.randn(2, 6, 8, generator=torch.Generator().manual_seed(1))


def no_hooks(model: nn.Module) -> bool:
    return not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize("mean_of", [0, 4, None])
def test_heads_become_zero_or_their_mean(mean_of: int | None) -> None:
    model, expected = Model(), Q.clone()
    for row in range(2):
        for head in (0, 2):
            of = {0: torch.zeros(4), 4: Q[row, head, :4].mean(0), None: Q[:, head].mean((0, 1))}[mean_of]
            expected[row, head] = of
    with Ablate(model, "attend", [0, 2], mean_of=mean_of):
        found = model.attend(Q, Q)
    assert torch.allclose(found, expected.transpose(1, 2).flatten(2), atol=1e-6)
    assert no_hooks(model)


def test_cached_steps_keep_the_mean_of_the_prompt() -> None:
    model = Model()
    with Ablate(model, "attend", [1], mean_of=4):
        whole = model.attend(Q, Q)
    with Ablate(model, "attend", [1], mean_of=4):
        parts = [model.attend(Q[:, :, :4], Q[:, :, :4]), *(model.attend(Q[:, :, i, None], Q[:, :, :i]) for i in (4, 5))]
    assert torch.equal(torch.cat(parts, dim=1), whole)


@pytest.mark.parametrize("add", [True, False])
@pytest.mark.parametrize("each", [True, False])
def test_states_are_written_where_their_tokens_pass(add: bool, each: bool) -> None:
    model, values = Model(), torch.arange(24.0).view(3, 8) if each else torch.arange(8.0)
    expected = X.clone()
    for index, token in enumerate((1, 4, 5)):
        given = values[index] if each else values
        expected[:, token] = expected[:, token] + given if add else given
    with Write(model, "block", [1, 4, 5], values, add=add):
        assert torch.equal(model.block(X, None), expected)
        cache = BlockCache()
        parts = [model.block(part, cache) for part in X.split([3, 1, 1, 1], dim=1)]
        assert torch.equal(torch.cat(parts, dim=1), expected)
    assert no_hooks(model)
    assert torch.equal(model.block(X, None), X)
