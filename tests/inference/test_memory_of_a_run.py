"""What looking inside holds beside the pass it looks into: what it keeps, once."""

from __future__ import annotations

import pytest
import torch

from qwenvl.inference.pipeline import _moved
from qwenvl.models.trace import Trace
from tests.support.operations import LiveBytes
from tests.support.tiny import TINY, one_picture, tiny


@pytest.fixture(params=TINY)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def test_what_a_run_keeps_is_held_once(name: str) -> None:
    """Before it is moved, while it is moved and afterwards, but for the one value that is being copied."""
    pipeline = tiny(name)
    inputs = pipeline._inputs(pipeline.processor(one_picture()), [])
    with torch.no_grad(), LiveBytes() as held:
        with Trace(pipeline.model, "*.blocks.*.attend.*") as trace:
            pipeline.model(**inputs, last=1)
        held.most = 0  # from here on
        kept = _moved(trace)
    sizes = [value.numel() * value.element_size() for value in kept.values()]
    assert sum(sizes) <= held.most <= sum(sizes) + 2 * max(sizes)
    assert all(value.is_contiguous() for value in kept.values())


def test_a_value_that_is_taken_is_held_no_longer(name: str) -> None:
    pipeline = tiny(name)
    inputs = pipeline._inputs(pipeline.processor(one_picture()), [])
    with torch.no_grad(), Trace(pipeline.model, "language.blocks.*.attend.*") as trace:
        pipeline.model(**inputs, last=1)
    before, first = trace.nbytes, next(iter(trace))
    value = trace.take(first)
    assert trace.nbytes == before - value.numel() * value.element_size()
    assert first not in trace
