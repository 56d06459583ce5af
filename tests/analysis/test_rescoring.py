"""Rescoring a run's answer, against a forward pass made by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from qwenvl.analysis.rescoring import rescore, unchanged_score
from qwenvl.inference.run import Run
from tests.support.goldens import assert_close
from tests.support.tiny import TINY, mixed_messages, mixed_run, tiny


@pytest.fixture(params=TINY)
def run(request: pytest.FixtureRequest) -> Run:
    return mixed_run(request.param)


def answer_logits(run: Run) -> Tensor:
    """The logits of the answer's tokens, from the processor and the model alone."""
    pipeline = tiny(run.card.name)
    given = dict(pipeline.processor(mixed_messages()).model_inputs)
    said = torch.tensor([[token.id for token in run.tokens if token.in_answer]])
    with torch.no_grad():
        logits = pipeline.model(**given | {"input_ids": torch.cat((given["input_ids"], said), dim=1)})
    return logits[0, run.answer_start - 1 : -1]


def test_it_returns_the_logits_that_its_score_is_made_of(run: Run) -> None:
    score, logits = rescore(run)
    assert_close(logits, answer_logits(run)[: len(logits)], 4e-5)  # of two shapes: 1e-6 apart
    said = [token.id for token in run.tokens if token.in_answer]
    assert score.probabilities == tuple(logits.softmax(-1)[range(len(said)), said].tolist())
    assert score.log_probability == pytest.approx(sum(map(math.log, score.probabilities)), abs=1e-4)


def test_the_unchanged_score_is_computed_once(run: Run) -> None:
    assert unchanged_score(run) is unchanged_score(run)
    assert unchanged_score(run).probabilities == pytest.approx(run.record.probabilities, rel=1e-5)
