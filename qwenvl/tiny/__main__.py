"""Write what the tiny twins come with: their checkpoints, and the example scenes of the page."""

from __future__ import annotations

import argparse
from pathlib import Path

from qwenvl.tiny.gallery import write_examples
from qwenvl.tiny.untrained import write_untrained

CHECKPOINTS = Path(__file__).parents[1] / "checkpoints"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m qwenvl.tiny", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    untrained = commands.add_parser("untrained", help="write both checkpoints with seeded random weights")
    untrained.add_argument("--out", type=Path, default=CHECKPOINTS, help="the folder that will hold the two folders")
    untrained.add_argument("--seed", type=int, default=0)
    examples = commands.add_parser("examples", help="draw the scenes among the page's examples")
    examples.add_argument("--out", type=Path, default=Path("app/examples"))
    arguments = parser.parse_args()
    if arguments.command == "untrained":
        written = write_untrained(arguments.out, arguments.seed)
    else:
        written = write_examples(arguments.out)
    print(*written, sep="\n")


if __name__ == "__main__":
    main()
