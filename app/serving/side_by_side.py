"""Merges the updates of both models' answers into one stream of the page's state."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

from app.asking.asking import Update
from app.asking.conversation import Conversation, Settings
from app.asking.model_choice import ModelChoices
from app.serving.session import Session

State = dict[str, Update]  # the last update of each letter


def ask_both(
    session: Session, visitor: str, conversation: Conversation, settings: Settings, models: ModelChoices | None = None
) -> Iterator[State]:
    """Ask the models of both columns, each on a thread; yields the last update of each letter whenever one changes.

    Closing the iterator stops the answers. `models` are a visitor's own choice, by letter.
    """
    news: queue.SimpleQueue[tuple[str, Update | None]] = queue.SimpleQueue()
    closed = threading.Event()

    def read(letter: str) -> None:
        updates = session.ask(visitor, letter, conversation, settings, (models or {}).get(letter))
        try:
            for update in updates:
                news.put((letter, update))
                if closed.is_set():
                    break
        finally:
            updates.close()  # type: ignore[attr-defined]
            news.put((letter, None))

    for letter in session.letters:
        threading.Thread(target=read, args=(letter,), name=f"read-{letter}", daemon=True).start()
    try:
        yield from _merge(news, len(session.letters))
    finally:
        closed.set()


def _merge(news: queue.SimpleQueue[tuple[str, Update | None]], running: int) -> Iterator[State]:
    state: State = {}
    while running:
        waiting = [news.get()]
        while not news.empty():
            waiting.append(news.get())
        running -= sum(update is None for _, update in waiting)
        state = {**state, **{letter: update for letter, update in waiting if update is not None}}
        yield state
