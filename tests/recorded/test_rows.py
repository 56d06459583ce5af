"""Every entry point of a run takes integers of Python, NumPy and torch alike, and refuses a bool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from qwenvl.errors import RunError
from qwenvl.inference.report import row_report
from qwenvl.inference.run import Run
from tests.support.tiny import TINY, mixed_run

Integer = Callable[[int], Any]
ENTRIES: dict[str, Callable[[Run, Integer], Any]] = {
    "attention": lambda run, of: run.attention("language", query=of(30), layer=of(2), head=of(1)),
    "attention of a patch": lambda run, of: run.attention("vision", query=of(5), layer=of(0), head=of(1), media=of(1)),
    "column": lambda run, of: run.column("language", key=of(30), layer=of(2), head=of(1)),
    "column of a patch": lambda run, of: run.column("vision", key=of(5), layer=of(1), head=of(0), media=of(1)),
    "shares": lambda run, of: run.shares(of(60), of(1)),
    "token_weights": lambda run, of: run.token_weights(query=of(60), layer=of(2), head=of(1), media=of(0)),
    "image_map": lambda run, of: run.image_map(query=of(60), layer=of(2), head=of(1), adapter_head=of(1), media=of(0)),
    "map_without_sinks": lambda run, of: run.map_without_sinks(query=of(60), layer=of(2), head=of(1)).values,
    "map_against_neutral": lambda run, of: run.map_against_neutral(query=of(60), layer=of(2), head=of(1)).values,
    "statistics": lambda run, of: run.statistics(of(60), of(0)).share,
    "sinks": lambda run, of: run.sinks(of(1)),
    "tower_statistics": lambda run, of: run.tower_statistics(media=of(1), frame=of(1)).distance,
    "position_similarity": lambda run, of: run.position_similarity(patch=of(9), media=of(1)),
    "boxes": lambda run, of: run.boxes(of(0)),
    "reconstructed": lambda run, of: run.reconstructed(of(1), of(0)).frames,
    "word_probabilities": lambda run, of: run.word_probabilities(of(30)),
    "alternatives": lambda run, of: run.alternatives(of(run.answer_start)),
    "probability": lambda run, of: run.probability(of(run.answer_start)),
    "without": lambda run, of: run.without(of(run.answer_start), patches=[of(3)], media=of(0), layers=[of(1)]),
    "deletion_curves": lambda run, of: list(run.deletion_curves(of(run.answer_start), layer=of(1), steps=2, seeds=0)),
    "patch_box": lambda run, of: run.media[0].patch_box(of(3)),
    "row_report": lambda run, of: row_report(run, "language", query=of(60), layer=of(1), head=of(0), media=of(0))[
        "row"
    ],
}
ADAPTER: dict[str, Callable[[Run, Integer], Any]] = {
    "attention": lambda run, of: run.attention("adapter", query=of(40), head=of(1), media=of(1)),
    "column": lambda run, of: run.column("adapter", key=of(40), head=of(1), media=of(1)),
    "adapter_matrix": lambda run, of: run.adapter_matrix(media=of(1), frame=of(1), head=of(0)),
    "query_statistics": lambda run, of: run.query_statistics(media=of(1), frame=of(1), head=of(0)).entropy,
}


@pytest.fixture(params=TINY)
def run(request: pytest.FixtureRequest) -> Run:
    return mixed_run(request.param)


def assert_same(found: Any, expected: Any) -> None:
    if isinstance(expected, torch.Tensor):
        assert torch.equal(found, expected)
    else:
        assert found == expected


@pytest.mark.parametrize("kind", [np.int64, np.uint16, torch.tensor])
@pytest.mark.parametrize("entry", ENTRIES)
def test_any_integer_is_an_index(run: Run, entry: str, kind: Integer) -> None:
    assert_same(ENTRIES[entry](run, kind), ENTRIES[entry](run, int))


@pytest.mark.parametrize("kind", [np.int64, torch.tensor])
@pytest.mark.parametrize("entry", ADAPTER)
def test_any_integer_is_an_index_of_the_adapter(entry: str, kind: Integer) -> None:
    run = mixed_run("tiny-qwen-vl")
    assert_same(ADAPTER[entry](run, kind), ADAPTER[entry](run, int))


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_bool_is_no_index(run: Run, entry: str) -> None:
    with pytest.raises(RunError):
        ENTRIES[entry](run, bool)


@pytest.mark.parametrize("name", TINY)
def test_what_an_analysis_makes_is_remembered_up_to_its_limit(name: str) -> None:
    made: list[int] = []

    def make() -> torch.Tensor:
        made.append(1)
        return torch.zeros(8)

    run = replace(mixed_run(name))
    before = run.nbytes
    for _ in range(2):
        run.remember("large", make, max_bytes=31)
    assert len(made) == 2
    assert run.nbytes == before
    for _ in range(2):
        run.remember("small", make, max_bytes=32)
    assert len(made) == 3
    assert run.nbytes == before + 32
