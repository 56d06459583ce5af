"""Reads the command line, runs one subcommand, and turns what goes wrong into one sentence and an exit code."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from qwenvl import cli as command
from qwenvl.cli import ask as question
from qwenvl.cli import compare, look
from qwenvl.cli import plan_command as planning
from qwenvl.cli import show as saved
from qwenvl.cli.finished_run import QUOTE
from qwenvl.cli.signals import INTERRUPTED, listening
from qwenvl.errors import UserError

DONE, DEFECT, USAGE, REFUSED = 0, 1, 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a name or an answer that the terminal has no letters for is spelled out
            stream.reconfigure(errors="backslashreplace")
    with listening() as listener:
        try:
            return _run(arguments)
        except BaseException as error:
            if listener.code is None and not isinstance(error, KeyboardInterrupt):
                raise
            code = INTERRUPTED if listener.code is None else listener.code
            words = "Interrupted" if code == INTERRUPTED else "Ended by a signal"
            print(f"\n{words}; no file was written.", file=sys.stderr)
            return code


def _run(arguments: Sequence[str] | None) -> int:
    parser = build_parser()
    asked, more = parser.parse_known_args(arguments)
    if more:
        parser.chosen[asked.command].error(f"unrecognized arguments: {' '.join(more)}")
    try:
        code = asked.act(asked)
        sys.stdout.flush()
        return code or DONE
    except UserError as error:
        print(f"qwenvl {asked.command}: {error}", file=sys.stderr)
        return REFUSED
    except BrokenPipeError:  # whoever read us has had enough
        _stop_writing()
        return DONE
    except OSError as error:  # a full disk behind standard output; files have a sentence of their own
        if error.errno != errno.ENOSPC:
            raise
        _stop_writing()
        print(f"qwenvl {asked.command}: The disk is full: free some room, and ask again.", file=sys.stderr)
        return REFUSED


def _stop_writing() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Parser(argparse.ArgumentParser):
    """One that says how a question is written where one is missing, or came as several words.

    Attributes:
        chosen: the parsers of the subcommands, by name.
    """

    chosen: dict[str, argparse.ArgumentParser]

    def error(self, message: str) -> NoReturn:
        """Say it and leave."""
        is_about_words = "required: question" in message or message.startswith("unrecognized arguments: ")
        has_question = any(action.dest == "question" for action in self._actions)
        super().error(f"{message}. {QUOTE}" if is_about_words and has_question else message)


def build_parser() -> Parser:
    """All subcommands."""
    rest = (command.__doc__ or "").partition("\n\n")[2]
    parser = Parser(
        prog="python -m qwenvl",
        description="Plan, ask, look inside and compare: Qwen-VL and Qwen2-VL on pictures and clips.",
        epilog=rest,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for part in (planning, question, look, saved, compare):
        part.add(commands)
    parser.chosen = dict(commands.choices)
    for chosen in parser.chosen.values():
        chosen.add_argument("--quiet", action="store_true", help="say nothing on standard error but errors")
    return parser
