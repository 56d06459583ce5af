"""Ids in, ids out: sampling, and decoding with a cache.

Knows logits and ids; nothing of words, pictures or screens.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from qwenvl.errors import PromptError
from qwenvl.models.layers import KVCache
from qwenvl.models.qwen2_vl import Qwen2VL
from qwenvl.models.qwen_vl import QwenVL
from qwenvl.processing.integers import plain


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn from the logits; temperature 0 takes the likeliest.

    Applied in this order, as the published tools do: repetition penalty, temperature, top-k, top-p.
    """

    max_new_tokens: int = 512
    temperature: float = 0.0
    top_k: int = 0  # 0: off
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        limits = {
            "max_new_tokens": (self.max_new_tokens, self.max_new_tokens >= 1, "at least 1"),
            "temperature": (self.temperature, 0 <= self.temperature <= 100, "between 0 (greedy) and 100"),
            "top_k": (self.top_k, self.top_k >= 0, "0 (off) or more"),
            "top_p": (self.top_p, 0 < self.top_p <= 1, "above 0 and at most 1"),
            "repetition_penalty": (self.repetition_penalty, 0 < self.repetition_penalty <= 100, "above 0; 1 is off"),
            "seed": (self.seed, 0 <= self.seed < 2**63, "a whole number from 0"),
        }
        for name, (value, fine, wanted) in limits.items():
            if not fine:
                raise PromptError(f"{name} is {value}; it must be {wanted}.")

    @classmethod
    def from_published(cls, published: Mapping[str, Any]) -> Sampling:
        """From a `generation_config.json`; `do_sample` false is temperature 0."""
        known = {"max_new_tokens", "temperature", "top_k", "top_p", "repetition_penalty"}
        chosen = {name: value for name, value in published.items() if name in known and value is not None}
        chosen["temperature"] = chosen.get("temperature", 1.0) if published.get("do_sample") else 0.0
        return cls(**chosen)

    def changed(self, **settings: Any) -> Sampling:
        """A copy with the settings that are not None.

        Raises:
            PromptError: a setting out of its range.
        """
        return replace(self, **{name: plain(value) for name, value in settings.items() if value is not None})


def penalise_repetition(logits: Tensor, seen: Tensor, penalty: float) -> Tensor:
    """Logits (vocab,) with those of `seen` ids divided by the penalty where positive, multiplied where negative."""
    if penalty == 1.0:
        return logits
    scores = logits[seen]
    return logits.index_put((seen,), torch.where(scores > 0, scores / penalty, scores * penalty))


def keep_top_k(logits: Tensor, k: int) -> Tensor:
    """Logits (vocab,) with all but the k largest (and ties with the last of them) at -inf; 0 keeps all."""
    if k == 0 or k >= len(logits):
        return logits
    return logits.masked_fill(logits < logits.topk(k).values[-1], -torch.inf)


def keep_top_p(logits: Tensor, p: float) -> Tensor:
    """Logits (vocab,) with only the likeliest tokens that together reach probability p; at least one stays."""
    if p >= 1.0:
        return logits
    ordered, order = logits.sort()
    drop = ordered.softmax(dim=-1).cumsum(dim=-1) <= 1 - p
    drop[-1] = False
    return logits.index_fill(0, order[drop], -torch.inf)


def next_token(logits: Tensor, seen: Tensor, sampling: Sampling, generator: torch.Generator) -> int:
    """Draw one id from logits (vocab,), given the ids seen so far (tokens,)."""
    logits = penalise_repetition(logits.float(), seen, sampling.repetition_penalty)
    if sampling.temperature == 0 or sampling.top_k == 1:
        return int(logits.argmax())
    logits = keep_top_p(keep_top_k(logits / sampling.temperature, sampling.top_k), sampling.top_p)
    return int(torch.multinomial(logits.softmax(dim=-1), 1, generator=generator))


def generate(
    model: QwenVL | Qwen2VL, inputs: Mapping[str, Tensor], *, sampling: Sampling, stop_ids: Collection[int] = ()
) -> Iterator[int]:
    """Decode one conversation token by token; close the iterator to stop.

    Ids that stand for media are never drawn, though the published tools would: said, they could not be told from a
    picture's own when prompt and answer are read again.

    Args:
        model: either model.
        inputs: its keyword arguments for the prompt, a batch of one; `input_ids` (1, tokens) among them.
        sampling: how to draw; its seed makes the draw repeatable.
        stop_ids: ids that end the answer; the one that did is yielded too.

    Yields:
        Ids, at most `sampling.max_new_tokens` and never beyond the model's context.
    """
    cache = KVCache(model.config.language.num_blocks)
    generator = torch.Generator().manual_seed(sampling.seed)
    seen, unsayable = inputs["input_ids"][0].cpu(), torch.tensor(model.config.media_ids)
    room = model.config.language.context - len(seen)
    for _ in range(min(sampling.max_new_tokens, room)):
        with torch.inference_mode():
            logits = model(**inputs, cache=cache, last=1)[0, -1]
        sayable = logits.float().cpu().index_fill(0, unsayable, -torch.inf)
        token = next_token(sayable, seen, sampling, generator)
        yield token
        if token in stop_ids:
            return
        new = torch.tensor([token])
        seen = torch.cat((seen, new))
        inputs = {"input_ids": new[None].to(logits.device)}
