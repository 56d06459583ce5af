"""What looking inside holds beside the pass it looks into: what it keeps, once."""

from __future__ import annotations

import pytest
import torch

from qwenvl.models.trace import Trace
from tests.support.operations import LiveBytes
from tests.support.tiny import TINY, mosaic, one_picture, tiny

MANY = {"tiny-qwen2-vl": mosaic(40, 40), "tiny-qwen-vl": mosaic(6, 4)}  # pixels cut apart must weigh less than a pass


@pytest.fixture(params=TINY)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def test_a_run_holds_what_it_keeps_once(name: str) -> None:
    pipeline = tiny(name)
    prompt = pipeline.processor(one_picture(MANY[name]))
    with torch.no_grad(), LiveBytes() as plain:
        pipeline.model(**pipeline._inputs(prompt, []), last=1)
    with LiveBytes() as inside:
        run = pipeline.look_inside(prompt, [], {})
    kept = [value.numel() * value.element_size() for value in run.kept.values()]
    assert sum(kept) > plain.most / 4  # held twice, it would show
    assert inside.most <= plain.most + sum(kept) + 2 * max(kept)


def test_a_value_that_is_taken_is_held_no_longer(name: str) -> None:
    pipeline = tiny(name)
    inputs = pipeline._inputs(pipeline.processor(one_picture()), [])
    with torch.no_grad(), Trace(pipeline.model, "language.blocks.*.attend.*") as trace:
        pipeline.model(**inputs, last=1)
    before, first = trace.nbytes, next(iter(trace))
    value = trace.take(first)
    assert trace.nbytes == before - value.numel() * value.element_size()
    assert first not in trace
