"""`python -m qwenvl.tiny`: draw the page's example scenes."""

from __future__ import annotations

import argparse
from pathlib import Path

from qwenvl.tiny.gallery import write_examples


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m qwenvl.tiny", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    examples = commands.add_parser("examples", help="draw the scenes among the page's examples")
    examples.add_argument("folder", type=Path, nargs="?", default=Path("app/examples"))
    arguments = parser.parse_args()
    for path in write_examples(arguments.folder):
        print(path)


if __name__ == "__main__":
    main()
