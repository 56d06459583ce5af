"""Keeps loaded models in memory, shared by all visitors and evicted least recently used first.

Knows that a model has a name and a weight in bytes, and how to load one; nothing of questions, visitors or pages.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from app.asking.failures import TooLarge
from app.asking.words import in_bytes
from qwenvl.errors import Sentence
from qwenvl.inference.pipeline import Pipeline

Key = Hashable
Tell = Callable[[str, int, int], object]  # "waiting", "downloading" or "loading"; bytes here, bytes in all

# What a finished run asks of its pipeline without needing the weights.
SMALL = ("name", "config", "family", "parameters", "processor", "sampling", "trained", "figures", "max_trace_bytes")


@dataclass
class _Held:
    """A model in memory, or on its way there while `pipeline` is None."""

    num_bytes: int
    pipeline: Pipeline | None = None
    users: int = 0


class Pool:
    """Pipelines by key, within a limit of bytes. All methods are thread-safe.

    Args:
        load: from a key, and a function to call with (bytes here, bytes in all) of a download, to a pipeline.
        weigh: bytes that a key's weights will take.
        max_bytes: of all weights together; None for no limit.
    """

    def __init__(
        self,
        load: Callable[[Any, Callable[[int, int], object]], Pipeline],
        weigh: Callable[[Any], int] = lambda key: 0,
        max_bytes: int | None = None,
    ) -> None:
        self.max_bytes = max_bytes
        self._load, self._weigh = load, weigh
        self._held: OrderedDict[Key, _Held] = OrderedDict()  # least recently used first
        self._changed = threading.Condition()
        self._listeners: dict[Key, list[Tell]] = {}

    def is_loaded(self, key: Key) -> bool:
        """Whether this model is in memory."""
        with self._changed:
            return key in self._held and self._held[key].pipeline is not None

    @property
    def num_bytes(self) -> int:
        """Bytes of all weights held, those being loaded included."""
        with self._changed:
            return self._sum()

    @contextmanager
    def use(self, key: Key, tell: Tell | None = None) -> Iterator[Pipeline]:
        """The pipeline of a key for as long as the block runs: it is not let go of before the block ends.

        Args:
            tell: called while the model is waited for; see `Tell`.

        Raises:
            TooLarge: it would take more than there is, even alone.
            CheckpointError: it cannot be loaded.
        """
        held = self._acquire(key, tell)
        try:
            assert held.pipeline is not None  # acquired: it is in memory
            yield held.pipeline
        finally:
            with self._changed:
                held.users -= 1
                self._changed.notify_all()

    def lend(self, key: Key, pipeline: Pipeline) -> Lent:
        """What a finished run keeps in place of its pipeline, so that the weights can be let go of."""
        return Lent(self, key, {name: getattr(pipeline, name, None) for name in SMALL})

    def _acquire(self, key: Key, tell: Tell | None) -> _Held:
        with self._listening(key, tell):
            with self._changed:
                while (held := self._held.get(key)) is not None and held.pipeline is None:
                    self._changed.wait()  # another thread loads it
                if held is None:
                    held = self._held[key] = _Held(0)
                self._held.move_to_end(key)
                held.users += 1
                if held.pipeline is not None:
                    return held
            self._fill(key, held)
            return held

    def _fill(self, key: Key, held: _Held) -> None:
        """Load what this thread was first to want."""
        try:
            num_bytes = self._weigh(key)
            self._make_room(key, held, num_bytes)
            self._say(key, "loading", 0, num_bytes)
            pipeline = self._load(key, lambda here, whole: self._say(key, "downloading", here, whole))
        except BaseException:
            with self._changed:
                del self._held[key]
                self._changed.notify_all()
            raise
        with self._changed:
            held.pipeline = pipeline
            self._changed.notify_all()

    def _make_room(self, key: Key, held: _Held, num_bytes: int) -> None:
        """Let go of models that nobody uses, the least recently used first; then wait for those in use."""
        if self.max_bytes is None:
            held.num_bytes = num_bytes
            return
        if num_bytes > self.max_bytes:
            raise TooLarge(
                Sentence.of(
                    "Its weights take {bytes} and there is room for {room}: choose a smaller model.",
                    bytes=in_bytes(num_bytes),
                    room=in_bytes(self.max_bytes),
                )
            )
        with self._changed:
            while not self._let_go(num_bytes):
                self._say(key, "waiting", 0, num_bytes)
                self._changed.wait()
            held.num_bytes = num_bytes

    def _let_go(self, num_bytes: int) -> bool:
        """Whether there is room for as much, once what can go has gone."""
        assert self.max_bytes is not None
        for other, held in list(self._held.items()):
            if self._sum() + num_bytes <= self.max_bytes:
                break
            if held.pipeline is not None and not held.users:
                del self._held[other]
        return self._sum() + num_bytes <= self.max_bytes

    def _sum(self) -> int:
        return sum(held.num_bytes for held in self._held.values())

    # --- telling ---

    @contextmanager
    def _listening(self, key: Key, tell: Tell | None) -> Iterator[None]:
        with self._changed:
            listeners = self._listeners.setdefault(key, [])
            listeners += [tell] if tell else []
        try:
            yield
        finally:
            with self._changed:
                if tell:
                    listeners.remove(tell)
                if not listeners:
                    self._listeners.pop(key, None)

    def _say(self, key: Key, what: str, here: int, whole: int) -> None:
        for tell in list(self._listeners.get(key, [])):
            tell(what, here, whole)


class Lent:
    """Stands for a pipeline whose weights may have been let go of: what needs them brings them back for that long."""

    def __init__(self, pool: Pool, key: Key, small: dict[str, Any]) -> None:
        self.__dict__.update(_pool=pool, _key=key, **small)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        with self._pool.use(self._key) as pipeline:
            value = getattr(pipeline, name)
        if not callable(value) or not hasattr(value, "__func__"):
            return value

        def borrowed(*args: Any, **keywords: Any) -> Any:
            with self._pool.use(self._key) as pipeline:
                return getattr(pipeline, name)(*args, **keywords)

        return borrowed
