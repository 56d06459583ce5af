"""Calls the app from the command line by name, since the library does not import it.

The library imports neither `app` nor `viz`, so that it stands without them; `show`, `serve` and reports as pictures or
HTML are theirs. Here, and nowhere else, they are looked up by name when they are asked for, as a shell would.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qwenvl.errors import UserError
from qwenvl.inference.run import Run

SUFFIXES = (".svg", ".pdf", ".html")


class FaceError(UserError):
    """The page's packages are not installed, or a file of a kind that they do not write."""


def draw(runs: Sequence[Run], suffix: str, *, view: str, choice: dict[str, Any]) -> bytes:
    """A view of saved runs as the bytes of an SVG, PDF or HTML file. Raises `UserError` for what cannot be drawn."""
    if suffix not in SUFFIXES:
        raise FaceError(f"A view is written as {', '.join(SUFFIXES)}, not {suffix or 'a file without a suffix'}.")
    return _app("app.exports.saved_runs").drawn(runs, kind=suffix[1:], view=view, choice=choice)


def serve(paths: Sequence[Path], *, port: int | None) -> int:
    """Serve the page on saved runs until it is interrupted; returns its exit code where the system cannot take over."""
    _app("app.exports.saved_runs")
    environment = {**os.environ, **({} if port is None else {"GRADIO_SERVER_PORT": str(port)})}
    command = [sys.executable, "-m", "app", "--runs", *map(str, paths)]
    if os.name == "posix":  # this process becomes the page, so that a signal finds it
        sys.stdout.flush()
        os.execve(sys.executable, command, environment)
    return subprocess.run(command, env=environment, check=False).returncode


def _app(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise FaceError(f"This needs the page, which is not installed here ({error.name}): pip install .") from None
