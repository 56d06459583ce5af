"""Defines the errors a user can cause; each says in one sentence what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Self


class Sentence(str):
    """An English sentence that remembers its template and what fills its gaps, so that a page may say it otherwise.

    It is a string like any other, its gaps filled.

    Attributes:
        template: "{name} is empty; save or download it again."
        values: by the names of the gaps; sentences in their turn, numbers, or text that is the same in any language.
    """

    template: str
    values: Mapping[str, object]

    @classmethod
    def of(cls, template: str, **values: object) -> Self:
        """The template with its gaps filled."""
        sentence = cls(template.format(**values))
        sentence.template, sentence.values = template, values
        return sentence

    @classmethod
    def joined(cls, sentences: Iterable[str]) -> Self:
        """Several sentences after each other, each of which a page may say otherwise; "" for none."""
        kept = [each for each in sentences if each]
        if not kept:
            return cls("")
        first, *rest = (each if isinstance(each, Sentence) else cls(each) for each in kept)
        if not rest:
            return cls.of(first.template, **first.values) if first.values else cls(first)
        return cls.of("{first} {rest}", first=first, rest=cls.joined(rest))

    def __new__(cls, text: str) -> Self:
        """A sentence without gaps."""
        sentence = super().__new__(cls, text)
        sentence.template, sentence.values = text, {}
        return sentence


SHOWN = 40  # characters of a value that a sentence shows


def shown(value: object) -> str:
    """A wrong value as a sentence shows it: its repr, cut where it is long."""
    if isinstance(value, str | bytes | list | tuple) and len(value) > SHOWN:
        value = value[:SHOWN]  # of a long one no more is written out than is shown
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python writes out
        return "a number of thousands of digits"
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


class UserError(ValueError):
    """The root of them: catch this to tell a user's mistake from a defect."""

    @property
    def sentence(self) -> Sentence:
        """What is wrong and what to do, with its template where it has gaps."""
        said = self.args[0] if self.args else ""
        return said if isinstance(said, Sentence) else Sentence(str(said))


class MediaError(UserError):
    """A picture or clip that cannot be read, or has a size no model accepts."""


class PromptError(UserError):
    """A conversation that cannot be asked: empty, out of order, or longer than the context."""


class CheckpointError(UserError):
    """A folder, preset or file of weights that cannot be loaded."""


class RunError(UserError):
    """A question about a run that it cannot answer: no such site, layer or token, or a file that is not a run."""
