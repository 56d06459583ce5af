"""What looking inside costs: `make benchmark`, or `python -m tests.benchmarks.attention_cost --help`.

Time is CPU seconds of one process in which the variants take turns, as ratios to transformers' fused attention; memory
is the peak above the weights, each variant in a process of its own. Nothing here asserts: test_attention_cost.py does.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from qwenvl.models.qwen2_vl import Qwen2VL
from qwenvl.models.trace import attention_rows
from tests.benchmarks.memory import resident
from tests.benchmarks.workload import VARIANTS, Forward, build_ours, make_prompt, reduced

BASELINE = "transformers sdpa"
MIB = 1 << 20


def cpu_seconds(forward: Callable[[], Any]) -> float:
    """CPU seconds of all threads that one call takes; what it returns is dropped after the clock has stopped."""
    begun = time.process_time()
    kept = forward()
    seconds = time.process_time() - begun
    del kept
    return seconds


def take_turns(forwards: dict[str, Forward], rounds: int, seed: int = 0) -> dict[str, list[float]]:
    """CPU seconds of each variant in each round, in a new order every round, after one round that does not count."""
    order, seconds = list(forwards), {name: list[float]() for name in forwards}
    shuffle = random.Random(seed)
    for number in range(rounds + 1):
        shuffle.shuffle(order)
        for name in order:
            taken = cpu_seconds(forwards[name])
            if number:
                seconds[name].append(taken)
    return seconds


def ratios(seconds: dict[str, list[float]], baseline: str = BASELINE) -> dict[str, list[float]]:
    """Each round's time over the baseline's in the same round."""
    return {
        name: [one / other for one, other in zip(taken, seconds[baseline], strict=True)]
        for name, taken in seconds.items()
    }


def peak_bytes(name: str, visual_tokens: int, num_blocks: int) -> int:
    """Peak memory above the weights of one forward pass, in a fresh process."""
    command = [sys.executable, "-m", "tests.benchmarks.attention_cost", "--peak-of", name]
    command += ["--tokens", str(visual_tokens), "--blocks", str(num_blocks)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1])


def measure_peak(name: str, visual_tokens: int, num_blocks: int) -> int:
    """In this process: how far one forward pass lifts the resident memory."""
    with torch.inference_mode():
        ours = build_ours(reduced(num_blocks))
        forward = VARIANTS[name](ours, make_prompt(visual_tokens))
        VARIANTS[name](ours, make_prompt(16))()  # threads and workspaces, once
        before = resident(reset_peak=True)
        kept = forward()
        after = resident(peak=True)
        del kept
    return after - before


def row_costs(ours: Qwen2VL, visual_tokens: int, repeats: int = 20) -> dict[str, dict[str, float]]:
    """CPU seconds of one row of all heads of one layer, and of that layer's forward pass, in either stack (medians)."""
    layers, (_, trace) = block_seconds(ours, VARIANTS["ours, everything kept"](ours, make_prompt(visual_tokens)))
    costs = {}
    for stack, seconds in layers.items():
        attend = f"{stack}.blocks.{len(seconds) - 1}.attend"
        q, k, mask = trace[f"{attend}.q"], trace[f"{attend}.k"], trace.mask_of(attend)
        queries = range(1, q.shape[2], max(1, q.shape[2] // repeats))
        row = [cpu_seconds(partial(attention_rows, q, k, [query], mask)) for query in queries]
        costs[stack] = {"keys": k.shape[2], "row": statistics.median(row), "layer": statistics.median(seconds)}
    return costs


def block_seconds(ours: Qwen2VL, forward: Forward) -> tuple[dict[str, list[float]], Any]:
    """CPU seconds of every block of either stack in one forward pass, and what the pass returned."""
    seconds: dict[str, list[float]] = {"vision": [], "language": []}
    handles = []
    for stack, taken in seconds.items():
        for block in getattr(ours, stack).blocks:
            handles.append(block.register_forward_pre_hook(lambda *_, taken=taken: taken.append(-time.process_time())))
            handles.append(
                block.register_forward_hook(lambda *_, taken=taken: taken.append(taken.pop() + time.process_time()))
            )
    result = forward()
    for handle in handles:
        handle.remove()
    return seconds, result


def measure(tokens: Sequence[int], num_blocks: int, rounds: int, *, memory: bool = True) -> Iterator[dict[str, Any]]:
    """One row of the table for each variant and size, then the row costs of each size."""
    ours = build_ours(reduced(num_blocks))
    for visual_tokens in tokens:
        prompt = make_prompt(visual_tokens)
        forwards = {name: build(ours, prompt) for name, build in VARIANTS.items()}
        seconds = take_turns(forwards, rounds)
        for name, relative in ratios(seconds).items():
            yield {
                "visual_tokens": visual_tokens,
                "variant": name,
                "cpu_seconds": statistics.median(seconds[name]),
                "ratio": statistics.median(relative),
                "lowest": min(relative),
                "highest": max(relative),
                "peak_mib": peak_bytes(name, visual_tokens, num_blocks) / MIB if memory else None,
            }
        for stack, cost in row_costs(ours, visual_tokens).items():
            yield {"visual_tokens": visual_tokens, "stack": stack, **cost}


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The measurements as text."""
    heads = ("visual tokens", "variant", "CPU s", "ratio to sdpa", "lowest, highest", "peak MiB")
    lines = ["{:>13}  {:<37} {:>7} {:>14} {:>17} {:>9}".format(*heads)]
    for row in (row for row in rows if "variant" in row):
        peak = "" if row["peak_mib"] is None else f"{row['peak_mib']:,.0f}"
        lines.append(
            f"{row['visual_tokens']:>13,}  {row['variant']:<37} {row['cpu_seconds']:>7.2f} {row['ratio']:>14.3f} "
            f"{row['lowest']:>9.3f}, {row['highest']:.3f} {peak:>9}"
        )
    lines += ["", "One row of all heads of one layer, rebuilt from kept queries and keys:"]
    for row in (row for row in rows if "stack" in row):
        lines.append(
            f"{row['visual_tokens']:>13,}  {row['stack']:<9} {row['keys']:>6,} keys: {1e3 * row['row']:>7.2f} ms, "
            f"{row['row'] / row['layer']:.2%} of that layer's forward pass ({1e3 * row['layer']:,.0f} ms)"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, nargs="+", default=[256, 1024], help="visual tokens: square numbers")
    parser.add_argument("--blocks", type=int, default=4, help="blocks of either stack")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the measurements here too")
    parser.add_argument("--peak-of", choices=list(VARIANTS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.peak_of:
        print(measure_peak(arguments.peak_of, arguments.tokens[0], arguments.blocks))
        return
    with torch.inference_mode():
        rows = list(measure(arguments.tokens, arguments.blocks, arguments.rounds))
    depth, threads = f"{arguments.blocks} + {arguments.blocks} blocks", f"{arguments.threads} thread(s)"
    print(f"Qwen2-VL-2B's widths, {depth}, float32, {threads}, torch {torch.__version__}, {platform.machine()}")
    print(table(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
