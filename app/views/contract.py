"""Defines what a question of a view is; the package's docstring says more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.asking.finished import Finished

Look = Callable[[Any], Finished]  # from a run's id to the run; raises `RunError` for an id that names none
Question = Callable[[Look, Mapping[str, Any]], dict[str, Any]]
