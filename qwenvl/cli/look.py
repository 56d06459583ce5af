"""Implements `look`: one exact row of attention of a saved run."""

from __future__ import annotations

import argparse
from typing import Any

from qwenvl.cli.arguments import HELP
from qwenvl.cli.output import as_json
from qwenvl.inference.report import row_report
from qwenvl.inference.run import Run
from qwenvl.plan import percent

STRONGEST = 10


def add(commands: Any) -> None:
    """Its arguments."""
    parser = commands.add_parser(
        "look",
        help=HELP["look"],
        description="One row of attention of a run file: how much of it falls on a media, and its strongest keys.",
    )
    parser.add_argument("run", help="a run file that `trace` wrote")
    parser.add_argument("--site", default="language", choices=["vision", "adapter", "language"])
    parser.add_argument("--layer", type=int, metavar="N", help="from 0; the adapter has one")
    parser.add_argument("--query", type=int, required=True, metavar="N", help="a token, a patch, or an adapter query")
    parser.add_argument("--head", default="mean", help="a number from 0, or mean")
    parser.add_argument("--media", type=int, default=0, metavar="N", help="which picture or clip, from 0")
    parser.add_argument("--json", action="store_true", help="the whole row as JSON")
    parser.set_defaults(act=act)


def act(asked: argparse.Namespace) -> None:
    """Rebuild the row, and say it."""
    run = Run.load(asked.run)
    head = int(asked.head) if asked.head.isascii() and asked.head.isdigit() else asked.head
    told = row_report(run, asked.site, query=asked.query, layer=asked.layer, head=head, media=asked.media)
    print(as_json(told) if asked.json else _in_words(run, told))


def _in_words(run: Run, told: dict[str, Any]) -> str:
    layer = "" if told["layer"] is None else f" layer {told['layer']}"
    where = f"{told['site']}{layer} head {told['head']}, query {told['query']}"
    strongest = sorted(enumerate(told["row"]), key=lambda pair: -pair[1])[:STRONGEST]
    lines = [f"{where}: {percent(told['share'])} of the row on media {told['media']}, {told['keys']:,} keys"]
    names = [f" {token.text!r}" for token in run.tokens] if told["site"] == "language" else None
    lines += [f"  key {key:>6}  {percent(value):>8}{names[key] if names else ''}" for key, value in strongest]
    return "\n".join(lines)
