"""Runs and their results show themselves briefly, go into NumPy's files and through pickle."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

import qwenvl
from qwenvl.errors import RunError
from qwenvl.inference.report import run_report
from qwenvl.inference.run import Run

PICTURE = str(Path(__file__).parents[2] / "app" / "examples" / "shapes.png")
MESSAGES = [
    {
        "role": "user",
        "content": [{"type": "image", "image": PICTURE}, {"type": "text", "text": "What <b>shape</b>?\nSay it."}],
    }
]


@pytest.fixture(scope="module", params=["tiny-qwen-vl", "tiny-qwen2-vl"])
def run(request: pytest.FixtureRequest) -> Run:
    return qwenvl.load(request.param).run(MESSAGES, answer="米色 <i>cat</i> \U0001f468\u200d\U0001f469")


def test_everything_is_shown_in_eight_lines(run: Run) -> None:
    pipeline = run.pipeline
    assert pipeline is not None
    query = run.answer_start - 1
    shown = [
        run,
        pipeline,
        pipeline.processor(MESSAGES),
        qwenvl.plan([PICTURE] * 9, "Qwen2-VL-7B"),
        run.logit_lens(),
        run.statistics(query),
        run.tower_statistics(),
        run.map_without_sinks(query=query),
        run.map_against_neutral(query=query),
        run.without(run.answer_start, patches=[0]),
        *([run.query_statistics(), run.code_similarity()] if "adapter" in run.sites else []),
    ]
    for one in shown:
        assert len(repr(one).splitlines()) <= 8, type(one)
        assert len(repr(one)) < 1000, type(one)
        assert type(one).__name__ in repr(one)
        html = one._repr_html_()
        assert "<table>" in html
        assert "<i>cat" not in html
        assert "<b>shape" not in html
    assert f"(4, {len(run.tokens)}, 5)" in repr(run.logit_lens())
    assert "<img " in run._repr_html_()


def test_words_are_written_whole(run: Run) -> None:
    words = run_report(run, words=True)["words"]
    special = [word for word in words if all(run.tokens[token].kind == "special" for token in word["tokens"])]
    text = "".join(word["text"] for word in words if word not in special)
    assert text == run.answer
    assert "\ufffd" not in text


def test_arrays_are_the_runs_own(run: Run, tmp_path: Path) -> None:
    run.to_arrays(tmp_path / "run.npz")
    with np.load(tmp_path / "run.npz") as arrays:
        assert arrays["ids"].tolist() == [token.id for token in run.tokens]
        np.testing.assert_array_equal(arrays["positions"], run.positions.numpy())
        assert {name for name in arrays.files if "." in name} == {*run.kept, "visual.0"}
        for name, value in run.kept.items():
            np.testing.assert_array_equal(arrays[name], value.float().cpu().numpy())
    with pytest.raises(RunError, match=r"written as \.npz, not \.csv"):
        run.to_arrays(tmp_path / "run.csv")
    with pytest.raises(RunError, match="cannot be written"):
        run.to_arrays(tmp_path / "nowhere" / "run.npz")


def test_a_pickled_run_gives_the_same_rows_without_its_pipeline(run: Run) -> None:
    other = pickle.loads(pickle.dumps(run))
    assert other.pipeline is None
    assert run.pipeline is not None
    assert (other.answer, other.tokens) == (run.answer, run.tokens)
    query = run.answer_start - 1
    assert torch.equal(other.image_map(query=query), run.image_map(query=query))
    assert "no pipeline" in repr(other)
