"""Defines the inspector: our own component that draws the answers, the picture and all that lies on it.

Python sends it messages through its value (which runs to show, how an answer goes) and answers its questions for exact
numbers; every view is JavaScript in static/.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import cast

import gradio as gr

from app.asking.asking import Update
from app.asking.messages import AskingMessage, RunsMessage
from app.serving.api import server_functions
from app.serving.frontend import own_component
from app.serving.session import Session
from app.serving.wire import plain


def inspector(session: Session) -> gr.HTML:
    """The component, empty until it is sent its first message."""
    functions = server_functions(session)
    return own_component("shell/inspector", elem_id="inspector", value=None, stale=None, server_functions=functions)


def show_runs(runs: Mapping[str, str], *, outside: bool, sentence: str | None = None) -> RunsMessage:
    """Show these finished runs by letter.

    Args:
        runs: their ids.
        outside: whether their pictures are none that the shipped checkpoints were trained to describe.
        sentence: what is amiss with what was asked for.
    """
    turn = secrets.token_hex(4)
    return {"kind": "runs", "runs": dict(runs), "outside": outside, "sentence": sentence, "turn": turn}


def show_asking(turn: str, updates: Mapping[str, Update], *, outside: bool, finished: bool) -> AskingMessage:
    """How the answers of one turn go: the last update of each letter."""
    told: AskingMessage = {"kind": "asking", "turn": turn, "outside": outside, "finished": finished}
    if "A" in updates:
        told["A"] = cast(Update, plain(updates["A"]))
    if "B" in updates:
        told["B"] = cast(Update, plain(updates["B"]))
    return told
