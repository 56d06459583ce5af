"""What interventions cost: `python -m tests.benchmarks.edit_cost --help`.

CPU seconds of a forward pass at the 2B's widths in which the variants take turns, as ratios to the plain pass; "no
edit" is the pass as a run makes it that has none. Nothing here asserts: test_edit_cost.py does.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from typing import Any

import torch

from qwenvl.models.qwen2_vl import Qwen2VL
from qwenvl.recorded.edits import AblateHeads, AddVector, Edit, Extent, Knockout, ScaleKeys, applied, checked_edits
from tests.benchmarks.attention_cost import ratios, take_turns
from tests.benchmarks.workload import Forward, build_ours, make_prompt, reduced

PLAIN, NONE = "plain", "no edit"


def edits_of(tokens: int, dim: int) -> dict[str, list[Edit]]:
    """One edit of each kind that writes or masks in one layer, on a prompt of so many tokens."""
    last, keys = range(tokens - 8, tokens), range(20, tokens - 20)
    return {
        NONE: [],
        "Knockout": [Knockout(last, keys, [0])],
        "Knockout, one head": [Knockout(last, keys, [0], heads=[1])],
        "ScaleKeys": [ScaleKeys([0], keys, 0.5)],
        "AblateHeads": [AblateHeads(0, [1])],
        "AddVector": [AddVector(0, last, torch.ones(dim))],
    }


def variants(ours: Qwen2VL, visual_tokens: int) -> dict[str, Forward]:
    """The plain pass, and one under each list of edits."""
    prompt = make_prompt(visual_tokens)
    tokens = prompt["input_ids"].shape[1]
    extent = Extent(ours.config, ((None, None),) * tokens, tokens)

    def under(edits: Sequence[Edit]) -> Forward:
        checked = checked_edits(edits, extent)

        def forward() -> Any:
            with applied(checked, ours, tokens):
                return ours(**prompt, last=1)

        return forward

    every = edits_of(tokens, ours.config.language.dim)
    return {PLAIN: lambda: ours(**prompt, last=1), **{name: under(edits) for name, edits in every.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=256, help="visual tokens: a square number")
    parser.add_argument("--blocks", type=int, default=2, help="blocks of either stack")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    with torch.inference_mode():
        seconds = take_turns(variants(build_ours(reduced(arguments.blocks)), arguments.tokens), arguments.rounds)
    for name, relative in ratios(seconds, PLAIN).items():
        told = f"{statistics.median(seconds[name]):.3f} s, {statistics.median(relative):.3f} x"
        print(f"{name:<20} {told} ({min(relative):.3f} to {max(relative):.3f})")


if __name__ == "__main__":
    main()
