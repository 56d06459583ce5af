"""Calls the app from the command line by name, since the library does not import it.

The library imports neither `app` nor `viz`, so that it stands without them; `show`, `serve` and reports as pictures or
HTML are theirs. Here, and nowhere else, they are looked up by name when they are asked for, as a shell would.
"""

from __future__ import annotations

import importlib
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qwenvl.errors import UserError
from qwenvl.inference.run import Run

SUFFIXES = (".svg", ".pdf", ".html")
LAST_PORT = 65_535


class FaceError(UserError):
    """The page's packages are not installed, or a file of a kind that they do not write."""


def draw(runs: Sequence[Run], suffix: str, *, view: str, choice: dict[str, Any]) -> bytes:
    """A view of saved runs as the bytes of an SVG, PDF or HTML file. Raises `UserError` for what cannot be drawn."""
    if suffix not in SUFFIXES:
        raise FaceError(f"A view is written as {', '.join(SUFFIXES)}, not {suffix or 'a file without a suffix'}.")
    return _app("app.exports.saved_runs").drawn(runs, kind=suffix[1:], view=view, choice=choice)


def serve(paths: Sequence[Path], *, port: int | None) -> int:
    """Serve the page on saved runs until it is interrupted; returns its exit code where the system cannot take over."""
    check_port(os.environ.get("GRADIO_SERVER_PORT") if port is None else port)  # first: Gradio reads it on import
    _app("app.exports.saved_runs")
    environment = {**os.environ, **({} if port is None else {"GRADIO_SERVER_PORT": str(port)})}
    command = [sys.executable, "-m", "app", "--runs", *map(str, paths)]
    if os.name == "posix":  # this process becomes the page, so that a signal finds it
        sys.stdout.flush()
        os.execve(sys.executable, command, environment)
    return subprocess.run(command, env=environment, check=False).returncode


def check_port(port: str | int | None) -> None:
    """Refuse a port that is none, or that somebody else listens on; None is any free one.

    Raises:
        FaceError: it says which.
    """
    if port is None:
        return
    number = int(port) if str(port).isdecimal() and len(str(port)) < 6 else 0
    if not 1 <= number <= LAST_PORT:
        raise FaceError(f"{str(port)[:40]} is no port; choose a number from 1 to {LAST_PORT}, or leave it out.")
    host = os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1")
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(place)
    except OSError as error:
        why = "is for the system alone" if isinstance(error, PermissionError) else "is taken"
        raise FaceError(f"Port {number} of {host} {why}; choose another, or leave it out for a free one.") from None


def _app(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise FaceError(f"This needs the page, which is not installed here ({error.name}): pip install .") from None
