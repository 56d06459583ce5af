"""Computes the logit lens: what each token's state reads as after every block, and how long the state is.

After each block the state of every token goes through the model's own last norm and head. The last block's lens is the
model's answer; earlier ones are a reading of states that no head was trained on, so they are a view and no proof.
(nostalgebraist, "interpreting GPT: the logit lens", 2020.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from qwenvl.errors import RunError
from qwenvl.models import qwen2_vl, qwen_vl
from qwenvl.plan.flops import count_flops
from qwenvl.recorded.indices import check_index
from qwenvl.recorded.rows import RunRows
from qwenvl.summaries import Summary

CHUNK = 256  # tokens whose logits are held at once


@dataclass(frozen=True, repr=False)
class Lens(Summary):
    """The lens of a run.

    Attributes:
        ids: int64 (layers, tokens, k), what each token's state reads as after each block, the likeliest first.
        probabilities: float32 (layers, tokens, k), of those.
        said: float32 (layers, answer tokens), the probability of each answer token where it was predicted.
        norms: float32 (layers, tokens), the length of each state.
        normaliser: float32 (layers, tokens), the log of the sum of all exponentials: what turns a logit into a
            probability, exp(logit - normaliser).
    """

    ids: Tensor
    probabilities: Tensor
    said: Tensor
    norms: Tensor
    normaliser: Tensor


@torch.no_grad()
def logit_lens(run: RunRows, k: int = 5) -> Lens:
    """Read every token's state after every block of the language model, by replaying the run.

    Raises:
        RunError: the run was loaded without its pipeline, which holds the weights.
    """
    parts = [_read(run, state, k) for state in _states(run)]
    return Lens(*(torch.stack(values) for values in zip(*parts, strict=True)))


@torch.no_grad()
def word_probabilities(run: RunRows, id: int, *, lens: Lens | None = None) -> Tensor:
    """How likely every token's state reads as one word after every block, float32 (layers, tokens).

    Args:
        id: of the word in the model's vocabulary.
        lens: of the same run, where it is at hand: its normaliser then spares every layer's head.

    Raises:
        RunError: as `logit_lens`; no such id.
    """
    id = check_index(id, run.config.language.vocab_size, "word", owner="the model's vocabulary")
    normaliser = (lens or logit_lens(run, k=1)).normaliser
    logits = [torch.cat([_one_logit(run, part, id) for part in states.split(CHUNK)]) for states in _states(run)]
    return (torch.stack(logits) - normaliser).exp()


def norms_by_kind(run: RunRows, lens: Lens) -> dict[str, Tensor]:
    """Median length of the states of each kind of token, by layer: "text", "image", "answer" -> float32 (layers,).

    Medians, since a few tokens of a released model grow a hundred times larger than the others. A kind that the run
    has no token of is absent.
    """
    kinds = [
        "image" if token.kind in ("image", "video") else "answer" if token.in_answer else "text" for token in run.tokens
    ]
    found = {}
    for kind in ("text", "image", "answer"):
        places = torch.tensor([place for place, each in enumerate(kinds) if each == kind], dtype=torch.int64)
        if len(places):
            found[kind] = lens.norms[:, places].median(dim=1).values
    return found


def lens_seconds(run: RunRows) -> float:
    """About how long `logit_lens` takes: its replays as long as the run's own was, and the language head at every token
    after every block at the pace of that replay. 0 where the run was not timed, or has no pipeline.
    """
    replay = run.seconds.get("replay")
    if run.pipeline is None or not replay:
        return 0.0
    language, layers, tokens = run.config.language, run.num_layers("language"), len(run.tokens)
    heads = 2 * layers * tokens * language.dim * language.vocab_size
    pace = sum(count_flops(run.config, run.media, tokens).values()) / replay
    return -(-layers // _blocks_a_replay(run)) * replay + heads / pace


def _blocks_a_replay(run: RunRows) -> int:
    """How many blocks' states fit into what the pipeline may keep."""
    assert run.pipeline is not None
    language = _language(run)
    size = len(run.tokens) * language.config.dim * next(language.parameters()).element_size()
    return max(1, run.pipeline.max_trace_bytes // size)


def _states(run: RunRows) -> Iterator[Tensor]:
    """The states after each block, (tokens, dim); as many blocks per replay as the run's budget allows."""
    if run.pipeline is None:
        raise RunError("The lens needs the model's weights; load the run with its pipeline.")
    names = [f"language.blocks.{layer}" for layer in range(run.num_layers("language"))]
    count = _blocks_a_replay(run)
    for start in range(0, len(names), count):
        replayed = run.pipeline.replay(run, names[start : start + count])
        for name in names[start : start + count]:
            yield replayed[name][0]


def _read(run: RunRows, states: Tensor, k: int) -> tuple[Tensor, ...]:
    """One layer of a `Lens`, its values in the same order."""
    language = _language(run)
    start = run.answer_start
    answer = torch.tensor([token.id for token in run.tokens[start:]], dtype=torch.int64)
    found: list[tuple[Tensor, Tensor, Tensor]] = []
    said = torch.zeros(len(answer))
    for first in range(0, len(states), CHUNK):
        part = states[first : first + CHUNK]
        logits = language.logits(language.norm(part.to(_device(language)))).float()
        normaliser, top = logits.logsumexp(dim=-1), logits.topk(k, dim=-1)
        found.append((top.indices.cpu(), (top.values - normaliser[:, None]).exp().cpu(), normaliser.cpu()))
        for index in range(max(0, first - start + 1), min(len(answer), first + len(part) - start + 1)):
            row = start + index - 1 - first
            said[index] = (logits[row, answer[index]] - normaliser[row]).exp()
    ids, probabilities, normaliser = (torch.cat(values) for values in zip(*found, strict=True))
    return ids, probabilities, said, states.float().norm(dim=-1), normaliser


def _one_logit(run: RunRows, states: Tensor, id: int) -> Tensor:
    """The logit of one word for states (tokens, dim): (tokens,)."""
    language = _language(run)
    weights = language.embed.weight if language.head is None else language.head.weight
    normed = language.norm(states.to(_device(language)))
    if weights.is_meta:  # a head that is brought from disk when it is called
        return language.logits(normed)[:, id].float().cpu()
    return F.linear(normed, weights[id, None])[:, 0].float().cpu()


def _language(run: RunRows) -> qwen_vl.Language | qwen2_vl.Language:
    assert run.pipeline is not None
    return run.pipeline.model.language


def _device(language: qwen_vl.Language | qwen2_vl.Language) -> torch.device:
    return next(language.parameters()).device
