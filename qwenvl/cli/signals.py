"""What ends a command from outside: Ctrl-C and SIGTERM, so that it cleans up after itself and says one line."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

INTERRUPTED, TERMINATED = 130, 143


class Ended(BaseException):
    """Raised in the main thread by the first signal; `code` is what the process exits with."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Listener:
    """What was heard so far: a library that is interrupted at the wrong moment may raise something else for it."""

    def __init__(self) -> None:
        self.code: int | None = None
        self._times = 0

    def hear(self, number: int, _: Any) -> None:
        """The first signal unwinds the command; while it cleans up a second one is let pass, and a third ends it."""
        self._times += 1
        self.code = TERMINATED if number == signal.SIGTERM else INTERRUPTED
        if self._times == 1:
            raise Ended(self.code)
        if self._times > 2:
            os._exit(self.code)


@contextmanager
def listening() -> Iterator[Listener]:
    """Listen to both signals within the block; nothing changes outside of the main thread, which alone hears them."""
    listener = Listener()
    if threading.current_thread() is not threading.main_thread():
        yield listener
        return
    before = {number: signal.signal(number, listener.hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield listener
    finally:
        for number, handler in before.items():
            is_start = getattr(handler, "__module__", "") == "qwenvl"  # that of `python -m qwenvl` being read in
            signal.signal(number, signal.default_int_handler if is_start or handler is None else handler)


def deaf() -> None:
    """Hear no more of Ctrl-C: the process is leaving."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
