"""Ends what was asked over a connection that closed before the answer came, as of a page that was closed."""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr


def end_with_connection(blocks: gr.Blocks, leave: Callable[[str], None]) -> None:
    """Tell of every session whose stream of answers closed early.

    Gradio looks after its own queue then, and lets a function that runs already go on to its end.

    Args:
        leave: called with the session; a page has one for as long as it is open, a script that names none one per call.
    """
    queue = blocks._queue
    clean = queue.clean_events

    async def clean_and_tell(*, session_hash: str | None = None, event_id: str | None = None) -> None:
        event = queue.event_ids_to_events.get(event_id or "")
        await clean(session_hash=session_hash, event_id=event_id)
        if gone := session_hash or getattr(event, "session_hash", None):
            leave(gone)

    queue.clean_events = clean_and_tell  # type: ignore[method-assign]
