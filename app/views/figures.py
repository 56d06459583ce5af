"""Draws a run's charts for the page: Plotly figures as JSON, made by `viz` from the run's numbers."""

from __future__ import annotations

import json
from typing import Any

import viz
from app.asking.finished import Finished
from app.asking.posted import Posted
from qwenvl.errors import RunError, Sentence

FIGURES = ("positions_3d", "positions_lanes")  # of `viz`


def figure(finished: Finished, posted: Posted) -> dict[str, Any]:
    """The figure of this name: positions of every prompt token, in space or along the prompt, for a light or dark page.

    Raises:
        RunError: there is no figure of this name.
    """
    name = posted.get("name")
    if not isinstance(name, str) or name not in FIGURES:
        raise RunError(Sentence.of("There is no such figure: choose {names}.", names=" or ".join(FIGURES)))
    prompt = finished.run.tokens[: finished.run.answer_start]
    drawn = getattr(viz, name)(
        finished.run.positions[:, : len(prompt)].numpy(),
        texts=[token.text for token in prompt],
        kinds=[token.kind if token.kind in ("image", "video") else "text" for token in prompt],
        dark=posted.get("dark") is True,
    )
    return json.loads(drawn.to_json())
