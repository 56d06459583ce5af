"""Defines what every subcommand's arguments share, and a line on each subcommand. Imports nothing that is slow."""

from __future__ import annotations

import argparse

HELP = {
    "app": "the page, on the shipped models or on those you name",
    "plan": "what files would cost each model, without weights",
    "ask": "ask one model about pictures and clips",
    "trace": "ask, and write the run for a look inside",
    "tokens": "the tokens of a saved run, with the indices that look takes",
    "rows": "every row of chosen layers of a saved run, as arrays",
    "look": "one exact row of attention of a saved run",
    "show": "a view of saved runs as SVG, PDF or HTML",
    "serve": "the page on saved runs",
    "compare": "one question to two models, one report",
}
"""The subcommands, in the order of the help, and a line on each."""

QUOTE = 'Put the question in quotation marks before --about, as in: ask "What is this?" --about cat.png'


def whole(text: str) -> int:
    """A whole number, also as the page writes it: 1,003,520."""
    try:
        return int(text.replace(",", ""))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None
