"""Makes the parts of a run's record from a prompt, the ids of an answer and what a forward pass gave; and asks again.

Knows the processor, and no model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

import torch
from torch import Tensor

from qwenvl.errors import RunError
from qwenvl.processing.geometry.media import Media
from qwenvl.processing.processor import Processor, Prompt
from qwenvl.recorded.edits import Edit
from qwenvl.recorded.record import Alternative, Token
from qwenvl.recorded.rows import RunRows

LIKELIEST = 10  # alternatives kept for each answer token


def three_rows(positions: Tensor) -> Tensor:
    """Whatever the position tap saw, as int64 (3, tokens)."""
    rows = positions[:, 0] if positions.dim() == 3 else positions.expand(3, -1)
    return rows.to("cpu", torch.int64).contiguous()


def tokens_of(processor: Processor, prompt: Prompt, answer_ids: Sequence[int], positions: Tensor) -> tuple[Token, ...]:
    """The tokens of prompt and answer, at positions (3, tokens)."""
    places = [tuple(place) for place in positions.T.tolist()]
    said = [
        Token(id_, text, "special" if special else "text", "answer", True, None, None, place)
        for id_, text, special, place in zip(
            answer_ids,
            processor.token_texts(answer_ids),
            map(processor.tokenizer.is_special, answer_ids),
            places[len(prompt.input_ids) :],
            strict=True,
        )
    ]
    asked = [
        Token(token.id, token.text, token.kind, token.section, False, token.media, token.cell, place)
        for token, place in zip(prompt.tokens, places, strict=False)
    ]
    return (*asked, *said)


def words_of(processor: Processor, prompt: Prompt, answer_ids: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """The words of the answer, each as the indices of its tokens."""
    start = len(prompt.input_ids)
    return tuple(tuple(start + index for index in group) for group in processor.group_words(answer_ids))


def likeliest_of(
    processor: Processor, logits: Tensor, answer_ids: Sequence[int]
) -> tuple[tuple[tuple[Alternative, ...], ...], tuple[float, ...]]:
    """From logits (answer, vocab): the likeliest tokens of each place, and how likely the answer's own was."""
    probabilities = logits.softmax(dim=-1)
    top = probabilities.topk(min(LIKELIEST, probabilities.shape[-1]), dim=-1)
    likeliest = tuple(
        tuple(
            Alternative(id_, processor.token_text(id_), probability)
            for id_, probability in zip(ids, values, strict=True)
        )
        for ids, values in zip(top.indices.tolist(), top.values.tolist(), strict=True)
    )
    own = probabilities[torch.arange(len(answer_ids)), torch.tensor(list(answer_ids), dtype=torch.int64)]
    return likeliest, tuple(own.tolist())


def carried(run: RunRows, prompt: Prompt) -> tuple[Edit, ...]:
    """A run's edits in another prompt on the same media.

    Raises:
        RunError: one of them names a token from where on the two prompts differ.
    """
    pairs = zip(run.tokens, prompt.tokens, strict=False)
    alike = sum(1 for _ in takewhile(lambda pair: pair[0].id == pair[1].id, pairs))
    for edit in run.edits:
        if edit.reach() >= alike:
            raise RunError(
                "Another question cannot be asked under this run's edits: they name token "
                f"{edit.reach()}, and from {alike} on its tokens are others."
            )
    return run.edits


def with_media(messages: Sequence[Mapping[str, Any]], media: Sequence[Media]) -> list[dict[str, Any]]:
    """A run's messages with its media put back where their indices stand."""

    def restore(part: Mapping[str, Any]) -> dict[str, Any]:
        if part.get("type") == "image":
            return {**part, "image": media[part["image"]].frames[0]}
        if part.get("type") == "video":
            return {**part, "video": media[part["video"]]}  # its very frames; a file would be sampled anew
        return dict(part)

    return [
        {
            **message,
            "content": message["content"]
            if isinstance(message["content"], str)
            else list(map(restore, message["content"])),
        }
        for message in messages
    ]
