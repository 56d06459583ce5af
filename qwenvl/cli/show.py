"""Implements `show` and `serve`: saved runs as figures, as one HTML page, or as the app."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from qwenvl.cli import app_bridge
from qwenvl.cli.arguments import HELP, whole
from qwenvl.cli.output import Progress, whole_file
from qwenvl.inference.run import Run


def add(commands: Any) -> None:
    """Their arguments."""
    show = commands.add_parser(
        "show",
        help=HELP["show"],
        description="Draw a view of one run, or of two side by side, for print (SVG, PDF), or write the page as one "
        "HTML file that answers for itself.",
    )
    show.add_argument("runs", nargs="+", metavar="RUN", help="one or two run files that `trace` wrote")
    show.add_argument("--as", dest="view", default="answer", metavar="VIEW", help="pipeline, patches, ... (answer)")
    show.add_argument("--word", type=int, metavar="N", help="which word of the answer, from 0; the most telling one")
    show.add_argument("--layer", type=int, metavar="N", help="of the language model; the most telling one")
    show.add_argument("--head", metavar="N", help="of the language model, or mean; the most telling one")
    show.add_argument("--media", type=int, default=0, metavar="N", help="which picture or clip, from 0")
    show.add_argument("--into", required=True, metavar="FILE", help="its suffix says what: .svg, .pdf, .html")
    show.set_defaults(act=show_runs)
    serve = commands.add_parser(
        "serve", help=HELP["serve"], description="Open the page on one saved run, or on two side by side."
    )
    serve.add_argument("runs", nargs="+", metavar="RUN", help="one or two run files that `trace` wrote")
    serve.add_argument("--port", type=whole, metavar="N", help="where to serve; a free one from 7860 if left out")
    serve.set_defaults(act=serve_runs)


def choice_of(asked: argparse.Namespace) -> dict[str, Any]:
    """What of a run is shown; what is not said is the most telling."""
    head = int(asked.head) if (asked.head or "").isdigit() else asked.head
    return {"word": asked.word, "layer": asked.layer, "head": head, "media": asked.media}


def show_runs(asked: argparse.Namespace) -> None:
    """One file."""
    Progress(asked.quiet).say(f"drawing {asked.view}")
    runs = [Run.load(path) for path in asked.runs]
    content = app_bridge.draw(runs, Path(asked.into).suffix.lower(), view=asked.view, choice=choice_of(asked))
    with whole_file(asked.into) as path:
        path.write_bytes(content)


def serve_runs(asked: argparse.Namespace) -> int:
    """Until it is interrupted; a file that is no run is told of before the page starts."""
    for path in asked.runs:
        Run.load(path)
    return app_bridge.serve([Path(path).absolute() for path in asked.runs], port=asked.port)
