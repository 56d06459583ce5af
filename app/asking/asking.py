"""Runs one question through one model on its own thread: updates come by a queue, and a stop ends both.

The thread never waits for the reader, and the reader never waits longer than a blink for the thread: so a visitor who
stops, or leaves, is let go at once, also while somebody else's answer occupies the model.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import TypedDict

from app.asking.failures import Failure, describe
from app.asking.model_choice import ModelChoice
from qwenvl.inference.pipeline import Stream

BLINK = 0.1  # seconds
STOPPED_EARLY = "stopped before the first word"


class Update(TypedDict):
    """The state of one model's column while it answers; each update holds all that came before."""

    letter: str
    state: str  # "loading", "reading", "answering", "replaying"; then "done", "stopped" or "error"
    step: str  # the same in words
    progress: float  # 0..1
    pieces: list[str]  # of the answer, in order
    run: str | None  # id of the finished run
    error: Failure | None


FINAL = ("done", "stopped", "error")


class Asking:
    """What the working thread, the reader and the Stop button share about one question."""

    def __init__(self, visitor: str | None, letter: str, model: ModelChoice) -> None:
        self.visitor = visitor
        self.letter = letter
        self.model = model
        self.stopped = threading.Event()  # Stop was pressed: what was said stays, and is replayed
        self.abandoned = threading.Event()  # nobody reads any more: no replay
        self.pieces: list[str] = []
        self._updates: queue.SimpleQueue[Update] = queue.SimpleQueue()
        self._stream: Stream | None = None
        self._furthest = 0.0
        self._lock = threading.Lock()

    def attach(self, stream: Stream) -> None:
        """Say which stream a stop should end; ends it at once if the stop came first."""
        with self._lock:
            self._stream = stream
        if self.stopped.is_set():
            stream.stop()

    def stop(self) -> None:
        """End the answer; what was said stays."""
        self.stopped.set()
        with self._lock:
            stream = self._stream
        if stream is not None:
            stream.stop()

    def abandon(self) -> None:
        """Nobody reads any more: stop, and spare the rest of the work."""
        self.abandoned.set()
        self.stop()

    def tell(
        self, state: str, step: str, progress: float, *, run: str | None = None, error: Failure | None = None
    ) -> None:
        """Put an update where the reader finds it."""
        self._furthest = max(self._furthest, progress)  # told from two threads, and never back
        self._updates.put(self._update(state, step, self._furthest, run, error))
        if state in FINAL:  # the stream holds the run, and a listener holds this: let both go without waiting for gc
            with self._lock:
                self._stream = None

    def read(self, work: Callable[[Asking], None]) -> Iterator[Update]:
        """Start the work and yield its updates up to the final one, the latest where several wait.

        A thread that ends without a final state has died, and that is told. Stopped before the first word there is
        nothing to wait for: the iterator ends and the thread finds out by itself.
        """
        thread = threading.Thread(target=work, args=(self,), name=f"ask-{self.letter}", daemon=True)
        thread.start()
        try:
            while True:
                was_alive = thread.is_alive()  # asked first: what it told before it ended is read below
                update = self._latest()
                if update is not None:
                    yield update
                    if update["state"] in FINAL:
                        return
                elif self.stopped.is_set() and not self.pieces:
                    yield self._update("stopped", STOPPED_EARLY, 1.0)
                    return
                elif not was_alive:
                    yield self._update("error", "", 1.0, error=describe(BaseException()))
                    return
        finally:
            self.abandon()

    def _latest(self) -> Update | None:
        """The last update that waits, or a new one within a blink."""
        latest = None
        try:
            latest = self._updates.get(timeout=BLINK)
            while latest["state"] not in FINAL:
                latest = self._updates.get_nowait()
        except queue.Empty:
            pass
        return latest

    def _update(
        self, state: str, step: str, progress: float, run: str | None = None, error: Failure | None = None
    ) -> Update:
        return Update(
            letter=self.letter,
            state=state,
            step=step,
            progress=progress,
            pieces=list(self.pieces),
            run=run,
            error=error,
        )
