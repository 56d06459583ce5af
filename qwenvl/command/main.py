"""Reads the command line, runs one subcommand, and turns what goes wrong into one sentence and an exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from qwenvl import command
from qwenvl.command import compare, look, planning, question, saved
from qwenvl.errors import UserError

DONE, DEFECT, USAGE, REFUSED, INTERRUPTED = 0, 1, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    asked = build_parser().parse_args(arguments)
    try:
        code = asked.act(asked)
        sys.stdout.flush()
        return code or DONE
    except UserError as error:
        print(f"qwenvl {asked.command}: {error}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        print("\nInterrupted; nothing was written.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # whoever read us has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


def build_parser() -> argparse.ArgumentParser:
    """All subcommands."""
    rest = (command.__doc__ or "").partition("\n\n")[2]
    parser = argparse.ArgumentParser(
        prog="python -m qwenvl",
        description="Plan, ask, look inside and compare: Qwen-VL and Qwen2-VL on pictures and clips.",
        epilog=rest,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for part in (planning, question, look, saved, compare):
        part.add(commands)
    for chosen in commands.choices.values():
        chosen.add_argument("--quiet", action="store_true", help="say nothing on standard error but errors")
    return parser
