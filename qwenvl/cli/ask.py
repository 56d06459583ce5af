"""Implements `ask` and `trace`: a question to one model, for its answer or for the run."""

from __future__ import annotations

import argparse
import sys
from typing import Any, get_args

from qwenvl.cli.arguments import HELP
from qwenvl.cli.cost_check import look_ahead
from qwenvl.cli.finished_run import DEFAULT_MODEL, add_question, answer, look_inside, messages_of
from qwenvl.cli.output import Progress, as_json, check_destination, whole_file
from qwenvl.inference.report import run_report
from qwenvl.plan.units import read_bytes
from qwenvl.recorded.kept_layers import Keep, Named

WHICH = f"checkpoint, folder or hub id ({DEFAULT_MODEL})"


def add(commands: Any) -> None:
    """Their arguments."""
    ask = commands.add_parser("ask", help=HELP["ask"], description="Ask one model, and print its answer.")
    add_question(ask)
    ask.add_argument("--of", default=DEFAULT_MODEL, metavar="MODEL", help=WHICH)
    ask.add_argument("--json", action="store_true", help="answer and figures as JSON, when it is finished")
    ask.set_defaults(act=ask_one)
    trace = commands.add_parser(
        "trace",
        help=HELP["trace"],
        description="Ask one model, and write the run with its queries and keys: `look`, `show` and `serve` read it.",
    )
    add_question(trace)
    trace.add_argument("--of", default=DEFAULT_MODEL, metavar="MODEL", help=WHICH)
    trace.add_argument("--into", required=True, metavar="FILE", help="the run file to write")
    trace.add_argument(
        "--keep",
        type=kept,
        default=("all", None),
        metavar="WHAT",
        help="which queries and keys: all, language, fewer (every fourth layer), nothing, or as many as fit a size "
        "such as 8GiB (all that fit 1GiB)",
    )
    trace.add_argument("--json", action="store_true", help="answer, words and figures as JSON")
    trace.set_defaults(act=trace_one)


def kept(text: str) -> tuple[Keep, int | None]:
    """What a run keeps and of how many bytes at most, from a word or a size."""
    for name in get_args(Named):
        if text == name:
            return name, None
    try:
        return "all", read_bytes(text)
    except ValueError:
        words = ", ".join(get_args(Named))
        raise argparse.ArgumentTypeError(f"{text!r} is none of {words}, and no size such as 8GiB") from None


def ask_one(asked: argparse.Namespace) -> None:
    """The answer as it is made, or its report."""

    def told(piece: str) -> None:
        if not asked.json:
            sys.stdout.write(piece)
            sys.stdout.flush()

    progress = Progress(asked.quiet)
    look_ahead(asked, [asked.of], messages_of(asked), progress)
    stream = answer(asked, asked.of, progress, told, keep="nothing")
    print(as_json(run_report(look_inside(stream, progress))) if asked.json else "")


def trace_one(asked: argparse.Namespace) -> None:
    """The run in a file; the answer, or its report, on standard output."""
    progress, (keep, most) = Progress(asked.quiet), asked.keep
    check_destination(asked.into)
    look_ahead(asked, [asked.of], messages_of(asked), progress)
    run = look_inside(answer(asked, asked.of, progress, keep=keep, most=most), progress)
    with whole_file(asked.into) as path:
        run.save(path)
    print(as_json(run_report(run, words=True)) if asked.json else run.answer)
