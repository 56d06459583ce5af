"""Holds a finished run together with what the page says about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.asking.conversation import Conversation, Settings
from app.asking.model_choice import ModelCard, ModelChoice
from qwenvl.inference.run import Run


@dataclass(frozen=True)
class Finished:
    """A run, the column it stands in, what was asked before, and which model it was.

    Attributes:
        letter: of the column.
        piece: the bytes of a token of the vocabulary.
        limits: min_pixels and max_pixels that were in force.
        context: tokens that the model reads at most.
        created: seconds since the epoch.
        chosen: the model as a visitor chooses it; None for a saved run.
    """

    run: Run
    letter: str
    card: ModelCard
    conversation: Conversation
    settings: Settings
    piece: Callable[[int], bytes]
    limits: Mapping[str, int | None]
    context: int
    created: float
    chosen: ModelChoice | None = None

    @property
    def nbytes(self) -> int:
        """Bytes that the run holds."""
        return self.run.nbytes

    def answered(self) -> tuple[Conversation, Settings]:
        """What was asked, this run's answer included, and how: to ask on. Its paths are this machine's own."""
        return self.conversation.answered(self.letter, self.run.answer), self.settings

    def text_of(self, token_id: int) -> str:
        """The letters of a token of the vocabulary; bytes that are no whole character show as such."""
        return self.piece(token_id).decode("utf-8", errors="replace")
