"""Describes what went wrong as the page says it: a title, one sentence, and at most one way out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from qwenvl.errors import CheckpointError, MediaError, PromptError, RunError, Sentence, UserError

OUR_FAULT = "Something in this program failed, not in the question: the server's log has the details. Ask again."
NO_MEMORY = "There is not enough memory for this question: lower max_pixels, or ask about fewer pictures."


class WayOut(TypedDict):
    """A button under a failure: its words, and what the page does when it is pressed."""

    label: str
    action: str


class Failure(TypedDict):
    """What went wrong as the page says it."""

    title: str
    sentence: str | Sentence
    way_out: WayOut | None


_KINDS: tuple[tuple[type[UserError], str, WayOut | None], ...] = (
    (MediaError, "This file cannot be used.", {"label": "Remove the file", "action": "remove_media"}),
    (PromptError, "This cannot be asked.", {"label": "Change the question", "action": "focus_question"}),
    (CheckpointError, "This model cannot be loaded.", None),
    (RunError, "This run cannot be shown.", {"label": "Ask again", "action": "ask"}),
)


class TooLarge(UserError):
    """What memory or a model's context has no room for; the sentence has the numbers, and what would fit.

    Args:
        offer: the setting that would, by name; None where none does.
    """

    def __init__(self, sentence: str, offer: Mapping[str, object] | None = None) -> None:
        super().__init__(sentence)
        self.offer = offer or {}

    @property
    def way_out(self) -> WayOut:
        """Where that setting is."""
        if self.offer.keys() & {"nframes", "fps", "pictures"}:
            return {"label": "Change the frames", "action": "focus_frames"}
        if "max_pixels" in self.offer:
            return {"label": "Lower the pixel budget", "action": "focus_budget"}
        return {"label": "Choose another model", "action": "focus_models"}


class PromptRefused(UserError):
    """A question that got no answer, with the sentence that says why."""


def describe(error: BaseException) -> Failure:
    """The title, the sentence and the way out of an error, a visitor's own or ours."""
    if is_out_of_memory(error):
        return _failure("This does not fit.", NO_MEMORY, {"label": "Lower the pixel budget", "action": "focus_budget"})
    if isinstance(error, TooLarge):
        return _failure("This does not fit.", error.sentence, error.way_out)
    for kind, title, way_out in _KINDS:
        if isinstance(error, kind):
            return _failure(title, error.sentence, way_out)
    if isinstance(error, UserError):
        return _failure("This cannot be done.", error.sentence, None)
    return _failure("No answer this time.", OUR_FAULT, {"label": "Ask again", "action": "ask"})


def sentence(error: Exception) -> str:
    """The one sentence of an error."""
    return describe(error)["sentence"]


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the machine, or its GPU, had no room; PyTorch's own allocator says so in words alone."""
    named = type(error).__name__ == "OutOfMemoryError" or isinstance(error, MemoryError)
    return named or (isinstance(error, RuntimeError) and "can't allocate memory" in str(error))


def _failure(title: str, sentence: str, way_out: WayOut | None) -> Failure:
    return {"title": title, "sentence": sentence, "way_out": way_out}
