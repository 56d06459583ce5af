"""Answers the Pipeline view: a run's steps from file to answer, and where its time went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from app.views.contract import Look
from qwenvl.analysis.stages import CHANGES, timed_pass, times


def pipeline(look: Look, asked: Mapping[str, Any]) -> dict[str, Any]:
    """{"run": id} to the run's stages, seconds by part and the pass they were timed in, and what changed."""
    run = look(asked.get("run")).run
    return {
        "stages": [asdict(stage) for stage in run.stages()],
        "times": times(run),
        "pass": timed_pass(run),
        "changes": {name: asdict(change) for name, change in CHANGES.items()},
    }
