"""Reads the command line, runs one subcommand, and turns what goes wrong into one sentence and an exit code."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import NoReturn

from qwenvl.cli.arguments import HELP, QUOTE
from qwenvl.cli.signals import until_ended
from qwenvl.errors import UserError
from qwenvl.version import __version__

MODULES = {"plan": "plan_command", "trace": "ask", "serve": "show"}  # of the subcommands not named like theirs
DONE, REFUSED = 0, 3
EPILOG = """\
    app                                          the page in the browser
    plan page.png --of Qwen2-VL-7B               what it would cost, without weights
    ask "What is this?" --about cat.png          an answer
    trace "What is this?" --about cat.png --into cat.run
    tokens cat.run                               its tokens, with their indices
    look cat.run --site language --layer 2 --query 17
    show cat.run --into cat.svg                  a view for print, or the page as one HTML file
    compare "What is this?" --about cat.png --into both.html
    serve cat.run                                the page on saved runs

What was asked for goes to standard output, how it goes to standard error. Files appear whole or not at all.

Exit codes: 0 done; 1 a defect of this program; 2 a wrong argument; 3 what was asked cannot be done, and one sentence
says why; 130 interrupted; 143 ended by SIGTERM.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a name or an answer that the terminal has no letters for is spelled out
            stream.reconfigure(errors="backslashreplace")
    return until_ended(lambda: _run(arguments), "; no file was written.")


def _run(arguments: Sequence[str] | None) -> int:
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["app"]:  # it reads its own arguments
        return _page(given[1:])
    parser = build_parser([word for word in given if word in HELP][:1])
    asked, more = parser.parse_known_args(given)
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


def _page(arguments: Sequence[str]) -> int:
    from qwenvl.cli.app_bridge import open_page

    try:
        return open_page(arguments)
    except UserError as error:
        print(f"qwenvl app: {error}", file=sys.stderr)
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


def build_parser(wanted: Iterable[str] = tuple(HELP)) -> Parser:
    """All subcommands, and the arguments of those that are wanted: each brings in what it works with, such as torch."""
    parser = Parser(
        prog="qwenvl",
        description="Plan, ask, look inside and compare: Qwen-VL and Qwen2-VL on pictures and clips.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    modules = {MODULES.get(name, name): name for name in reversed(HELP) if name in set(wanted)}
    for name, line in HELP.items():
        if name == "app" or MODULES.get(name, name) not in modules:
            commands.add_parser(name, help=line)
        elif modules[MODULES.get(name, name)] == name:
            import_module(f"qwenvl.cli.{MODULES.get(name, name)}").add(commands)
    parser.chosen = dict(commands.choices)
    for chosen in parser.chosen.values():
        chosen.add_argument("--quiet", action="store_true", help="say nothing on standard error but errors")
    return parser
