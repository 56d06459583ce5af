"""Counts of what queries read, each against a slow reading of its definition; codes against the published formula."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from qwenvl.analysis.adapter_codes import merger_steps
from qwenvl.analysis.adapter_statistics import ORDERS, half_sets, query_statistics
from qwenvl.errors import RunError
from qwenvl.inference.run import Run
from qwenvl.models.config import PRESETS
from qwenvl.models.weights import published_state
from tests.support.tiny import mixed_run, tiny

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


def formula(side: int, dim: int) -> np.ndarray:
    """The published 2-D sin-cos code in NumPy: first half of the channels the column, second half the row."""
    omega = 1 / 10000 ** (np.arange(dim // 4) / (dim / 4))
    one = [np.concatenate([np.sin(place * omega), np.cos(place * omega)]) for place in range(side)]
    return np.array([np.concatenate([one[column], one[row]]) for row in range(side) for column in range(side)])


def test_codes_are_the_models_own() -> None:
    run = mixed_run("tiny-qwen-vl")
    adapter = run.config.adapter
    found = run.code_similarity()
    code = formula(adapter.query_side, run.config.language.dim)
    code /= np.linalg.norm(code, axis=1, keepdims=True)
    np.testing.assert_allclose(found.queries, code @ code.T, atol=2e-4)  # the checkpoint holds it in 16 bits
    patches = run.config.vision.grid_side
    assert found.keys.shape == (adapter.num_queries, patches**2)
    if patches == adapter.query_side:  # nothing to stretch
        np.testing.assert_allclose(found.keys, code @ code.T, atol=2e-4)
    assert found.queries.diagonal().tolist() == pytest.approx([1.0] * adapter.num_queries, abs=1e-5)


def test_a_code_is_most_like_the_patches_at_its_own_place() -> None:
    """Stretched to twice the side, as at the published size, the best patch is one of the four under the query."""
    from dataclasses import replace

    from qwenvl.analysis.adapter_codes import model_code_similarity
    from qwenvl.models.qwen_vl import QwenVL

    config = tiny("tiny-qwen-vl").config
    side = config.adapter.query_side
    vision = replace(config.vision, image_size=2 * side * config.vision.patch_size)
    with torch.device("cpu"):
        model = QwenVL(replace(config, vision=vision))
    found = model_code_similarity(model)
    assert found.keys.shape == (side**2, 4 * side**2)
    for query in (0, side + 1, side**2 // 2, side**2 - 1):
        row, column = divmod(int(found.keys[query].argmax()), 2 * side)
        assert (row // 2, column // 2) == divmod(query, side)


def test_a_run_from_a_file_has_no_code(tmp_path: object) -> None:
    run = mixed_run("tiny-qwen-vl")
    path = f"{tmp_path}/one.run"
    run.save(path)
    with pytest.raises(RunError, match="load the run with its pipeline"):
        Run.load(path).code_similarity()


def test_the_mergers_steps_are_the_models_weights() -> None:
    model = tiny("tiny-qwen2-vl").model
    state = published_state(model)
    steps = merger_steps(model.config)
    for step in steps:
        if step.published:
            assert tuple(state[step.published].shape) == step.weight
    assert all(one.goes_out == two.comes_in for one, two in pairwise(steps))
    large = merger_steps(PRESETS["Qwen2-VL-7B"])
    assert [step.weight for step in large] == [(1280,), (), (5120, 5120), (3584, 5120)]
    assert large[2].published == "visual.merger.mlp.0.weight"
