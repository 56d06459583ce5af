"""Implements `rows`: every row of chosen layers of a saved run, as arrays in one file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from qwenvl.analysis.whole_layers import whole_layer
from qwenvl.cli.arguments import HELP
from qwenvl.cli.output import OutputError, check_destination, whole_file
from qwenvl.inference.run import Run
from qwenvl.plan.units import read_bytes


def add(commands: Any) -> None:
    """Its arguments."""
    parser = commands.add_parser(
        "rows",
        help=HELP["rows"],
        description="Every row of attention of chosen layers of a run file, float32, in one .npz: an array per layer, "
        "(heads, queries, keys), or (queries, keys) for one head or the mean, by names such as language.2.",
    )
    parser.add_argument("run", help="a run file that `trace` wrote")
    parser.add_argument("--site", default="language", choices=["vision", "adapter", "language"])
    parser.add_argument("--layers", type=int, nargs="+", metavar="N", help="from 0; all if left out")
    parser.add_argument("--head", metavar="N", help="a number from 0, or mean; all heads if left out")
    parser.add_argument("--media", type=int, default=0, metavar="N", help="which picture or clip, from 0")
    parser.add_argument("--most", type=size, default=1 << 30, metavar="SIZE", help="of all arrays; 1GiB if left out")
    parser.add_argument("--into", required=True, metavar="FILE", help="the .npz file to write")
    parser.set_defaults(act=act)


def size(text: str) -> int:
    """Bytes, from "2GiB"."""
    try:
        return read_bytes(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def act(asked: argparse.Namespace) -> None:
    """Rebuild them, and write them."""
    into = Path(asked.into)
    if into.suffix != ".npz":
        raise OutputError(f"Rows are written as .npz, not {into.suffix or 'a file without a suffix'}.")
    check_destination(asked.into)
    run = Run.load(asked.run)
    layers = range(run.num_layers(asked.site)) if asked.layers is None else asked.layers
    head = head_of(asked.head) if asked.head is not None else None
    left, arrays = asked.most, dict[str, np.ndarray]()
    for layer in layers:
        rows = whole_layer(run, asked.site, layer=layer, head=head, media=asked.media, max_bytes=left).numpy()
        arrays[f"{asked.site}.{layer}"] = rows
        left -= rows.nbytes
    with whole_file(into) as path, path.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type] # its own signature takes a flag of another name
    for name, rows in arrays.items():
        print(f"{name}  {' x '.join(map(str, rows.shape))}")


def head_of(text: str) -> Any:
    """A head as it was typed: its number, or what it says."""
    return int(text) if text.isascii() and text.isdigit() else text
