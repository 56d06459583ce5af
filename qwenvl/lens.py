"""What the language model would say if it stopped early: the logit lens, and how large its states grow.

After each block the state of every token goes through the model's own last norm and head. The last block's lens is the
model's answer; earlier ones are a reading of states that no head was trained on, so they are a view and no proof.
(nostalgebraist, "interpreting GPT: the logit lens", 2020.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from qwenvl.errors import RunError
from qwenvl.run import Run

CHUNK = 256  # tokens whose logits are held at once


@dataclass(frozen=True)
class Lens:
    """The lens of a run.

    Attributes:
        ids: int64 (layers, tokens, k), what each token's state reads as after each block, the likeliest first.
        probabilities: float32 (layers, tokens, k), of those.
        said: float32 (layers, answer tokens), the probability of each answer token where it was predicted.
        norms: float32 (layers, tokens), the length of each state.
    """

    ids: Tensor
    probabilities: Tensor
    said: Tensor
    norms: Tensor


@torch.no_grad()
def logit_lens(run: Run, k: int = 5) -> Lens:
    """Read every token's state after every block of the language model, by replaying the run.

    Raises:
        RunError: the run was loaded without its pipeline, which holds the weights.
    """
    parts = [_read(run, state, k) for state in _states(run)]
    return Lens(*(torch.stack(values) for values in zip(*parts, strict=True)))


def _states(run: Run) -> Iterator[Tensor]:
    """The states after each block, (tokens, dim); as many blocks a replay as the run's budget allows."""
    if run.pipeline is None:
        raise RunError("The lens needs the model's weights; load the run with its pipeline.")
    names = [f"language.blocks.{layer}" for layer in range(run.num_layers("language"))]
    language = run.pipeline.model.language
    size = len(run.tokens) * language.config.dim * next(language.parameters()).element_size()
    count = max(1, run.pipeline.max_trace_bytes // size)
    for start in range(0, len(names), count):
        replayed = run.pipeline.replay(run, names[start : start + count])
        for name in names[start : start + count]:
            yield replayed[name][0]


def _read(run: Run, states: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    assert run.pipeline is not None
    language = run.pipeline.model.language
    device = next(language.parameters()).device
    start = run.answer_start
    answer = torch.tensor([token.id for token in run.tokens[start:]], dtype=torch.int64)
    found: list[tuple[Tensor, Tensor]] = []
    said = torch.zeros(len(answer))
    for first in range(0, len(states), CHUNK):
        part = states[first : first + CHUNK]
        shares = language.logits(language.norm(part.to(device))).float().softmax(dim=-1).cpu()
        top = shares.topk(k, dim=-1)
        found.append((top.indices, top.values))
        for index in range(max(0, first - start + 1), min(len(answer), first + len(part) - start + 1)):
            said[index] = shares[start + index - 1 - first, answer[index]]
    ids, probabilities = (torch.cat(values) for values in zip(*found, strict=True))
    return ids, probabilities, said, states.float().norm(dim=-1)
