"""Statistics of the adapter's queries, against each count's definition written out."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from qwenvl.analysis.adapter_statistics import ORDERS, half_sets, query_statistics
from qwenvl.errors import RunError
from tests.support.tiny import mixed_run

ROWS, COLUMNS = 3, 4


def matrix(seed: int = 0, queries: int = 9) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (3 * torch.randn(queries, ROWS * COLUMNS, generator=generator)).softmax(dim=1)


def slow_half(row: np.ndarray) -> set[int]:
    """Patches from the largest down until they hold half."""
    taken: set[int] = set()
    for patch in sorted(range(len(row)), key=lambda one: (-row[one], one)):
        if sum(row[one] for one in taken) >= row.sum() / 2:
            break
        taken.add(patch)
    return taken


@pytest.mark.parametrize("seed", range(5))
def test_every_count_is_its_definition(seed: int) -> None:
    values = matrix(seed)
    found = query_statistics(values, (1, ROWS, COLUMNS), alike=0.5)
    rows = values.double().numpy()
    np.testing.assert_allclose(found.entropy, [-(row * np.log2(row)).sum() for row in rows])
    halves = [slow_half(row) for row in rows]
    assert found.half_counts.tolist() == [len(half) for half in halves]
    assert set(found.covered.nonzero().flatten().tolist()) == set().union(*halves)
    assert found.coverage == len(set().union(*halves)) / (ROWS * COLUMNS)
    for query, row in enumerate(rows):
        weighed = sum(
            weight * np.array([patch // COLUMNS + 0.5, patch % COLUMNS + 0.5]) for patch, weight in enumerate(row)
        )
        np.testing.assert_allclose(found.centres[query], weighed)
    for one in range(len(rows)):
        for two in range(len(rows)):
            apart = np.abs(rows[one] - rows[two]).sum() / 2
            assert float(found.overlap[one, two]) == pytest.approx(1 - apart, abs=1e-5)
    pairs = [
        (one, two)
        for one in range(len(rows))
        for two in range(one + 1, len(rows))
        if np.minimum(rows[one], rows[two]).sum() >= 0.5
    ]
    assert found.redundant_pairs == pairs
    assert found.redundant_queries == len({query for pair in pairs for query in pair})
    others = [[two for two in range(len(rows)) if two != one] for one in range(len(rows))]
    assert found.nearest.tolist() == [
        max(others[one], key=lambda two: float(found.overlap[one, two])) for one in range(len(rows))
    ]


def test_orders_are_permutations_by_what_they_say() -> None:
    found = query_statistics(matrix(7, 20), (ROWS, COLUMNS))
    for name in ORDERS:
        assert sorted(found.order(name)) == list(range(20))
    assert found.order("index") == list(range(20))
    entropies = found.entropy[found.order("entropy")]
    assert bool((entropies.diff() >= 0).all())
    places = found.centres[found.order("place")]
    assert bool((places[:, 0].floor().diff() >= 0).all())
    chain = found.order("alike")
    assert chain[0] == 0
    for step, (one, two) in enumerate(pairwise(chain)):
        left = [query for query in range(20) if query not in chain[: step + 1]]
        assert two == max(left, key=lambda query: float(found.overlap[one, query]))


def test_equal_and_disjoint_queries() -> None:
    rows = torch.eye(4)[[0, 0, 3]]
    found = query_statistics(rows, (2, 2))
    assert found.redundant_pairs == [(0, 1)]
    assert (found.redundant_queries, found.coverage) == (2, 0.5)
    assert found.overlap[0].tolist() == [1.0, 1.0, 0.0]
    assert found.entropy.tolist() == [0.0, 0.0, 0.0]
    assert found.centres[2].tolist() == [1.5, 1.5]
    even = query_statistics(torch.full((1, 16), 1 / 16), (4, 4))
    assert (float(even.entropy), int(even.half_counts), even.coverage) == (4.0, 8, 0.5)
    assert (even.redundant_pairs, even.order("alike")) == ([], [0])


def test_half_of_nothing_is_nothing() -> None:
    assert not half_sets(torch.zeros(2, 5)).any()


def test_a_run_counts_its_own_matrix() -> None:
    run = mixed_run("tiny-qwen-vl")
    matrix = run.adapter_matrix(media=1, frame=2, head=0)
    found = run.query_statistics(media=1, frame=2, head=0)
    np.testing.assert_allclose(found.entropy, torch.special.entr(matrix.double()).sum(dim=1) / np.log(2))
    with pytest.raises(RunError, match="no attention"):
        mixed_run("tiny-qwen2-vl").query_statistics()
