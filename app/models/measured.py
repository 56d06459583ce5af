"""Tabulates how often the models on the page were right, as their folders say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.asking.words import count, percent

NOTES = (
    "Share of answers that are right word for word, on scenes that training never saw, greedy; grounding: boxes with "
    "an IoU above 0.5. {asked} scenes a row, seed {seed}.",
    "Pointing: the share of a row of attention on the asked shape over the share of the picture that it covers, and "
    "the same for the other shapes; the head was chosen on other scenes, and training showed one head where to look.",
    "Trained by this project on drawings alone: on a photo the geometry is exact and the answer means nothing.",
)


def figures_table(figures: Mapping[str, Mapping[str, Any]], titles: Mapping[str, str]) -> dict[str, Any] | None:
    """The table as the page draws it; None where no folder holds figures.

    Args:
        figures: by letter, what `qwenvl.tiny evaluate` measured (the content of figures.json).
        titles: by letter, the head of its column.

    Returns:
        {"columns": [...], "rows": [[name, cell, ...], ...], "notes": [...]}, all text.
    """
    if not figures:
        return None
    letters = sorted(figures)
    names = dict.fromkeys(name for letter in letters for name in figures[letter]["rows"])
    rows = [[name, *(_right(figures[letter], name) for letter in letters)] for name in names]
    tasks = dict.fromkeys(task for letter in letters for task in figures[letter].get("pointing", {}))
    rows += [[f"pointing, by {task}", *(_pointing(figures[letter], task) for letter in letters)] for task in tasks]
    first = figures[letters[0]]
    notes = [note.format(asked=count(first["scenes"]), seed=first["seed"]) for note in NOTES]
    return {"columns": [titles[letter] for letter in letters], "rows": rows, "notes": notes}


def _right(figures: Mapping[str, Any], name: str) -> str:
    row = figures["rows"].get(name)
    return percent(row["right"]) if row else "–"


def _pointing(figures: Mapping[str, Any], task: str) -> str:
    found = figures.get("pointing", {}).get(task)
    return f"{found['target']:.1f} ×, others {found['distractor']:.2f} ×" if found else "–"
