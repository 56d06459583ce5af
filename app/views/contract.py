"""What a question is: see the package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.asking.finished import Finished

Look = Callable[[Any], Finished]  # from a run's id to the run; raises `RunError` for an id that names none
Question = Callable[[Look, Mapping[str, Any]], dict[str, Any]]
