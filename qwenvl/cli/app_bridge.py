"""Calls the app from the command line by name, since the library does not import it.

The library imports neither `app` nor `viz`, so that it stands without them; `show`, `serve` and reports as pictures or
HTML are theirs. Here, and nowhere else, they are looked up by name when they are asked for, as a shell would.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import site
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qwenvl.errors import UserError

if TYPE_CHECKING:  # it brings torch in, and a port is refused before that
    from qwenvl.inference.run import Run

SUFFIXES = (".svg", ".pdf", ".html")
LAST_PORT = 65_535
ROOT = Path(__file__).resolve().parents[2]


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
    return open_page(["--runs", *map(str, paths)], **({} if port is None else {"GRADIO_SERVER_PORT": str(port)}))


def open_page(arguments: Sequence[str], **environment: str) -> int:
    """Become `python -m app`, the one that belongs to this library: an `app.py` of the working folder is not run."""
    check_port(environment.get("GRADIO_SERVER_PORT", asked_port(arguments)))
    _package("app")
    if not _is_installed():
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    command, environment = [sys.executable, "-P", "-m", "app", *arguments], {**os.environ, **environment}
    if os.name == "posix":  # this process becomes the page, so that a signal finds it
        sys.stdout.flush()
        os.execve(sys.executable, command, environment)
    return subprocess.run(command, env=environment, check=False).returncode


def asked_port(arguments: Sequence[str]) -> str | None:
    """The port that the page is asked to serve at: `--port`, otherwise GRADIO_SERVER_PORT; None is any free one."""
    parser = argparse.ArgumentParser(prog="qwenvl app", add_help=False, allow_abbrev=False)
    parser.add_argument("--port")
    port: str | None = parser.parse_known_args(arguments)[0].port
    return os.environ.get("GRADIO_SERVER_PORT") if port is None else port


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


def _is_installed() -> bool:
    return str(ROOT) in {*site.getsitepackages(), site.getusersitepackages()}


def _package(name: str) -> None:
    """Read in the package that lies beside this library, whatever of its name lies in the working folder."""
    place = ROOT / name / "__init__.py"
    known = sys.modules.get(name)
    if known is not None and known.__file__ is not None and Path(known.__file__) == place:
        return
    spec = importlib.util.spec_from_file_location(name, place, submodule_search_locations=[str(place.parent)])
    if spec is None or spec.loader is None or not place.exists():
        raise FaceError("The page is not installed here; install it with: pip install 'inside-qwen-vl[app]'")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


def _app(name: str) -> Any:
    for package in ("viz", "app"):
        _package(package)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise FaceError(
            f"This needs the page, which is not installed here ({error.name} is missing); install it with: "
            "pip install 'inside-qwen-vl[app]'"
        ) from None
