"""The app: Qwen-VL and Qwen2-VL side by side in a browser. Its folders are rings; README shows their order."""

import os
import signal
import sys
from typing import Any


def _leave(number: int, _: Any) -> None:
    """End without a traceback, whatever library is being read in."""
    terminated = number == signal.SIGTERM
    os.write(
        2, b"\nEnded by a signal. The page is closed.\n" if terminated else b"\nInterrupted. The page is closed.\n"
    )
    os._exit(143 if terminated else 130)


# `python -m app` is being read in: until `__main__` listens, a signal ends it here.
if sys.argv[:1] == ["-m"] and ("-m", "app") in zip(sys.orig_argv, sys.orig_argv[1:], strict=False):
    signal.signal(signal.SIGINT, _leave)
    signal.signal(signal.SIGTERM, _leave)
