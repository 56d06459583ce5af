"""Finished runs of given answers, kept as the page keeps them, for tests of what it asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from app.asking.conversation import Conversation, Settings
from app.serving.session import Session


def keep(
    session: Session, answers: Mapping[str, str], pictures: Sequence[Path] = (), *, max_pixels: int = 448 * 448
) -> dict[str, str]:
    """Ids by letter of runs that look inside these answers."""
    conversation = Conversation().asking("What is this?", [str(path) for path in pictures])
    settings, ids = Settings(max_pixels=max_pixels), {}
    for letter, answer in answers.items():
        pipeline = session.pipeline(letter)
        run = pipeline.run(conversation.messages(letter), answer=answer, max_pixels=max_pixels)
        ids[letter] = session.store.pin(session._finish(letter, pipeline, run, conversation, settings))
    return ids
