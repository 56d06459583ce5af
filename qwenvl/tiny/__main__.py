"""Trains, evaluates and writes the tiny twins, and draws the page's example scenes (`python -m qwenvl.tiny`)."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from qwenvl.tiny.gallery import write_examples
from qwenvl.tiny.untrained import write_untrained

CHECKPOINTS = Path(__file__).parents[1] / "checkpoints"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m qwenvl.tiny", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    _add_train(commands.add_parser("train", help="train a twin; goes on where --out was left"))
    _add_evaluate(commands.add_parser("evaluate", help="measure a checkpoint on scenes it has never seen"))
    untrained = commands.add_parser("untrained", help="write both checkpoints with seeded random weights")
    untrained.add_argument("--out", type=Path, default=CHECKPOINTS, help="the folder that will hold the two folders")
    untrained.add_argument("--seed", type=int, default=0)
    untrained.set_defaults(run=lambda given: print(*write_untrained(given.out, given.seed), sep="\n"))
    examples = commands.add_parser("examples", help="draw the scenes among the page's examples")
    examples.add_argument("--out", type=Path, default=Path("app/examples"))
    examples.set_defaults(run=lambda given: print(*write_examples(given.out), sep="\n"))
    card = commands.add_parser(
        "card", help="write a trained folder's card anew, from its figures.json and by_size.json"
    )
    card.add_argument("folder", type=Path)
    card.set_defaults(run=_write_card)
    arguments = parser.parse_args()
    arguments.run(arguments)


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("family", choices=("qwen-vl", "qwen2-vl"))
    parser.add_argument("--out", type=Path, required=True, help="the checkpoint's folder, with the training beside it")
    parser.add_argument("--minutes", type=float, default=60.0, help="processor minutes; learning rates end with them")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--from", dest="start", type=Path, help="begin with the weights of this checkpoint")
    parser.add_argument("--photos", nargs="+", default=(), help="picture files to crop grounds from")
    parser.add_argument("--device", default="auto", help='"auto": CUDA in bfloat16 where there is one, else the CPU')
    parser.set_defaults(run=_train)


def _train(given: argparse.Namespace) -> None:
    from qwenvl.tiny.train import train

    train(
        given.family,
        given.out,
        minutes=given.minutes,
        seed=given.seed,
        start=given.start,
        photos=given.photos,
        device=given.device,
    )


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    from qwenvl.tiny.evaluate import ROWS

    parser.add_argument("checkpoint", help="a folder, or the name of a checkpoint that comes with the library")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scenes", type=int, default=500, help="scenes for each row")
    parser.add_argument("--rows", nargs="+", choices=[*ROWS, "pointing"], help="only these; all where absent")
    parser.add_argument("--by", choices=("size",), help="curves by the size of what is asked and of the page instead")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.set_defaults(run=_evaluate)


def _evaluate(given: argparse.Namespace) -> None:
    from qwenvl.loading.load import load
    from qwenvl.tiny.evaluate import by_size, evaluate

    pipeline = load(given.checkpoint)
    if given.by:
        figures = by_size(pipeline, seed=given.seed, scenes=given.scenes)
        _print_curves(figures)
    else:
        figures = evaluate(pipeline, seed=given.seed, scenes=given.scenes, rows=given.rows)
        _print_figures(figures)
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def _print_curves(curves: dict[str, dict[int, float]]) -> None:
    for name, curve in curves.items():
        print(f"{name}: " + ", ".join(f"{size} px {right:.0%}" for size, right in curve.items()))


def _write_card(given: argparse.Namespace) -> None:
    from qwenvl.tiny.publish import write_card

    write_card(given.folder)


def _print_figures(figures: dict[str, Any]) -> None:
    for name, row in figures["rows"].items():
        levels = ", ".join(f"{level} {part['right']:.2f}" for level, part in sorted(row["by_difficulty"].items()))
        print(f"{name:16} {row['right']:6.1%} of {row['asked']:4}   {levels}")
    for task, found in figures.get("pointing", {}).items():
        place = f"layer {found['layer']}, head {found['head']}, row of the {found['row']}"
        print(f"pointing, {task:6} {found['target']:5.1f} x; distractors {found['distractor']:.2f} x ({place})")


if __name__ == "__main__":
    main()
