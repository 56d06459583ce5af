"""Draws a run's charts for the page: Plotly figures as JSON, made by `viz` from the run's numbers."""

from __future__ import annotations

import json
from typing import TypedDict, cast

import viz
from app.asking.finished import Finished
from app.asking.posted import Posted
from qwenvl.errors import RunError, Sentence

FIGURES = ("positions_3d", "positions_lanes")  # of `viz`


class Figure(TypedDict):
    """A figure as Plotly draws it: its traces and its layout, in Plotly's own words."""

    data: list[dict[str, object]]
    layout: dict[str, object]


def figure(finished: Finished, posted: Posted) -> Figure:
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
    return cast(Figure, json.loads(drawn.to_json()))
