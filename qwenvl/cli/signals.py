"""What ends a command from outside: Ctrl-C and SIGTERM, so that it cleans up after itself and says one line."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

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
            is_start = getattr(handler, "__name__", "") == "_leave"  # that of `python -m` while it is read in
            normal = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, normal if is_start or handler is None else handler)


def until_ended(act: Callable[[], int], told: str) -> int:
    """The exit code of an act, or of the signal that ended it, which is told in one line with these words after it."""
    with listening() as listener:
        try:
            return act()
        except BaseException as error:
            if listener.code is None and not isinstance(error, KeyboardInterrupt):
                raise
            code = INTERRUPTED if listener.code is None else listener.code
            words = "Interrupted" if code == INTERRUPTED else "Ended by a signal"
            print(f"\n{words}{told}", file=sys.stderr)
            return code


def leave(code: int) -> NoReturn:
    """End at once where a model still works on a thread of its own: waiting takes long, and tearing it down aborts."""
    deaf()
    if threading.active_count() == 1:
        sys.exit(code)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def deaf() -> None:
    """Hear no more of Ctrl-C: the process is leaving."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
