"""The inspector: one component of our own that draws the answers, the picture and everything that lies on it.

Python sends it messages through its value (which runs to show, how an answer goes) and answers its questions for exact
numbers; every view is JavaScript in static/.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import gradio as gr

from app.api import server_functions
from app.frontend import own_component
from app.session import Session

Message = dict[str, Any]


def inspector(session: Session) -> gr.HTML:
    """The component, empty until it is sent its first message."""
    functions = server_functions(session)
    return own_component("inspector", elem_id="inspector", value=None, stale=None, server_functions=functions)


def show_runs(runs: Mapping[str, str], sentence: str | None = None) -> Message:
    """Show these finished runs by letter; the sentence says what is amiss with what was asked for."""
    return {"kind": "runs", "runs": dict(runs), "sentence": sentence, "turn": secrets.token_hex(4)}


def show_asking(turn: str, updates: Mapping[str, Any], *, finished: bool) -> Message:
    """How the answers of one turn go."""
    return {"kind": "asking", "turn": turn, "finished": finished, **updates}
