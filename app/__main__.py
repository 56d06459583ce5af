"""Starts the page (`python -m app`): Ctrl-C or SIGTERM ends it with one line, at any moment."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from app.serving.own_folder import own_folder
from qwenvl.cli.app_bridge import asked_port, check_port
from qwenvl.cli.signals import leave, until_ended
from qwenvl.errors import UserError

REFUSED = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until it is ended; returns the exit code."""
    port = asked_port(sys.argv[1:] if arguments is None else arguments)
    try:
        check_port(port)
    except UserError as error:
        print(f"qwenvl app: {error}", file=sys.stderr)
        return REFUSED
    if port is not None:
        os.environ["GRADIO_SERVER_PORT"] = port  # Gradio reads it on import
    return until_ended(lambda: _serve(arguments), ". The page is closed.")


def _serve(arguments: Sequence[str] | None) -> int:
    with own_folder():
        from app.page import command  # Gradio and torch, which take seconds to be read in

        command.main(arguments)
    return 0


if __name__ == "__main__":
    leave(main())
