"""The kernel of a run: integers of Python, NumPy and torch are indices alike, and what is not there is one sentence."""

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
from tests.support.tiny import TINY, mixed_run, tiny

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


@pytest.fixture
def qwen_vl() -> Run:
    return mixed_run("tiny-qwen-vl")


@pytest.fixture
def qwen2_vl() -> Run:
    return mixed_run("tiny-qwen2-vl")


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


# --- what cannot be answered ---


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"site": "ears", "layer": 0, "query": 0}, "no site 'ears'"),
        (
            {"site": "language", "layer": 4, "query": 0},
            r"Language layer 4 does not exist: this model has 4 \(indices 0 to 3\).",
        ),
        ({"site": "language", "layer": None, "query": 0}, "Language layer None is not an index"),
        ({"site": "language", "layer": "mean", "query": 0}, "Language layer 'mean' is not an index"),
        ({"site": "language", "layer": -1, "query": 0}, "Language layer -1 does not exist"),
        ({"site": "language", "layer": 0, "query": 10**6}, "Token 1000000 does not exist"),
        ({"site": "language", "layer": 0, "query": -1}, "Token -1 does not exist"),
        ({"site": "language", "layer": 0, "query": 2.0}, "Token 2.0 is not an index"),
        (
            {"site": "language", "layer": 0, "query": 0, "head": 4},
            r"Language head 4 does not exist: this model has 4 \(indices 0 to 3\), or 'mean'.",
        ),
        ({"site": "language", "layer": 0, "query": 0, "head": "max"}, "Language head 'max' is not an index"),
        ({"site": "vision", "layer": 0, "query": 10**6}, "Patch 1000000 does not exist"),
        (
            {"site": "vision", "layer": 0, "query": 0, "media": 3},
            r"Media 3 does not exist: this run has 3 \(ind",
        ),
        ({"site": "vision", "layer": 0, "query": 0, "media": -1}, "Media -1 does not exist"),
    ],
)
def test_what_is_not_there_is_one_clear_sentence(run: Run, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(RunError, match=message):
        run.attention(**asked)


def test_qwen2_vl_says_that_its_adapter_has_no_attention(qwen2_vl: Run) -> None:
    for ask in (
        lambda: qwen2_vl.attention("adapter", query=0),
        lambda: qwen2_vl.adapter_matrix(),
        lambda: qwen2_vl.num_heads("adapter"),
    ):
        with pytest.raises(RunError, match="adapter has no attention"):
            ask()
    assert qwen2_vl.sites == ("vision", "language")


def test_qwen_vls_adapter_has_256_queries_a_frame(qwen_vl: Run) -> None:
    with pytest.raises(RunError, match=r"Adapter query 256 does not exist: .* has 256 \(indices 0 to 255\)"):
        qwen_vl.attention("adapter", query=256)
    assert qwen_vl.attention("adapter", query=767, media=1).shape == (2, 1024)
    with pytest.raises(RunError, match=r"Adapter layer 1 does not exist: this model has 1 \(index 0\)"):
        qwen_vl.attention("adapter", query=0, layer=1)
    with pytest.raises(RunError, match="Frame 3 does not exist"):
        qwen_vl.adapter_matrix(media=1, frame=3)


def test_a_map_shows_one_head_or_the_mean(run: Run) -> None:
    with pytest.raises(RunError, match="one head or their mean"):
        run.image_map(query=run.answer_start, head=None)
    with pytest.raises(RunError, match="Language layer 9 does not exist"):
        run.image_map(query=run.answer_start, layer=9)


@pytest.mark.parametrize("name", TINY)
def test_a_run_without_pictures_says_so(name: str) -> None:
    run = tiny(name).run([{"role": "user", "content": "Hello?"}], answer="red")
    assert run.media == ()
    assert not run.shares(run.answer_start).any()
    assert run.attention("language", layer=0, query=3).shape == (4, 4)
    for ask in (
        lambda: run.image_map(query=3),
        lambda: run.attention("vision", layer=0, query=0),
        lambda: run.shares(3, media=0),
    ):
        with pytest.raises(RunError, match="no picture"):
            ask()
