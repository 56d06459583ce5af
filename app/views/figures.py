"""Draws a run's charts for the page: Plotly figures as JSON, made by `viz` from the run's numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import viz
from app.asking.finished import Finished
from app.asking.posted import Posted
from qwenvl.errors import RunError

FIGURES: dict[str, Callable[..., Any]] = {"positions_3d": viz.positions_3d, "positions_lanes": viz.positions_lanes}


def figure(finished: Finished, posted: Posted) -> dict[str, Any]:
    """The figure of this name: positions of every prompt token, in space or along the prompt, for a light or dark page.

    Raises:
        RunError: there is no figure of this name.
    """
    draw = FIGURES.get(name) if isinstance(name := posted.get("name"), str) else None
    if draw is None:
        raise RunError(f"There is no such figure: choose {' or '.join(FIGURES)}.")
    prompt = finished.run.tokens[: finished.run.answer_start]
    drawn = draw(
        finished.run.positions[:, : len(prompt)].numpy(),
        texts=[token.text for token in prompt],
        kinds=[token.kind if token.kind in ("image", "video") else "text" for token in prompt],
        dark=posted.get("dark") is True,
    )
    return json.loads(drawn.to_json())
