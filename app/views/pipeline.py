"""Answers the Pipeline view: a run's steps from file to answer, and where its time went."""

from __future__ import annotations

from typing import TypedDict

from app.asking.posted import Posted
from app.views.contract import Look
from qwenvl.analysis.stages import CHANGES, Change, Stage, timed_pass, times

# "pass" is no name that a class may have.
Pipeline = TypedDict(
    "Pipeline",
    {"stages": list[Stage], "times": dict[str, float], "pass": str, "changes": dict[str, Change]},
)
Pipeline.__doc__ = "A run's stages, seconds by part and the pass they were timed in, and what changed between families."


def pipeline(look: Look, posted: Posted) -> Pipeline:
    """{"run"}: see `Pipeline`."""
    run = look(posted.get("run")).run
    return {"stages": list(run.stages()), "times": times(run), "pass": timed_pass(run), "changes": CHANGES}
