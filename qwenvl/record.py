"""What a run says of itself without tensors and pictures: its tokens, words, answer, settings and times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qwenvl.config import Config


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
class Told:
    """How likely an answer is in one forward pass over it.

    Attributes:
        probabilities: of each answer token where it stands.
        log_probability: natural logarithm of the probability of the whole answer.
    """

    probabilities: tuple[float, ...]
    log_probability: float


@dataclass(frozen=True)
class ModelCard:
    """Which model a run was made by."""

    name: str
    family: str  # "qwen-vl" or "qwen2-vl"
    parameters: int
    trained: bool  # False: seeded random weights, whose answers mean nothing


@dataclass(frozen=True)
class Record:
    """Everything of a run but its tensors and pictures."""

    card: ModelCard
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
