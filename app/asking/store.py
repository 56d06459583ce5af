"""Stores finished runs by an unguessable id, within a budget of bytes.

It knows that a run has a size, and nothing else of it: no model, no visitor's question, no web framework. The id is the
permission (whoever holds it may look), so there is no way to list the runs.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Generic, TypeVar

from app.asking.memory_back import give_back
from qwenvl.errors import RunError, Sentence

Kept = TypeVar("Kept")
MUCH = 16 << 20  # bytes of dropped runs from which it is worth giving memory back
GONE = "This run is no longer kept on this server: ask again to get a fresh one."


@dataclass
class _Shelved(Generic[Kept]):
    """A run on the shelf, and what deciding about its place needs."""

    run: Kept
    visitor: str | None  # None: nobody's own, for everybody, kept as long as the process lives
    num_bytes: int
    last_use: float


class RunStore(Generic[Kept]):
    """Runs by id, least recently used out first.

    A visitor's runs share `visitor_bytes`, everybody's together `total_bytes`. Within these budgets a run stays until
    `grace` seconds after its last use, so that a page can be reloaded; a budget that is full ends the grace of the run
    that was not used for longest. Pinned runs (the examples) count, and are never dropped. All methods are thread-safe.
    """

    def __init__(
        self,
        *,
        visitor_bytes: int = 1 << 30,
        total_bytes: int = 4 << 30,
        grace: float = 3600.0,
        measure: Callable[[Kept], int] = attrgetter("nbytes"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.visitor_bytes = visitor_bytes
        self.total_bytes = total_bytes
        self.grace = grace
        self._measure = measure
        self._clock = clock
        self._shelf: OrderedDict[str, _Shelved[Kept]] = OrderedDict()  # least recently used first
        self._dropped = 0  # bytes, since memory was last given back
        self._lock = threading.Lock()

    def put(self, visitor: str, run: Kept) -> str:
        """Keep a visitor's run and return its id, 128 bits that nobody can guess.

        Raises `RunError` when the run alone is over the budget of a visitor.
        """
        return self._shelve(run, visitor, min(self.visitor_bytes, self.total_bytes))

    def pin(self, run: Kept) -> str:
        """Keep a run that is nobody's own, for as long as the process lives."""
        return self._shelve(run, None, self.total_bytes)

    def get(self, run_id: object) -> Kept:
        """The run of this id, which counts as a use. Raises `RunError` for an id that is unknown, or known no more."""
        with self._lock:
            self._drop_expired()
            if not isinstance(run_id, str) or (shelved := self._shelf.get(run_id)) is None:
                raise RunError(GONE)
            shelved.last_use = self._clock()
            self._shelf.move_to_end(run_id)
            shelved.num_bytes = self._measure(shelved.run)  # more than it was, if layers were replayed for it
            self._make_room(shelved.visitor, keep=shelved)
            return shelved.run

    def has(self, run_id: str) -> bool:
        """Whether this run is still kept; asking is no use of it."""
        with self._lock:
            return run_id in self._shelf

    @property
    def num_bytes(self) -> int:
        """Bytes of all runs kept now."""
        with self._lock:
            return self._sum(lambda shelved: True)

    def _shelve(self, run: Kept, visitor: str | None, limit: int) -> str:
        num_bytes = self._measure(run)
        if num_bytes > limit:
            raise RunError(
                Sentence.of(
                    "This run would keep {size} and there is room for {room}: "
                    "lower max_pixels or ask about fewer pictures.",
                    size=_mebibytes(num_bytes),
                    room=_mebibytes(limit),
                )
            )
        run_id = secrets.token_urlsafe(16)
        with self._lock:
            self._drop_expired()
            self._make_room(visitor, num_bytes)
            self._shelf[run_id] = _Shelved(run, visitor, num_bytes, self._clock())
            much = self._dropped >= MUCH
            self._dropped = 0 if much else self._dropped
        if much:
            give_back()
        return run_id

    def _drop_expired(self) -> None:
        oldest = self._clock() - self.grace
        for run_id in [key for key, run in self._shelf.items() if run.visitor is not None and run.last_use < oldest]:
            self._dropped += self._shelf.pop(run_id).num_bytes

    def _make_room(self, visitor: str | None, num_bytes: int = 0, keep: _Shelved[Kept] | None = None) -> None:
        """Drop runs, never `keep`, until `num_bytes` more fit the budget of the visitor and the one of all."""
        if visitor is not None:
            self._drop_until(self.visitor_bytes - num_bytes, lambda shelved: shelved.visitor == visitor, keep)
        self._drop_until(self.total_bytes - num_bytes, lambda shelved: True, keep)

    def _drop_until(self, room: int, counts: Callable[[_Shelved[Kept]], bool], keep: _Shelved[Kept] | None) -> None:
        kept = self._sum(counts)
        for run_id, shelved in list(self._shelf.items()):
            if kept <= room:
                return
            if counts(shelved) and shelved.visitor is not None and shelved is not keep:
                del self._shelf[run_id]
                kept -= shelved.num_bytes
                self._dropped += shelved.num_bytes

    def _sum(self, counts: Callable[[_Shelved[Kept]], bool]) -> int:
        return sum(shelved.num_bytes for shelved in self._shelf.values() if counts(shelved))


def _mebibytes(num_bytes: int) -> str:
    return f"{num_bytes / (1 << 20):,.0f} MiB"
