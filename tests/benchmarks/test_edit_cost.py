"""Interventions cost nothing while there are none: not a bit, not a hook, and no time that can be measured."""

from __future__ import annotations

from statistics import median

import pytest
import torch

from tests.benchmarks.attention_cost import ratios, take_turns
from tests.benchmarks.edit_cost import NONE, PLAIN, variants
from tests.benchmarks.workload import build_ours, reduced


@torch.inference_mode()
def test_without_an_edit_the_pass_is_the_plain_one_bit_for_bit() -> None:
    ours = build_ours(reduced(num_blocks=1))
    forwards = variants(ours, 64)
    results = {name: forward() for name, forward in forwards.items()}
    assert torch.equal(results[NONE], results[PLAIN])
    assert all(not torch.equal(results[name], results[PLAIN]) for name in set(results) - {NONE, PLAIN})
    assert torch.equal(forwards[PLAIN](), results[PLAIN])  # and after edits again


@pytest.mark.slow
@torch.inference_mode()
def test_without_an_edit_a_pass_takes_no_longer() -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        forwards = variants(build_ours(reduced(num_blocks=1)), 144)
        chosen = {name: forwards[name] for name in (PLAIN, NONE)}
        for rounds in (7, 21):  # on a busy machine a few rounds may be too few to tell
            ratio = median(ratios(take_turns(chosen, rounds), PLAIN)[NONE])
            if ratio <= 1.02:
                break
    finally:
        torch.set_num_threads(threads)
    assert ratio <= 1.02
