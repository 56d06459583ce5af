"""Maps relative to a neutral question, against that question asked by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from qwenvl.analysis import neutral_question as neutral
from qwenvl.errors import RunError
from qwenvl.inference.run import Run
from tests.support.tiny import SPOKEN, TINY, mixed_messages, mosaic, one_picture, tiny


@pytest.fixture(params=TINY, scope="module")
def run(request: pytest.FixtureRequest) -> Run:
    return tiny(request.param).run(mixed_messages(), answer=SPOKEN)


@pytest.fixture(scope="module")
def other(run: Run) -> Run:
    """The neutral question, asked by hand."""
    messages = mixed_messages()
    media = [part for part in messages[-1]["content"] if part["type"] != "text"]
    messages[-1]["content"] = [*media, {"type": "text", "text": "Describe the image."}]
    return tiny(run.card.name).run(messages, answer="anything")


def test_the_neutral_row_is_the_last_of_the_neutral_prompt(run: Run, other: Run) -> None:
    rows = neutral.neutral_rows(run)
    assert rows.row == other.answer_start - 1
    places = torch.cat([other.visual[media] for media in range(3)])
    for layer in range(run.num_layers("language")):
        expected = other.attention("language", layer=layer, query=rows.row)[:, places]
        torch.testing.assert_close(rows.weights[layer], expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("layer", "head", "media"), [(1, 2, 0), (0, "mean", 1), ("mean", 1, 2), ("mean", "mean", 0), (3, 0, 1)]
)
def test_a_relative_map_is_the_difference_of_both_scaled(
    run: Run, other: Run, layer: int | str, head: int | str, media: int
) -> None:
    query = len(run.tokens) - 2
    chosen = {"layer": layer, "head": head, "media": media}
    found = run.map_against_neutral(query=query, **chosen)
    one, two = run.image_map(query=query, **chosen), other.image_map(query=other.answer_start - 1, **chosen)
    expected = one / one.sum() - two / two.sum()
    torch.testing.assert_close(found.values, expected, atol=2e-5, rtol=0)
    assert float(found.values.double().sum()) == pytest.approx(0, abs=2e-5)
    assert found.share == pytest.approx(float(one.sum()), abs=1e-5)
    assert found.neutral_share == pytest.approx(float(two.sum()), abs=1e-5)
    assert found.question == "Describe the image."


def test_it_is_asked_once_and_counted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_remembered", {})
    before = run.nbytes
    first = neutral.neutral_rows(run)
    assert neutral.neutral_rows(run) is first
    assert run.nbytes == before + first.weights.numel() * 4
    monkeypatch.setattr(neutral, "MAX_BYTES", 0)
    monkeypatch.setattr(run, "_remembered", {})
    neutral.neutral_rows(run)
    assert "neutral rows" not in run._remembered


def test_without_a_picture_or_a_model_it_is_one_sentence(run: Run) -> None:
    with pytest.raises(RunError, match="load the run with its pipeline"):
        replace(run, pipeline=None).map_against_neutral(query=5)
    bare = tiny(run.card.name).run([{"role": "user", "content": "What?"}], answer=SPOKEN)
    with pytest.raises(RunError, match="no picture"):
        bare.map_against_neutral(query=2)


def test_the_same_question_has_nothing_to_show() -> None:
    run = tiny(TINY[1]).run(one_picture(mosaic(6, 4), "Describe the image."), answer=SPOKEN)
    found = run.map_against_neutral(query=run.answer_start - 1, layer=1, head=0)
    assert float(found.values.abs().max()) < 1e-5
