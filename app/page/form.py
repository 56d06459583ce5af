"""Defines what stands in the rail at the moment of an event, as one value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypedDict

from app.asking.conversation import Conversation
from app.page.draft import Draft


class Budget(TypedDict):
    """The least and the most pixels of a picture, as the rail's own component posts them."""

    min: int
    max: int


@dataclass(frozen=True)
class Form:
    """A draft, and what is typed and set beside it; events read it whole and write it whole."""

    draft: Draft
    question: str
    system: str
    budget: Budget

    def drafted(self, draft: Draft) -> Form:
        """With another draft; what is typed stays."""
        return replace(self, draft=draft)

    def asking(self, question: str) -> Form:
        """With another question."""
        return replace(self, question=question)

    @property
    def stale(self) -> str | None:
        """One sentence where this is no longer what was answered."""
        return self.draft.stale(self.question, self.system)

    @property
    def conversation(self) -> Conversation:
        """What to ask: the earlier turns and this question."""
        return self.draft.conversation(self.question, self.system)
