"""Exports the Pipeline view: both models' steps from file to answer, with the seconds of each part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

import viz
from app.asking.finished import Finished
from app.asking.posted import Posted
from app.exports.captions import model_title, weights_words
from app.exports.exported import Exported
from app.exports.python_code import Name, call, closing, opening
from qwenvl.analysis.stages import CHANGES, timed_pass, times
from qwenvl.errors import RunError

STEPS = ["File", "Resize", "Patches", "Vision tower", "Adapter", "Prompt", "Language model", "Answer"]
PASSES = {"read": "the pass that read the prompt", "replay": "the replay of a given answer", "": "no pass"}


def export(runs: Mapping[str, Finished], posted: Mapping[str, Posted]) -> Exported:
    """A column per model; what is posted changes nothing.

    Raises:
        RunError: there is no run.
    """
    if not runs:
        raise RunError("There is no run to draw: ask a question first.")
    columns = [[asdict(stage) for stage in finished.run.stages()] for finished in runs.values()]
    given = _given(runs)
    parts = {letter: times(finished.run) for letter, finished in runs.items()}
    return Exported(
        figure=viz.pipeline_columns(columns, **given),
        caption=given["caption"],
        arrays={f"seconds_{letter}": np.array(list(part.values())) for letter, part in parts.items()},
        facts={letter: {"parts": list(part), "unit": "seconds"} for letter, part in parts.items()},
        lines=_lines(runs, given),
    )


def _given(runs: Mapping[str, Finished]) -> dict[str, Any]:
    """What the figure is given besides its columns."""
    differ = len({finished.run.card.family for finished in runs.values()}) > 1
    clocks = "; ".join(f"{letter}: {PASSES[timed_pass(finished.run)]}" for letter, finished in runs.items())
    caption = (
        "Steps from file to answer, each with the shape of what leaves it in this run, its parameters by formula from "
        f"the config, and its time on this machine where it was timed by itself ({clocks}). Patch embedding is timed "
        f"with the tower. {weights_words(runs.values())}"
    )
    return {
        "steps": STEPS,
        "titles": [f"{letter}  {model_title(finished)}" for letter, finished in runs.items()],
        "marks": [change.mark for change in CHANGES.values()] if differ else [],
        "caption": caption.strip(),
    }


def _lines(runs: Mapping[str, Finished], given: dict[str, Any]) -> str:
    names = ", ".join(f"run_{letter}" for letter in runs)
    return "\n".join(
        [
            "from dataclasses import asdict",
            opening(runs, uses="numpy"),
            "from qwenvl.analysis.stages import times",
            "",
            *(f"seconds_{letter} = numpy.array(list(times(run_{letter}).values()))" for letter in runs),
            f"columns = [[asdict(stage) for stage in run.stages()] for run in ({names},)]",
            "",
            f"figure = {call('viz.pipeline_columns', repr(Name('columns')), **given)}",
            closing("pipeline"),
            "",
        ]
    )
