"""Defines what the server tells the inspector: which runs to show, and how the answers in the making go."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from app.asking.asking import Update
from qwenvl.errors import Sentence


class RunsMessage(TypedDict):
    """Finished runs to show, by letter; of a page saved as one file with the selection, as its address writes it."""

    kind: Literal["runs"]
    turn: str
    runs: dict[str, str]
    outside: bool  # whether the pictures are none that the shipped checkpoints were trained to describe
    sentence: str | Sentence | None  # what is amiss with what was asked for
    line: NotRequired[str]


class AskingMessage(TypedDict):
    """How the answers of one turn go: the last update of each letter."""

    kind: Literal["asking"]
    turn: str
    outside: bool
    finished: bool
    A: NotRequired[Update]
    B: NotRequired[Update]


Message = RunsMessage | AskingMessage
