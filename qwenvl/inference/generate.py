"""Generates token ids from token ids: sampling, and decoding with a cache.

Knows logits and ids; nothing of words, pictures or screens.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict, Unpack

import torch
from torch import Tensor

from qwenvl.errors import PromptError
from qwenvl.integers import plain
from qwenvl.models.layers import KVCache
from qwenvl.models.qwen2_vl import Qwen2VL
from qwenvl.models.qwen_vl import QwenVL
from qwenvl.published_files.generation_keys import GENERATION
from qwenvl.published_files.keys import check_keys

TOP_K = 50  # of transformers, where a file does not say


class SamplingSettings(TypedDict, total=False):
    """What a question may set of `TokenSampling`; None, or absent, for the published value."""

    max_new_tokens: int | None
    temperature: float | None
    top_k: int | None
    top_p: float | None
    repetition_penalty: float | None
    seed: int | None
    no_repeat_ngram_size: int | None
    min_p: float | None
    typical_p: float | None
    min_new_tokens: int | None
    min_length: int | None
    max_length: int | None
    suppress_tokens: tuple[int, ...] | None
    begin_suppress_tokens: tuple[int, ...] | None


@dataclass(frozen=True)
class TokenSampling:
    """How the next token is drawn from the logits; temperature 0 takes the likeliest.

    Applied in this order, as transformers does: repetition penalty, n-grams that may not repeat, the least lengths,
    suppressed ids; and where a token is drawn: temperature, top-k, top-p, min-p, typical-p.

    Attributes:
        max_new_tokens: of the answer; `max_length`, of prompt and answer together, ends it too where it is given.
        no_repeat_ngram_size: how many tokens in a row may not come twice, in the prompt or since; 0: off.
        min_new_tokens, min_length: tokens of the answer, and of prompt and answer, before which it does not end.
        suppress_tokens, begin_suppress_tokens: ids never said, and not said first.
    """

    max_new_tokens: int = 512
    temperature: float = 0.0
    top_k: int = 0  # 0: off
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    seed: int = 0
    no_repeat_ngram_size: int = 0
    min_p: float = 0.0
    typical_p: float = 1.0
    min_new_tokens: int = 0
    min_length: int = 0
    max_length: int | None = None
    suppress_tokens: tuple[int, ...] = ()
    begin_suppress_tokens: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        limits = {
            "max_new_tokens": (self.max_new_tokens, self.max_new_tokens >= 1, "at least 1"),
            "temperature": (self.temperature, 0 <= self.temperature <= 100, "between 0 (greedy) and 100"),
            "top_k": (self.top_k, self.top_k >= 0, "0 (off) or more"),
            "top_p": (self.top_p, 0 < self.top_p <= 1, "above 0 and at most 1"),
            "repetition_penalty": (self.repetition_penalty, 0 < self.repetition_penalty <= 100, "above 0; 1 is off"),
            "seed": (self.seed, 0 <= self.seed < 2**63, "a whole number from 0"),
            "no_repeat_ngram_size": (self.no_repeat_ngram_size, self.no_repeat_ngram_size >= 0, "0 (off) or more"),
            "min_p": (self.min_p, 0 <= self.min_p <= 1, "between 0 (off) and 1"),
            "typical_p": (self.typical_p, 0 < self.typical_p <= 1, "above 0 and at most 1 (off)"),
        }
        for name, (value, fine, wanted) in limits.items():
            if not fine:
                raise PromptError(f"{name} is {value}; it must be {wanted}.")

    @classmethod
    def from_published(cls, published: Mapping[str, Any]) -> TokenSampling:
        """From a `generation_config.json`; `do_sample` false is temperature 0. What the file leaves out is what
        transformers would take (the 50 likeliest of all tokens), but for the length of an answer.

        Raises:
            CheckpointError: a key that asks for what is not computed here, or a value of the wrong kind.
        """
        check_keys("generation_config.json", published, GENERATION)
        known = cls.__dataclass_fields__.keys() - {"seed"}
        chosen = {name: value for name, value in published.items() if name in known and value is not None}
        chosen |= {name: tuple(chosen[name]) for name in ("suppress_tokens", "begin_suppress_tokens") if name in chosen}
        chosen["temperature"] = chosen.get("temperature", 1.0) if published.get("do_sample") else 0.0
        if "max_new_tokens" in chosen:  # which counts where both are given
            chosen.pop("max_length", None)
        return cls(**{"top_k": TOP_K, **chosen})

    def changed(self, **settings: Unpack[SamplingSettings]) -> TokenSampling:
        """A copy with the settings that are not None.

        Raises:
            PromptError: a setting out of its range.
        """
        given = {name: plain(value) for name, value in settings.items() if value is not None}
        if "max_new_tokens" in given:
            given.setdefault("max_length", None)
        return replace(self, **given)


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


def keep_min_p(logits: Tensor, p: float) -> Tensor:
    """Logits (vocab,) with all that are less than p times as likely as the likeliest at -inf."""
    if p <= 0:
        return logits
    probabilities = logits.softmax(dim=-1)
    drop = probabilities < p * probabilities.max()
    drop[logits.argmax()] = False
    return logits.masked_fill(drop, -torch.inf)


def keep_typical(logits: Tensor, p: float) -> Tensor:
    """Logits (vocab,) with only the tokens whose surprise is nearest the mean one, together of probability p."""
    if p >= 1.0:
        return logits
    log_probabilities = logits.log_softmax(dim=-1)
    surprise = -(log_probabilities * log_probabilities.exp()).nansum()
    distance, order = (-log_probabilities - surprise).abs().sort()
    reached = int((logits[order].softmax(dim=-1).cumsum(dim=-1) < p).sum().clamp(max=len(order) - 1))
    return logits.index_fill(0, order[distance > distance[reached]], -torch.inf)


def repeated_ngram_ends(seen: Tensor, size: int) -> list[int]:
    """The ids that would end a run of `size` tokens that `seen` (tokens,) holds already."""
    if size <= 0 or len(seen) + 1 < size:
        return []
    ids = seen.tolist()
    begun = ids[len(ids) - size + 1 :]
    return [ids[at + size - 1] for at in range(len(ids) - size + 1) if ids[at : at + size - 1] == begun]


def forbidden(seen: Tensor, prompt: int, sampling: TokenSampling, stop_ids: Collection[int]) -> list[int]:
    """The ids that may not come next after those seen, the first `prompt` of which are the prompt's."""
    said = len(seen) - prompt
    banned = repeated_ngram_ends(seen, sampling.no_repeat_ngram_size) + list(sampling.suppress_tokens)
    if said < sampling.min_new_tokens or len(seen) < sampling.min_length:
        banned += stop_ids
    return banned + (list(sampling.begin_suppress_tokens) if said == 0 else [])


def next_token(
    logits: Tensor, seen: Tensor, sampling: TokenSampling, generator: torch.Generator, banned: Sequence[int] = ()
) -> int:
    """Draw one id from logits (vocab,), given the ids seen so far (tokens,) and those that may not come."""
    logits = penalise_repetition(logits.float(), seen, sampling.repetition_penalty)
    if banned := [id_ for id_ in banned if id_ < len(logits)]:
        logits = logits.index_fill(0, torch.tensor(banned), -torch.inf)
    if sampling.temperature == 0 or sampling.top_k == 1:
        return int(logits.argmax())
    logits = keep_top_p(keep_top_k(logits / sampling.temperature, sampling.top_k), sampling.top_p)
    logits = keep_typical(keep_min_p(logits, sampling.min_p), sampling.typical_p)
    return int(torch.multinomial(logits.softmax(dim=-1), 1, generator=generator))


def generate(
    model: QwenVL | Qwen2VL, inputs: Mapping[str, Tensor], *, sampling: TokenSampling, stop_ids: Collection[int] = ()
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
    prompt = len(seen)
    room = min(model.config.language.context, sampling.max_length or model.config.language.context) - prompt
    for _ in range(min(sampling.max_new_tokens, room)):
        with torch.inference_mode():
            logits = model(**inputs, cache=cache, last=1)[0, -1]
        sayable = logits.float().cpu().index_fill(0, unsayable, -torch.inf)
        token = next_token(sayable, seen, sampling, generator, forbidden(seen, prompt, sampling, stop_ids))
        yield token
        if token in stop_ids:
            return
        new = torch.tensor([token])
        seen = torch.cat((seen, new))
        inputs = {"input_ids": new[None].to(logits.device)}
