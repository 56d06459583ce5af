"""Tabulates how often the models on the page were right, as their folders say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from app.asking.words import count, percent
from qwenvl.errors import Sentence

NOTES = (
    "Share of answers that are right word for word, on scenes that training never saw, greedy; grounding: boxes with "
    "an IoU above 0.5. {asked} scenes a row, seed {seed}.",
    "Pointing: the share of a row of attention on the asked shape over the share of the picture that it covers, and "
    "the same for the other shapes; the head was chosen on other scenes, and training showed one head where to look.",
    "Trained by this project on drawings alone: on a photo the geometry is exact and the answer means nothing.",
)


class MeasuredTable(TypedDict):
    """How often models were right, all text; each row begins with its name."""

    columns: list[str]
    rows: list[list[str]]
    notes: list[str]


class WeightsTold(TypedDict):
    """What the badge says of the weights, and the table behind it."""

    badge: str
    demo: bool  # whether the answers are those of a demonstration
    measured: MeasuredTable | None


def figures_table(figures: Mapping[str, Mapping[str, Any]], titles: Mapping[str, str]) -> MeasuredTable | None:
    """The table as the page draws it; None where no folder holds figures.

    Args:
        figures: by letter, what `qwenvl.tiny evaluate` measured (the content of figures.json).
        titles: by letter, the head of its column.
    """
    if not figures:
        return None
    letters = sorted(figures)
    names = dict.fromkeys(name for letter in letters for name in figures[letter]["rows"])
    rows: list[list[str]] = [[name, *(_right(figures[letter], name) for letter in letters)] for name in names]
    tasks = dict.fromkeys(task for letter in letters for task in figures[letter].get("pointing", {}))
    rows += [
        [Sentence.of("pointing, by {task}", task=task), *(_pointing(figures[letter], task) for letter in letters)]
        for task in tasks
    ]
    first = figures[letters[0]]
    notes: list[str] = [Sentence.of(note, asked=count(first["scenes"]), seed=first["seed"]) for note in NOTES]
    return {"columns": [titles[letter] for letter in letters], "rows": rows, "notes": notes}


def _right(figures: Mapping[str, Any], name: str) -> str:
    row = figures["rows"].get(name)
    return percent(row["right"]) if row else "–"


def _pointing(figures: Mapping[str, Any], task: str) -> str:
    found = figures.get("pointing", {}).get(task)
    return (
        Sentence.of("{target} ×, others {other} ×", target=f"{found['target']:.1f}", other=f"{found['distractor']:.2f}")
        if found
        else "–"
    )
