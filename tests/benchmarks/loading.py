"""What loading a checkpoint takes beside reading its files: `python -m tests.benchmarks.loading FOLDER`.

Loading as stored and as float32 happens in processes of its own, each from the disk: the system's cache of the files is
dropped before. What is loaded is touched page by page, since a mapped file is read when it is used.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from qwenvl.loading.checkpoint_files import weight_files
from qwenvl.loading.load import load_model
from tests.benchmarks.memory import forget, resident, seconds_to_read

GIB = 1 << 30
PAGE = 4096


def touch(model: nn.Module) -> None:
    """Read a number of every page of every weight."""
    for parameter in model.parameters():
        parameter.flatten()[:: PAGE // parameter.element_size()].sum()


def measure(folder: Path, dtype: str) -> dict[str, float]:
    """Seconds and peak bytes above what the process held before, in this process."""
    torch.set_num_threads(1)
    before = resident(reset_peak=True)
    begun = time.perf_counter()
    model = load_model(folder, dtype=dtype, device="cpu")
    loaded = time.perf_counter() - begun
    touch(model)
    seconds = time.perf_counter() - begun
    weights = sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())
    return {"seconds": seconds, "until_loaded": loaded, "peak": resident(peak=True) - before, "weights": weights}


def in_a_process(folder: Path, what: str) -> dict[str, float]:
    """One measurement, in a fresh process, from the disk."""
    files = weight_files(folder)
    forget(files)
    if what == "read":
        return {"seconds": seconds_to_read(files)}
    command = [sys.executable, "-m", "tests.benchmarks.loading", str(folder), "--only", what]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def compare(folder: Path, dtypes: tuple[str, ...] = ("bfloat16", "float32"), rounds: int = 3) -> dict[str, Any]:
    """Reading and loading in turns; the fastest of each, the highest peak, sizes of the files."""
    files = weight_files(folder)
    sizes = [file.stat().st_size for file in files]
    found: dict[str, list[dict[str, float]]] = {}
    for _ in range(rounds):
        for dtype in dtypes:
            for what in ("read", dtype):
                found.setdefault(what, []).append(in_a_process(folder, what))
    best = {what: min(each["seconds"] for each in taken) for what, taken in found.items()}
    peaks = {what: max(each["peak"] for each in found[what]) for what in dtypes}
    weights = {what: found[what][0]["weights"] for what in dtypes}
    return {"files": sum(sizes), "largest_shard": max(sizes), "seconds": best, "peak": peaks, "weights": weights}


def table(found: dict[str, Any]) -> str:
    """The comparison as lines of Markdown."""
    read = found["seconds"]["read"]
    lines = [
        f"Files {found['files'] / GIB:.2f} GiB, largest shard {found['largest_shard'] / GIB:.2f} GiB.",
        "",
        "| | seconds | over reading | weights GiB | peak GiB | peak over weights, shards |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        f"| reading the files | {read:.2f} | 1.00 | | | |",
    ]
    for dtype, weights in found["weights"].items():
        peak, seconds = found["peak"][dtype], found["seconds"][dtype]
        lines.append(
            f"| loading, {dtype} | {seconds:.2f} | {seconds / read:.2f} | {weights / GIB:.2f} | {peak / GIB:.2f} | "
            f"{(peak - weights) / found['largest_shard']:.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(measure(arguments.folder, arguments.only)))
    else:
        print(table(compare(arguments.folder, rounds=arguments.rounds)))


if __name__ == "__main__":
    main()
