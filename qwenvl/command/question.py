"""`ask` and `trace`: a question to one model, for its answer or for the run."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from qwenvl.command.asking import DEFAULT_MODEL, add_question, answer
from qwenvl.command.output import Progress, as_json, whole_file
from qwenvl.report import run_report

WHICH = f"checkpoint, folder or hub id ({DEFAULT_MODEL})"


def add(commands: Any) -> None:
    """Their arguments."""
    ask = commands.add_parser(
        "ask", help="ask one model about pictures and clips", description="Ask one model, and print its answer."
    )
    add_question(ask)
    ask.add_argument(
        "--of", default=DEFAULT_MODEL, metavar="MODEL", help=f"checkpoint, folder or hub id ({DEFAULT_MODEL})"
    )
    ask.add_argument("--json", action="store_true", help="answer and figures as JSON, when it is finished")
    ask.set_defaults(act=ask_one)
    trace = commands.add_parser(
        "trace",
        help="ask, and write the run for a look inside",
        description="Ask one model, and write the run with its queries and keys: `look`, `show` and `serve` read it.",
    )
    add_question(trace)
    trace.add_argument(
        "--of", default=DEFAULT_MODEL, metavar="MODEL", help=f"checkpoint, folder or hub id ({DEFAULT_MODEL})"
    )
    trace.add_argument("--into", required=True, metavar="FILE", help="the run file to write")
    trace.add_argument("--json", action="store_true", help="answer, words and figures as JSON")
    trace.set_defaults(act=trace_one)


def ask_one(asked: argparse.Namespace) -> None:
    """The answer as it is made, or its report."""

    def told(piece: str) -> None:
        if not asked.json:
            sys.stdout.write(piece)
            sys.stdout.flush()

    run = answer(asked, asked.of, Progress(asked.quiet), told)
    print(as_json(run_report(run)) if asked.json else "")


def trace_one(asked: argparse.Namespace) -> None:
    """The run in a file; the answer, or its report, on standard output."""
    run = answer(asked, asked.of, Progress(asked.quiet))
    with whole_file(asked.into) as path:
        run.save(path)
    print(as_json(run_report(run, words=True)) if asked.json else run.answer)
