"""Runs the command line (`qwenvl`, or `python -m qwenvl`): plan, ask, trace, look, show, compare, serve."""

from __future__ import annotations

from qwenvl.cli.main import main
from qwenvl.cli.signals import leave


def command() -> None:
    """The console command `qwenvl`."""
    leave(main())


if __name__ == "__main__":
    command()
