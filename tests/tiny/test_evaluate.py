"""Figures are what they say: right answers count, boxes by their overlap, attention by what it falls on."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from qwenvl.inference.pipeline import Pipeline
from qwenvl.loading.load import CHECKPOINTS, load
from qwenvl.tiny import __main__ as command_line
from qwenvl.tiny import evaluate
from qwenvl.tiny.cases import ROWS, SIZES, SWEEPS, draw_cases, draw_sweep
from qwenvl.tiny.evaluate import Row, iou, judge, names_in
from qwenvl.tiny.questions import spell


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return load(CHECKPOINTS / "tiny-qwen2-vl", device="cpu")


def test_overlap_of_boxes() -> None:
    assert iou((0, 0, 10, 10), (0, 0, 10, 10)) == 1
    assert iou((0, 0, 10, 10), (5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert iou((0, 0, 10, 10), (20, 20, 30, 30)) == 0


@pytest.mark.parametrize("name", ROWS)
def test_every_row_has_cases_whose_own_answer_is_right_and_another_is_not(name: str, pipeline: Pipeline) -> None:
    cases = list(draw_cases(name, seed=4, count=3))
    assert len(cases) == 3
    for case in cases:
        assert judge(pipeline, case, spell(case.question.answer, "qwen2-vl"), Row())
        assert not judge(pipeline, case, "something else", Row())


def test_the_same_seed_draws_the_same_cases() -> None:
    first, again, other = (list(draw_cases("colour", seed, 4)) for seed in (1, 1, 2))
    assert [case.question for case in first] == [case.question for case in again]
    assert [case.scenes for case in first] == [case.scenes for case in again]
    assert [case.scenes for case in first] != [case.scenes for case in other]


def test_an_answerer_that_knows_everything_gets_everything(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([spell(case.question.answer, "qwen2-vl") for case in draw_cases("grounding", 9, 5)])
    monkeypatch.setattr(evaluate, "answer", lambda pipeline, messages: next(answers))
    row = evaluate.evaluate(pipeline, seed=9, scenes=5, rows=["grounding"])["rows"]["grounding"]
    assert (row["right"], row["asked"]) == (1.0, 5)
    assert row["mean_iou"] > 0.97


def test_pointing_counts_a_row_by_what_it_falls_on() -> None:
    covers = np.zeros((2, 4, 4))
    covers[0, :2, :2], covers[1, 2:, 2:] = 1, 1
    even = np.full((4, 4), 1 / 16)
    assert evaluate._figures(even, covers, 0) == pytest.approx((1, 1, 1, 1), abs=1e-6)
    on_first = np.where(covers[0] > 0, 0.2, 0.0)
    assert evaluate._figures(on_first, covers, 0) == pytest.approx((3.2, 0, 0.8, 1))
    assert evaluate._figures(on_first, covers, 1) == pytest.approx((0, 3.2, 0.8, 0))


def test_the_command_writes_its_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "figures.json"
    arguments = ["evaluate", "tiny-qwen2-vl", "--scenes", "2", "--rows", "colour", "direction", "--json", str(path)]
    monkeypatch.setattr(sys, "argv", ["qwenvl.tiny", *arguments])
    command_line.main()
    assert set(json.loads(path.read_text(encoding="utf-8"))["rows"]) == {"colour", "direction"}
    assert "colour" in capsys.readouterr().out


def test_pointing_measures_every_head_and_chooses_on_other_scenes(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    colour = next(c for c in draw_cases("colour", 2, 9) if len(c.scenes[0].things) > 1)
    layers, heads = pipeline.config.language.num_blocks, pipeline.config.language.num_heads
    measured = evaluate._measure(pipeline, colour)
    assert measured.shape == (2, layers, heads, 4)
    assert 0 < measured[..., 2].max() <= 1

    learn, test = np.zeros((1, 2, layers, heads, 4)), np.zeros((1, 2, layers, heads, 4))
    learn[0, 1, 1, 0, 0], test[0, 1, 1, 0], test[0, 0, 0, 0, 0] = 9, (5, 0.5, 0.8, 1), 99
    drawn = iter([learn, test])

    def measures(pipeline: Pipeline, seed: int, scenes: int) -> list[tuple[str, np.ndarray]]:
        return [(task, figures) for figures in next(drawn) for task in ("colour", "shape")]

    monkeypatch.setattr(evaluate, "_measures", measures)
    found = evaluate.pointing(pipeline, seed=1, scenes=1)["colour"]
    assert (found["row"], found["layer"], found["head"]) == ("answer", 1, 0)
    assert (found["target"], found["distractor"], found["on_picture"]) == (5, 0.5, 0.8)


def test_a_caption_is_right_by_the_things_it_names_in_any_order(pipeline: Pipeline) -> None:
    (case,) = draw_cases("caption", 11, 1)
    names = [f"{thing.colour} {thing.shape}" for thing in case.scenes[0].things]
    assert judge(pipeline, case, " and ".join(f"a {name}" for name in reversed(names)), Row())
    assert not judge(pipeline, case, " and ".join([*names, "a pink heart"]), Row())
    assert not judge(pipeline, case, " and ".join(names[1:]), Row())
    assert names_in("a red star, a red star and a mint background")["red", "star"] == 2


@pytest.mark.parametrize("sweep", SWEEPS)
def test_every_point_of_a_curve_asks_about_things_of_its_size(sweep: str) -> None:
    for value in list(SWEEPS[sweep])[::3]:
        cases = list(draw_sweep(sweep, value, 3, 2))
        assert cases
        for case in cases:
            scene = case.scenes[0]
            size = scene.items[case.question.subjects[0]].size
            if "longer side" in sweep:
                assert max(scene.size) == value
                assert 22 <= size <= 28
            else:
                assert 600 < max(scene.size) <= 1008
                assert value <= size <= value + 1


def test_the_command_draws_curves_by_size(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(evaluate, "SWEEPS", {"shape by its size": SIZES[::3]})
    path = tmp_path / "curves.json"
    arguments = ["evaluate", "tiny-qwen2-vl", "--scenes", "1", "--by", "size", "--json", str(path)]
    monkeypatch.setattr(sys, "argv", ["qwenvl.tiny", *arguments])
    command_line.main()
    curves = json.loads(path.read_text())
    assert list(curves["shape by its size"]) == [str(size) for size in SIZES[::3]]
    assert "12 px" in capsys.readouterr().out
