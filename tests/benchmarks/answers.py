"""How long the tiny checkpoints take to answer about a picture: `python -m tests.benchmarks.answers`."""

from __future__ import annotations

import statistics
import time

import torch

import qwenvl
from qwenvl.tiny.evaluate import answer, draw_cases

TINY = ("tiny-qwen-vl", "tiny-qwen2-vl")
TASKS = ("colour", "count", "grounding", "caption")


def seconds(name: str, task: str, count: int = 20) -> list[float]:
    """Seconds from messages to the finished answer, picture and processing included, scene by scene."""
    pipeline = qwenvl.load(name, device="cpu")
    taken = []
    for case in draw_cases(task, 7, count):
        started = time.perf_counter()
        answer(pipeline, case.messages())
        taken.append(time.perf_counter() - started)
    return taken


def main() -> None:
    print(f"Seconds for an answer about one picture, {torch.get_num_threads()} threads: median (slowest) of 20 scenes")
    print(f"{'':16}" + "".join(f"{task:>18}" for task in TASKS))
    for name in TINY:
        cells = [seconds(name, task) for task in TASKS]
        print(f"{name:16}" + "".join(f"{statistics.median(each):>10.3f} ({max(each):.2f})" for each in cells))


if __name__ == "__main__":
    main()
