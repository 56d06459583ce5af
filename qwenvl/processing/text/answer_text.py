"""Decodes an answer's ids to text: piece by piece while it is made, and in groups of whole characters.

Knows bytes only. A token may hold a part of a character, so neither can look at one token alone.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Sequence
from typing import Protocol

import regex

from qwenvl.processing.text.tokenizers import Tokenizer


class AnswerPieces(Protocol):
    """What a decoder asks of a processor."""

    def answer_piece(self, id_: int) -> bytes:
        """The bytes an id adds to the answer's text; none for one that is not shown."""


def _utf8() -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder("utf-8")("replace")


class StreamDecoder:
    """Text of an answer while it is made: never half a character, and in the end what decoding all at once gives."""

    def __init__(self, processor: AnswerPieces) -> None:
        self._processor = processor
        self._decoder = _utf8()

    def push(self, id_: int) -> str:
        """The text that became whole with this id; "" while a character is unfinished."""
        return self._decoder.decode(self._processor.answer_piece(id_))

    def flush(self) -> str:
        """What is left when the answer ends: "", or U+FFFD for a character that was never finished."""
        return self._decoder.decode(b"", final=True)


def group_words(tokenizer: Tokenizer, ids: Iterable[int]) -> list[list[int]]:
    """Group consecutive ids that a reader would see as one sign.

    Args:
        ids: of an answer, control tokens included; each of those stands alone.

    Returns:
        Indices into `ids`, in order, each once. A group is a token by itself, or as many as it takes to end between two
        characters as Unicode counts them: letters with their marks, an emoji of several parts.
    """
    groups: list[list[int]] = []
    run: list[tuple[int, bytes]] = []
    for index, id_ in enumerate(ids):
        if tokenizer.is_special(id_):
            groups += [*_group_run(run), [index]]
            run = []
        else:
            run.append((index, tokenizer.piece(id_)))
    return groups + _group_run(run)


def _group_run(run: Sequence[tuple[int, bytes]]) -> list[list[int]]:
    """Groups of a stretch without control tokens: (index, bytes) of each token."""
    decoder, text, ends = _utf8(), "", []
    for index, piece in run:
        text += decoder.decode(piece)
        whole = not decoder.getstate()[0]
        ends.append((index, len(text) if whole else None))
    text += decoder.decode(b"", final=True)
    boundaries = {match.end() for match in regex.finditer(r"\X", text)}
    groups: list[list[int]] = [[]]
    for index, end in ends:
        groups[-1].append(index)
        if end in boundaries:
            groups.append([])
    return [group for group in groups if group]
