"""Reads the command line of the page, and serves it: the shipped checkpoints, or any two models that are named."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from app.asking.memory_back import keep_few_arenas
from app.models.catalogue import FINE, SHIPPED
from app.models.memory import budgets
from app.models.models import DTYPES
from app.page.page import launch
from app.serving.doors import doors
from app.serving.saved import pinned
from app.serving.session import Session
from qwenvl.errors import UserError
from qwenvl.inference.run import Run
from qwenvl.plan.units import read_bytes
from qwenvl.processing.files.limits import SERVER, set_limits


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and serve until interrupted."""
    parser = build_parser()
    asked = parser.parse_args(arguments)
    models = asked.named or asked.models or list(SHIPPED)
    if len(models) < 2:
        parser.error("name two models, A and B, or none for the shipped ones")
    set_limits(SERVER)
    keep_few_arenas()
    session = Session(
        models[:2],
        others=(*models[2:], *SHIPPED, *FINE),
        dtype=asked.dtype,
        hub=asked.hub,
        budgets=budgets(asked.memory),
    )
    try:
        session.model_cards()  # a wrong name, a gated or a quantised model is known before the page opens
    except UserError as error:
        parser.error(str(error))
    with tempfile.TemporaryDirectory() as pictures:
        try:
            session.opening = pinned(session, list(map(Run.load, asked.runs)), Path(pictures)) if asked.runs else {}
        except UserError as error:
            parser.error(str(error))
        admitted = doors(asked.host, asked.framed_by)
        launch(session, prepare=not asked.runs, admitted=admitted, inbrowser=has_screen(), mcp_server=asked.mcp)


def build_parser() -> argparse.ArgumentParser:
    """The options of the page."""
    parser = argparse.ArgumentParser(prog="qwenvl app", description="Look inside Qwen-VL and Qwen2-VL.")
    words = (
        "the models A and B, of either family: names of the shipped checkpoints, folders in the published layout, or "
        "hub ids; more than two are offered on the page"
    )
    parser.add_argument("models", nargs="*", help=words)
    parser.add_argument("--models", nargs="+", dest="named", metavar="MODEL", help="the same")
    parser.add_argument(
        "--runs", nargs="+", metavar="RUN", help="show these saved runs, one or two, in place of an example"
    )
    parser.add_argument(
        "--dtype", default="auto", choices=DTYPES, help="of the weights, until a visitor chooses; what suits the device"
    )
    parser.add_argument(
        "--memory",
        type=size,
        metavar="SIZE",
        help="how much all weights may take at once, such as 12GiB; 70 %% of what is free if left out",
    )
    parser.add_argument(
        "--host", nargs="+", default=[], metavar="NAME", help="further names under which the page may be asked"
    )
    parser.add_argument(
        "--framed-by", nargs="+", default=[], metavar="SITE", help="sites that may show the page in a frame"
    )
    parser.add_argument(  # checked and set by `app.__main__`, before Gradio is imported
        "--port", metavar="N", help="where to serve; a free one from 7860 if left out"
    )
    parser.add_argument("--mcp", action="store_true", help="offer the endpoints as tools of an MCP server too")
    parser.add_argument("--hub", action="store_true", help="let visitors name further hub ids on the page")
    return parser


def size(text: str) -> int:
    """Bytes, from "12GiB"."""
    try:
        return read_bytes(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def has_screen() -> bool:
    """Whether a browser can open here: a Mac, Windows or a Linux desktop; elsewhere the address is printed alone."""
    on_desktop = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return sys.platform in ("darwin", "win32") or bool(on_desktop)
