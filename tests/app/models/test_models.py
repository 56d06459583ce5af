"""Choosing models: what a visitor may ask for, what is loaded for it, and what a finished run says it was."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from app.asking.conversation import Conversation, Settings
from app.asking.model_choice import ModelChoice
from app.models.models import Models
from app.page.draft import Draft
from app.serving.session import Session
from qwenvl.errors import PromptError

SHORT = Settings(max_new_tokens=2, max_pixels=40_000)
A, B = "tiny-qwen-vl", "tiny-qwen2-vl"


@pytest.fixture
def models() -> Models:
    return Models((A, B), ())


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        (None, (ModelChoice(A), ModelChoice(B))),
        ("tiny-qwen2-vl", (ModelChoice(A), ModelChoice(B))),
        ({}, (ModelChoice(A), ModelChoice(B))),
        ({"A": {"label": B}}, (ModelChoice(B), ModelChoice(B))),
        ({"B": {"label": A, "dtype": "bfloat16"}, "C": {"label": "x"}}, (ModelChoice(A), ModelChoice(A, "bfloat16"))),
    ],
)
def test_what_is_not_chosen_stays_as_at_first(
    models: Models, asked: Any, chosen: tuple[ModelChoice, ModelChoice]
) -> None:
    assert tuple(models.chosen(asked).values()) == chosen


@pytest.mark.parametrize(
    "asked",
    [{"A": {"label": "/etc"}}, {"B": {"label": None}}, {"A": {"dtype": "int8"}}, {"A": {"label": A, "dtype": []}}],
)
def test_what_is_not_on_offer_is_refused(models: Models, asked: Any) -> None:
    with pytest.raises(PromptError):
        models.chosen(asked)


def test_the_list_says_what_each_model_is_and_no_path(models: Models) -> None:
    assert models.listing() == [
        {"label": A, "title": "Qwen-VL", "size_label": "tiny"},
        {"label": B, "title": "Qwen2-VL", "size_label": "tiny"},
    ]


def test_one_model_in_two_number_formats_is_two_models_in_memory(models: Models) -> None:
    with models.use(ModelChoice(B)) as wide, models.use(ModelChoice(B, "bfloat16")) as narrow:
        assert {parameter.dtype for parameter in wide.model.parameters()} == {torch.float32}
        assert {parameter.dtype for parameter in narrow.model.parameters()} == {torch.bfloat16}
    assert models.pool.num_bytes == 6 * wide.parameters
    assert models.weigh((B, "bfloat16")) == 2 * wide.parameters


def test_any_model_answers_in_any_column(tiny_session: Session) -> None:
    path = tiny_session.examples()[0]["media"][0]["path"]
    asked = Conversation().asking("What shape is the green object?", [path])
    by_b = tiny_session.answer("ann", "B", asked, SHORT)
    in_a = tiny_session.answer("ann", "A", asked, SHORT, ModelChoice(B))
    payload = tiny_session.run(in_a)
    assert (payload["letter"], payload["model"]["family"], payload["model"]["name"]) == ("A", "qwen2-vl", B)
    assert payload["answer"] == tiny_session.run(by_b)["answer"]
    assert tiny_session.store.get(in_a).chosen == ModelChoice(B)


def test_an_examples_run_is_made_once_for_each_model(tiny_session: Session) -> None:
    usual = tiny_session.example("shapes")
    other = {"A": ModelChoice(B), "B": ModelChoice(B)}
    chosen = tiny_session.example("shapes", other)
    assert chosen == tiny_session.example("shapes", other)
    assert chosen["B"] == usual["B"]
    assert chosen["A"] != usual["A"]
    assert tiny_session.run(chosen["A"])["model"]["family"] == "qwen2-vl"


def test_a_run_brings_its_model_back_when_a_layer_is_replayed() -> None:
    session = Session()
    path = session.examples()[0]["media"][0]["path"]
    asked = Conversation().asking("What shape is the green object?", [path])
    run = session.store.get(session.answer("ann", "B", asked, Settings(max_new_tokens=2, keep="nothing"))).run
    session.models.pool._held.clear()
    assert not session.models.is_loaded(session.models.first["B"])
    row = run.attention("language", layer=1, query=5)
    assert row.sum(dim=-1).allclose(torch.ones(len(row)))
    assert session.models.is_loaded(session.models.first["B"])


def test_an_answer_goes_stale_with_its_models() -> None:
    other = (("A", ModelChoice(B)), ("B", ModelChoice(B)))
    asked = Draft(models=other).conversation("What?", "")
    draft = Draft(models=other).answered(asked)
    assert draft.stale("What?", "") is None
    changed = Draft(last=asked, asked_models=other)
    assert changed.stale("What?", "") == "The models have changed since this answer."
    assert draft.keeping("fewer").keep == "fewer"
    assert draft.keeping({"keep": 3}).keep == "all"
    assert Draft(models=other, keep="nothing").on_example("shapes", ("a.png",)).models == other
