"""Prints one table of goal, before and now: `python -m tests.benchmarks.goals --before COMMIT`.

Each tree is measured in processes of its own, in turns, and the medians stand in the table. Seconds are the
processor's, on one thread. `one_tree` says how each figure is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.machine import load, machine
from tests.benchmarks.one_tree import MEASURES

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("one_tree.py")
GOALS: tuple[tuple[str, str, float], ...] = (  # words in a figure's name, at most or at least, the goal
    (" over transformers", "at most", 1.0),
    ("ms of a row: vision, 16,384", "at most", 10.0),
    ("ms of a row: ", "at most", 2.0),
    ("peak of a traced pass", "at most", 1.15),
    ("transformers over ours", "at least", 1.8),
    ("s of --help", "at most", 0.4),
    ("s of a plan", "at most", 0.4),
    ("s from the start", "at most", 5.0),
)


@contextmanager
def tree_of(commit: str) -> Iterator[Path]:
    """The repository as it was at a commit, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="before-") as folder:
        place = Path(folder) / "tree"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--detach", str(place), commit], check=True, capture_output=True)
        try:
            yield place
        finally:
            subprocess.run([*git, "remove", "--force", str(place)], check=True, capture_output=True)


def measure(tree: Path, what: str) -> dict[str, float]:
    """The figures of one tree, in a process of its own on one thread."""
    settings = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(tree)}
    command = [sys.executable, str(SCRIPT), what]
    done = subprocess.run(command, cwd=tree, env=settings, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{what} in {tree}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def goal_of(name: str) -> tuple[str, float] | None:
    """Whether a figure should be at most or at least a value, and which; None for one without a goal."""
    return next(((kind, value) for words, kind, value in GOALS if words in name), None)


def is_reached(name: str, value: float) -> bool | None:
    goal = goal_of(name)
    return None if goal is None else value <= goal[1] if goal[0] == "at most" else value >= goal[1]


def table(before: Mapping[str, float], now: Mapping[str, float]) -> str:
    """Markdown: a row for each figure."""
    lines = ["| | goal | before | now | |", "| --- | ---: | ---: | ---: | --- |"]
    for name, value in now.items():
        goal = goal_of(name)
        aim = f"{'≤' if goal[0] == 'at most' else '≥'} {goal[1]:g}" if goal else ""
        earlier = f"{before[name]:.3g}" if name in before else ""
        reached = {True: "reached", False: "not yet", None: ""}[is_reached(name, value)]
        lines.append(f"| {name} | {aim} | {earlier} | {value:.3g} | {reached} |")
    return "\n".join(lines)


def medians(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: statistics.median(one[name] for one in rounds) for name in rounds[0]} if rounds else {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", choices=[[], *MEASURES], help="what to measure (everything)")
    parser.add_argument("--before", metavar="COMMIT", help="measure this commit too")
    parser.add_argument("--rounds", type=int, default=1, help="how often each tree takes its turn")
    asked = parser.parse_args()
    print(machine(), flush=True)
    with tree_of(asked.before) if asked.before else _nothing() as earlier:
        for what in asked.what or MEASURES:
            before, now = list[dict[str, float]](), list[dict[str, float]]()
            for _ in range(asked.rounds):
                before += [measure(earlier, what)] if earlier else []
                now.append(measure(ROOT, what))
            print(f"\n{what}, {load()}\n\n{table(medians(before), medians(now))}", flush=True)


@contextmanager
def _nothing() -> Iterator[None]:
    yield None


if __name__ == "__main__":
    main()
