"""Validates a posted selection: its indices lie within the run, its names are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.asking.finished import Finished
from qwenvl.errors import RunError

Choice = int | Literal["mean"]
Selection = Mapping[str, Any]


@dataclass(frozen=True)
class Chosen:
    """One model's part of a selection, held inside its run.

    Attributes:
        word: the chosen token; None where nothing is chosen.
        layer, head: of the language model, "mean" for their mean.
        media: which picture or clip; 0 where there is none.
        frame: the temporal cell that this model shows, on its own patch grid ("frames" of what the page posts, by
            letter); 0 for a still.
    """

    letter: str
    run: Any
    word: int | None
    layer: Choice
    head: Choice
    media: int
    frame: int

    @property
    def predicts(self) -> bool:
        """Whether the row is the one that predicts a word of the answer, not the row of a token of the prompt."""
        return self.word is not None and bool(self.word >= self.run.answer_start)

    @property
    def row(self) -> int:
        """The row that predicts the chosen word of the answer; of a token of the prompt, its own.

        Raises:
            RunError: nothing is chosen.
        """
        if self.word is None:
            raise RunError("Nothing is chosen: choose a word of an answer, then export.")
        return self.word - 1 if self.predicts else self.word


def chosen(finished: Finished, letter: str, selection: Selection) -> Chosen:
    """Read a selection for the run of one letter.

    Raises:
        RunError: an index outside the run, or something else than an index.
    """
    run = finished.run
    count = max(1, len(run.media))
    media = whole(selection, "media", count)
    frames = run.media[media].patch_grid[0] if run.media else 1
    own_frame = of_letter(selection, "frames", letter)  # models see a clip at moments of their own
    moment = selection if own_frame is None else {"frame": own_frame}
    word = of_letter(selection, "query", letter)
    return Chosen(
        letter=letter,
        run=run,
        word=None if word is None else whole({"query": word}, "query", len(run.tokens)),
        layer=choice({"layer": of_letter(selection, "layer", letter)}, "layer", run.num_layers("language")),
        head=choice({"head": of_letter(selection, "head", letter)}, "head", run.num_heads("language")),
        media=media,
        frame=min(whole(moment, "frame", 1 << 20), frames - 1),
    )


def of_letter(selection: Selection, name: str, letter: str) -> Any:
    """The part of a pair {"A": ..., "B": ...} that belongs to a letter; None where there is none."""
    pair = selection.get(name)
    return pair.get(letter) if isinstance(pair, dict) else None


def own(selection: Selection, view: str) -> Mapping[str, Any]:
    """What is chosen in one view alone, its CHOICES; empty where nothing was posted."""
    choices = selection.get(f"of_{view}")
    return choices if isinstance(choices, dict) else {}


def whole(values: Mapping[str, Any], name: str, length: int, default: int = 0) -> int:
    """A whole number from 0 to length - 1. Raises `RunError` for anything else."""
    value = values.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < length:
        raise RunError(f"{name} must be a whole number from 0 to {length - 1:,}: choose another.")
    return value


def choice(values: Mapping[str, Any], name: str, length: int) -> Choice:
    """ "mean", also where nothing is said, or a whole number from 0 to length - 1. Raises `RunError` otherwise."""
    return "mean" if values.get(name) in (None, "mean") else whole(values, name, length)
