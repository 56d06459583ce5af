"""Told again: the whole pass where nothing is cut, and what `Block` hides where something is."""

from __future__ import annotations

import pytest
import torch

from qwenvl.models.trace import Hidden
from tests.support.goldens import assert_close
from tests.support.tiny import TINY, mixed_run, tiny


@pytest.mark.parametrize("name", TINY)
def test_told_again_equals_the_whole_pass(name: str) -> None:
    run, pipeline = mixed_run(name), tiny(name)
    teller = pipeline.reteller(run)
    whole = pipeline.logits(run)
    assert torch.equal(teller.logits([])[0], whole)
    hidden = Hidden(frozenset([run.answer_start - 1]), frozenset(run.visual[1].tolist()), None, frozenset([1, 2]))
    cut = pipeline.logits(run, blocks=[(["language.blocks.1.attend"], hidden)])
    first, second, third = teller.logits([([1], hidden), ([], hidden), ([2, 3], hidden)])
    assert_close(first, cut, 5e-5)
    assert_close(second, whole, 5e-5)
    assert (first - whole).abs().max() > 1e-2
    assert (third - cut).abs().max() > 1e-2
    assert not any(module._forward_pre_hooks for module in pipeline.model.modules())
