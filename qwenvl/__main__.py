"""Runs the command line (`qwenvl`, or `python -m qwenvl`): plan, ask, trace, look, show, compare, serve."""

from __future__ import annotations

import os
import sys
import threading

from qwenvl.cli.main import main
from qwenvl.cli.signals import deaf


def leave(code: int) -> None:
    """End at once where a model still works on a thread of its own: waiting takes long, and tearing it down aborts."""
    deaf()
    if threading.active_count() == 1:
        sys.exit(code)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def command() -> None:
    """The console command `qwenvl`."""
    leave(main())


if __name__ == "__main__":
    command()
