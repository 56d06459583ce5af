"""What the page posts of each run when an export is asked for: the choices of a page that has just opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.asking.finished import Finished
from app.views.payload import run_payload


def columns(runs: Mapping[str, Finished], view: str = "answer", **more: Any) -> dict[str, dict[str, Any]]:
    """By letter; `more` by name, a dict by letter where the columns differ."""
    found = {letter: _column(finished, view) for letter, finished in runs.items()}
    for name, value in more.items():
        by_letter = isinstance(value, dict) and value.keys() <= {"A", "B"}
        for letter, column in found.items():
            column[name] = value.get(letter) if by_letter else value
    return found


def _column(finished: Finished, view: str) -> dict[str, Any]:
    run = run_payload("", finished)
    start = run["start"]
    word = run["words"][start["word"]]
    common = {"query": word["tokens"][0], "why": True, "layer": start["layer"], "head": start["head"]}
    return {**common, "media": 0, "frame": 0, **VIEWS.get(view, {})}


VIEWS: dict[str, dict[str, Any]] = {
    "adapter": {"query": 3, "layer": 0, "head": "mean"},
    "vision": {"query": 5, "layer": 1, "head": 0},
    "causes": {"tool": "paint", "fill": "mean", "place": {"kind": "half"}},
}
