"""Limits long computations: one per run, a few in total, and cancelled when the visitor leaves.

Knows keys and functions; no run, no model, no web framework.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from qwenvl.errors import RunError, Sentence

Step = TypeVar("Step")

SUPERSEDED = "A newer question about this run took the place of this one."


class Turns:
    """Short work: one piece at a time for each key, `most` in all; of those that wait for a key the newest stays."""

    def __init__(self, most: int = 4) -> None:
        self._most = most
        self._busy: set[Hashable] = set()
        self._newest: dict[Hashable, object] = {}
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, key: Hashable) -> Iterator[None]:
        """Wait for a turn, and have it while the block runs.

        Raises:
            RunError: a newer piece of work for this key came while this one waited.
        """
        ticket = object()
        with self._changed:
            self._newest[key] = ticket
            self._changed.notify_all()
            while key in self._busy or len(self._busy) >= self._most:
                self._changed.wait()
                if self._newest.get(key) is not ticket:
                    raise RunError(SUPERSEDED)
            del self._newest[key]
            self._busy.add(key)
        try:
            yield
        finally:
            with self._changed:
                self._busy.discard(key)
                self._changed.notify_all()


@dataclass
class Walk(Generic[Step]):
    """Long work, step by step on a thread of its own.

    Attributes:
        asked: what it is about.
        last: the last step; None before the first.
        error: why it ended early.
        ended: finished, stopped or failed.
    """

    asked: Hashable
    last: Step | None = None
    error: Exception | None = None
    stopped: bool = False
    ended: bool = False
    looked: float = field(default_factory=time.monotonic)


class Walks(Generic[Step]):
    """Long work by key: a new one takes the place of the key's last, and one that nobody looks at stops by itself.

    Args:
        most: how many may run at once.
        kept: how many ended ones are remembered.
        patience: seconds without a look after which a walk stops.
    """

    def __init__(self, most: int = 2, kept: int = 32, patience: float = 20.0) -> None:
        self._most, self._kept, self._patience = most, kept, patience
        self._walks: OrderedDict[Hashable, Walk[Step]] = OrderedDict()
        self._alive = 0
        self._lock = threading.Lock()

    def start(self, key: Hashable, asked: Hashable, steps: Callable[[], Iterator[Step]]) -> Walk[Step]:
        """Begin, or go on with what is under way or done already about the same; what was under way else is stopped.

        Raises:
            RunError: too many run already.
        """
        with self._lock:
            walk = self._walks.get(key)
            if walk is not None and walk.asked == asked and not walk.stopped and walk.error is None:
                walk.looked = time.monotonic()
                return walk
            if walk is not None:
                walk.stopped = True
            under_way = sum(not (one.ended or one.stopped) for one in self._walks.values())
            if under_way >= self._most or self._alive >= 2 * self._most:  # stopped ones still make their last step
                raise RunError(
                    Sentence.of(
                        "{most} such computations run on this server already: try again in a moment.", most=self._most
                    )
                )
            walk = self._walks[key] = Walk(asked)
            self._walks.move_to_end(key)
            self._alive += 1
            self._forget()
        threading.Thread(target=self._go, args=(walk, steps), name="walk", daemon=True).start()
        return walk

    def look(self, key: Hashable) -> Walk[Step] | None:
        """The walk of this key, which counts as somebody waiting for it."""
        with self._lock:
            walk = self._walks.get(key)
            if walk is not None:
                walk.looked = time.monotonic()
            return walk

    def recall(self, asked: Hashable) -> Step | None:
        """The last step of a finished walk about this; None where there is none."""
        with self._lock:
            found = [walk for walk in self._walks.values() if walk.asked == asked]
        return next((walk.last for walk in found if walk.ended and not walk.stopped and walk.error is None), None)

    def stop(self, key: Hashable) -> Walk[Step] | None:
        """End the walk of this key after the step being made; what it found stays."""
        walk = self.look(key)
        if walk is not None and not walk.ended:
            walk.stopped = True
        return walk

    def _forget(self) -> None:
        """Drop the oldest of those that ended, beyond as many as are remembered."""
        ended = [key for key, walk in self._walks.items() if walk.ended]
        for key in ended[: max(0, len(self._walks) - self._kept)]:
            del self._walks[key]

    def _go(self, walk: Walk[Step], steps: Callable[[], Iterator[Step]]) -> None:
        try:
            for walk.last in steps():
                walk.stopped = walk.stopped or time.monotonic() - walk.looked > self._patience
                if walk.stopped:
                    break
        except BaseException as error:  # told to whoever looks, also what ends a thread: its place must be free again
            walk.error = error if isinstance(error, Exception) else RuntimeError(type(error).__name__)
        with self._lock:
            walk.ended = True
            self._alive -= 1
