"""Holds what a run says of itself without tensors and pictures: tokens, words, answer, settings, times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from qwenvl.errors import RunError
from qwenvl.integers import as_integer
from qwenvl.models.config import Config
from qwenvl.recorded.edits import Edit


@dataclass(frozen=True)
class Token:
    """One token of a run: of the prompt, or of the answer."""

    id: int
    text: str
    kind: str  # "text", "special", "image" or "video"
    section: str  # "template", "system", "history", "question", "image", "video" or "answer"
    in_answer: bool
    media: int | None  # which of run.media, for a visual token
    cell: (
        tuple[int, int, int] | None
    )  # (t, row, column) on its media's token grid; Qwen-VL: (frame, place of the query's code)
    position: tuple[int, int, int]  # (t, h, w); Qwen-VL: three equal ids


@dataclass(frozen=True)
class Alternative:
    """A token the model could have said, and how likely it held it, before temperature and the like."""

    id: int
    text: str
    probability: float


@dataclass(frozen=True)
class RunCard:
    """Which model a run was made by."""

    name: str
    family: str  # "qwen-vl" or "qwen2-vl"
    parameters: int
    trained: bool  # False: seeded random weights, whose answers mean nothing
    notes: tuple[str, ...] = ()  # what was to be said of its checkpoint, see `Pipeline.notes`


@dataclass(frozen=True)
class Record:
    """Everything of a run but its tensors and pictures."""

    card: RunCard
    config: Config
    messages: tuple[Mapping[str, Any], ...]  # as asked; media by their index in run.media
    answer: str
    tokens: tuple[Token, ...]
    words: tuple[tuple[int, ...], ...]  # indices of answer tokens, those that spell one character together in one word
    likeliest: tuple[tuple[Alternative, ...], ...]  # for each answer token, the likeliest first
    probabilities: tuple[float, ...]  # of the answer tokens themselves
    settings: Mapping[str, Any]
    seconds: Mapping[str, float]  # "read" (the prompt), "answer", "replay"
    stopped: bool
    ntk_alpha: float | None  # Qwen-VL: the stretch its prompt was read with
    # seconds of "prepare" (files to patches and tokens) and of the parts of one pass, "vision", "adapter", "language":
    # the pass that read the prompt, or, where the answer was given, the replay; empty in runs of earlier versions
    parts: Mapping[str, float] = field(default_factory=dict)
    edits: tuple[Edit, ...] = ()  # what was changed in the model's pass, checked; see `qwenvl.recorded.edits`
    hooks: tuple[str, ...] = ()  # modules on which somebody had left a hook of torch, whatever that changed


class Recorded:
    """What was asked and said, of whatever holds a record."""

    record: Record

    @property
    def answer(self) -> str:
        """The answer's text, without its end token."""
        return self.record.answer

    @property
    def tokens(self) -> tuple[Token, ...]:
        """The tokens of prompt and answer, counted from 0."""
        return self.record.tokens

    @property
    def card(self) -> RunCard:
        """Which model it was."""
        return self.record.card

    @property
    def config(self) -> Config:
        """The model's numbers."""
        return self.record.config

    @property
    def messages(self) -> tuple[Mapping[str, Any], ...]:
        """The conversation as it was asked, media by their index in `media`."""
        return self.record.messages

    @property
    def settings(self) -> Mapping[str, Any]:
        """How tokens were drawn, and the limits of pixels; {"given": True, ...} where the answer was given."""
        return self.record.settings

    @property
    def seconds(self) -> Mapping[str, float]:
        """How long it took to "read" the prompt, to "answer", and to "replay" both."""
        return self.record.seconds

    @property
    def parts(self) -> Mapping[str, float]:
        """Seconds of each part of the model in the pass that read the prompt; see `Record`."""
        return self.record.parts

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The interventions the run was made under, and is replayed under; () for none."""
        return self.record.edits

    @property
    def stopped(self) -> bool:
        """Whether the answer was ended early."""
        return self.record.stopped

    @property
    def words(self) -> tuple[tuple[int, ...], ...]:
        """The words of the answer, each as the indices of its tokens."""
        return self.record.words

    @property
    def answer_start(self) -> int:
        """Index of the first answer token; the number of tokens where nothing was said."""
        return next((index for index, token in enumerate(self.tokens) if token.in_answer), len(self.tokens))

    def alternatives(self, index: int, k: int = 5) -> list[Alternative]:
        """The k likeliest tokens at the place of answer token `index`, up to 10, the likeliest first.

        Probabilities are the model's own, before temperature, top-k and top-p.

        Raises:
            RunError: not a token of the answer.
        """
        return list(self.record.likeliest[self.answer_place(index)][:k])

    def probability(self, index: int) -> float:
        """How likely the model held answer token `index` where it stands, before temperature and the like."""
        return self.record.probabilities[self.answer_place(index)]

    def answer_place(self, index: int) -> int:
        """The place of token `index` in the answer, from 0.

        Raises:
            RunError: not a token of the answer, or there is no answer.
        """
        if self.answer_start == len(self.tokens):
            raise RunError("This run has no answer; nothing was said.")
        token = as_integer(index)
        if token is None or not (0 <= token < len(self.tokens) and self.tokens[token].in_answer):
            raise RunError(
                f"Token {index} is not of the answer, which spans {self.answer_start} to {len(self.tokens) - 1}."
            )
        return token - self.answer_start
