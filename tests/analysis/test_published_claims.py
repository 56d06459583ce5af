"""Quoted figures against the sums that the paper's own averages and words give."""

from __future__ import annotations

import pytest

from qwenvl.analysis.published_claims import M_ROPE, mean, outcome


def test_table_8_is_quoted_whole_with_its_losses() -> None:
    assert len(M_ROPE) == 11
    assert outcome(M_ROPE) == (8, 1, 2)
    assert {score.test: score.gain for score in M_ROPE if score.gain <= 0} == {
        "MMStar": 0.0,
        "RealWorldQA": -0.8,
        "InfoVQA": -0.5,
    }


def test_its_means_are_those_of_its_columns() -> None:
    assert mean(M_ROPE, "image") == pytest.approx((57.70, 58.4625))
    assert mean(M_ROPE, "video") == pytest.approx((48.6667, 50.4333), abs=1e-4)
    assert sum(score.one for score in M_ROPE) == pytest.approx(607.6)
    assert sum(score.multimodal for score in M_ROPE) == pytest.approx(619.0)
