"""Defines what a question of a view is; the package's docstring says more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.asking.finished import Finished
from app.asking.posted import Posted
from app.asking.selection import Selection, Site

Look = Callable[[Any], Finished]  # from a run's id to the run; raises `RunError` for an id that names none
Question = Callable[[Look, Posted], object]  # a TypedDict, or a dataclass of the library


def selected(look: Look, posted: Posted, site: Site = "language") -> Selection:
    """What is chosen of the run that was asked about. Raises `RunError` for a run or an index that there is not."""
    return Selection.of(look(posted.get("run")), posted, site=site)
