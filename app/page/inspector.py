"""Defines the inspector: our own component that draws the answers, the picture and all that lies on it.

Python sends it messages through its value (which runs to show, how an answer goes) and answers its questions for exact
numbers; every view is JavaScript in static/.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import gradio as gr

from app.asking.asking import Update
from app.serving.api import server_functions
from app.serving.frontend import own_component
from app.serving.session import Session
from app.serving.wire import plain

Message = dict[str, Any]


def inspector(session: Session) -> gr.HTML:
    """The component, empty until it is sent its first message."""
    functions = server_functions(session)
    return own_component("shell/inspector", elem_id="inspector", value=None, stale=None, server_functions=functions)


def show_runs(runs: Mapping[str, str], *, outside: bool, sentence: str | Mapping[str, object] | None = None) -> Message:
    """Show these finished runs by letter.

    Args:
        runs: their ids.
        outside: whether their pictures are none that the shipped checkpoints were trained to describe.
        sentence: what is amiss with what was asked for.
    """
    shown = {"runs": dict(runs), "outside": outside, "sentence": sentence, "turn": secrets.token_hex(4)}
    return {"kind": "runs", **shown}


def show_asking(turn: str, updates: Mapping[str, Update], *, outside: bool, finished: bool) -> Message:
    """How the answers of one turn go: the last update of each letter."""
    return {"kind": "asking", "turn": turn, "outside": outside, "finished": finished, **plain(dict(updates))}
