"""What the views ask of finished runs beyond a row: one file a view.

A question is a function of `look` (from a run's id to the run, see `Session.finished`) and of what was asked, one dict
of named values that anybody may have posted; it answers one dict, arrays as `rows.packed`, or raises a `UserError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.payload import Finished

Look = Callable[[Any], Finished]
Question = Callable[[Look, Mapping[str, Any]], dict[str, Any]]

QUESTIONS: dict[str, Question] = {}
