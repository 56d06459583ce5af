"""Implements `tokens`: the tokens of saved runs with their indices, as `look` takes them."""

from __future__ import annotations

import argparse
from typing import Any

from qwenvl.cli.arguments import HELP
from qwenvl.cli.output import as_json, check_destination, write_text
from qwenvl.inference.run import Run

HEAD = ("index", "id", "kind", "section", "media", "cell", "position", "text")


def add(commands: Any) -> None:
    """Its arguments."""
    parser = commands.add_parser(
        "tokens",
        help=HELP["tokens"],
        description="Every token of a run file: its index, which `look --query` takes, id, kind, part of the prompt, "
        "media with the cell (t, row, column) on its token grid, position (t, h, w), and text.",
    )
    parser.add_argument("run", help="a run file that `trace` wrote")
    parser.add_argument("--no-visual", action="store_true", help="leave out the visual tokens")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument("--into", metavar="FILE", help="write to this file instead")
    parser.set_defaults(act=act)


def act(asked: argparse.Namespace) -> None:
    """List them."""
    check_destination(asked.into)
    rows = token_rows(Run.load(asked.run))
    rows = [row for row in rows if row["media"] is None or not asked.no_visual]
    write_text(as_json(rows) if asked.json else _in_columns(rows), asked.into)


def token_rows(run: Run) -> list[dict[str, Any]]:
    """Every token of a run as plain values, by the names of `HEAD`."""
    return [
        {"index": index, **{name: getattr(token, name) for name in HEAD[1:]}} for index, token in enumerate(run.tokens)
    ]


def _in_columns(rows: list[dict[str, Any]]) -> str:
    cells = [HEAD, *(tuple(_cell(row[name], name) for name in HEAD) for row in rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(HEAD))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
    )


def _cell(value: Any, name: str) -> str:
    if name == "text":
        return repr(value)
    if value is None:
        return "-"
    return ",".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)
