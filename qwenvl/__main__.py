"""`python -m qwenvl`: plan, ask, trace, look, show, compare, serve."""

from __future__ import annotations

import sys

from qwenvl.command import main

if __name__ == "__main__":
    sys.exit(main())
