"""Sinks on rows made up for it, and against the definition written out on a run's own rows."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from qwenvl.analysis import sinks
from qwenvl.inference.run import Run
from tests.support.tiny import TINY, mixed_run

TOKENS = 60
EASILY = 0.2  # even shares, in half of the rows, that make a sink where no model is trained to have one


def keys_for(drawn: dict[int, float], heads: int = 2) -> tuple[Tensor, Tensor]:
    """Queries and keys whose rows draw each of these keys by exp(strength), whatever the row, and all others alike."""
    q = torch.ones(1, heads, TOKENS, 1)
    k = torch.zeros(1, heads, TOKENS, 1)
    for key, strength in drawn.items():
        k[0, :, key] = strength
    return q, k


def test_where_all_keys_are_alike_there_is_none() -> None:
    assert not sinks.find_sinks(*keys_for({})).any()


def test_the_first_token_and_an_outlier_are_found() -> None:
    found = sinks.find_sinks(*keys_for({0: 5.0, 20: 5.0})).nonzero().flatten().tolist()
    assert found == [0, 20]


def test_a_key_that_only_few_rows_look_at_is_none() -> None:
    q, k = keys_for({10: 6.0})
    q[0, :, 25:] = -1.0  # 15 rows after it are drawn, 34 look away
    assert not sinks.find_sinks(q, k).any()
    q[0, :, 25:50] = 1.0  # now 40 of 49 are drawn
    assert sinks.find_sinks(q, k).nonzero().flatten().tolist() == [10]


def test_a_key_that_draws_its_own_row_alone_is_none() -> None:
    q, k = torch.eye(TOKENS)[None, None] * 80, torch.eye(TOKENS)[None, None]
    assert not sinks.find_sinks(q, k).any()


def test_too_few_rows_make_no_sink() -> None:
    late = TOKENS - sinks.MIN_ROWS
    assert not sinks.find_sinks(*keys_for({late: 9.0})).any()
    assert sinks.find_sinks(*keys_for({late - 1: 9.0})).any()


def test_heads_are_averaged_before_they_are_judged() -> None:
    q, k = keys_for({}, heads=2)
    k[0, 0, 5] = 20.0  # one head gives it all: half of the layer's mean, 8 even shares from 16 keys on
    assert sinks.find_sinks(q, k).nonzero().flatten().tolist() == [5]
    q, k = keys_for({}, heads=32)
    k[0, 0, 5] = 20.0  # a 32nd: two even shares at most
    assert not sinks.find_sinks(q, k).any()


def test_of_many_rows_some_are_asked_the_first_and_the_last_among_them() -> None:
    assert sinks.judged_rows(sinks.MAX_ROWS) == list(range(sinks.MAX_ROWS))
    rows = sinks.judged_rows(5000)
    assert (len(rows), rows[0], rows[-1]) == (sinks.MAX_ROWS, 0, 4999)
    assert rows == sorted(set(rows))


@pytest.fixture(params=TINY)
def run(request: pytest.FixtureRequest) -> Run:
    return mixed_run(request.param)


@pytest.fixture
def easily(monkeypatch: pytest.MonkeyPatch, run: Run) -> Run:
    """A run in which many keys count as sinks: untrained models have none worth the name."""
    monkeypatch.setattr(sinks, "TIMES", EASILY)
    monkeypatch.setattr(sinks, "MOST", 0.5)
    monkeypatch.setattr(sinks, "MAX_ROWS", 10_000)
    monkeypatch.setattr(run, "_remembered", {})
    return run


def test_a_runs_sinks_are_those_of_the_definition(easily: Run) -> None:
    count = len(easily.tokens)
    rows = [easily.attention("language", layer=1, query=query, head="mean").tolist() for query in range(count)]
    expected = []
    for key in range(len(rows)):
        later = [row[key] * len(row) >= EASILY for row in rows[key + 1 :]]
        if len(later) >= sinks.MIN_ROWS and sum(later) >= sinks.MOST * len(later):
            expected.append(key)
    assert expected
    assert easily.sinks(1) == expected


@pytest.mark.parametrize("layer", [1, "mean"])
@pytest.mark.parametrize("head", [0, "mean"])
def test_what_is_left_and_what_was_removed_is_the_row(easily: Run, layer: int | str, head: int | str) -> None:
    query = len(easily.tokens) - 1
    chosen = {"query": query, "layer": layer, "head": head, "media": 2}
    aside = easily.map_without_sinks(**chosen)
    layers = range(easily.num_layers("language")) if layer == "mean" else [layer]
    left, removed = torch.zeros(len(easily.visual[2])), 0.0
    for one in layers:
        row = easily.attention("language", layer=one, query=query, head=head)
        for place, key in enumerate(easily.visual[2].tolist()):
            if key not in easily.sinks(one):
                left[place] += row[key] / len(layers)
        removed += sum(float(row[key]) for key in easily.sinks(one)) / len(layers)
    torch.testing.assert_close(aside.weights, left, atol=1e-5, rtol=0)
    assert aside.removed == pytest.approx(removed, abs=1e-5)
    raw = float(easily.token_weights(**chosen).sum())
    assert float(aside.weights.sum()) + aside.removed_here == pytest.approx(raw, abs=1e-5)
    assert float(aside.values.sum()) == pytest.approx(raw - aside.removed_here, abs=1e-5)
    assert aside.keys == sorted({key for one in layers for key in easily.sinks(one)})


def test_without_sinks_the_map_is_the_map(run: Run) -> None:
    chosen = {"query": len(run.tokens) - 1, "layer": 0, "head": 1}
    if not run.sinks(0):
        assert torch.equal(run.map_without_sinks(**chosen).values, run.image_map(**chosen))
        assert run.map_without_sinks(**chosen).removed == 0
