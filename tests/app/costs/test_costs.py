"""Forecasts of memory and time: against what tiny models really take, and the offers where something does not fit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

import qwenvl
from app.asking.conversation import Conversation, Settings
from app.asking.failures import PromptRefused
from app.asking.model_choice import ModelChoice
from app.costs.costs import Ways, costs, fits, kept_bytes, layer_bytes, refusal
from app.costs.fitting import Asked, fewer_pixels
from app.models.memory import Budgets, budgets
from app.models.pace import Pace, Speed, guess
from app.models.terms import Terms
from app.serving.session import Session
from qwenvl.models.config import QWEN2_VL_7B, QWEN_VL

GIB = 1 << 30
FAST = Speed(1e12, 1e10, True)
ROOMY = Budgets(weights=100 * GIB, runs=10 * GIB, free=200 * GIB)


def terms(budgets: Budgets, size: int = 2, keep: Any = "all") -> Terms:
    return Terms(QWEN2_VL_7B, size, keep, 64, budgets, FAST, "the 7B")


def planned(pixels: int = 12_845_056, size: int = 2, preset: str = "Qwen2-VL-7B") -> qwenvl.plan:
    return qwenvl.plan((4000, 3000), preset, max_pixels=pixels, answer_tokens=64, bytes_per_value=size)


def found(budgets: Budgets, size: int = 2, keep: Any = "all", pixels: int = 12_845_056) -> dict[str, Any]:
    plan = planned(pixels, size)
    return costs(plan, plan.prompt_tokens, terms(budgets, size, keep))


def refused(budgets: Budgets, size: int = 2, keep: Any = "all") -> dict[str, Any] | None:
    def costing(asked: Asked) -> dict[str, Any]:
        assert asked.max_pixels is not None
        return found(budgets, size, keep, asked.max_pixels)

    ways = Ways(
        frames=lambda: None,
        pixels=lambda: fewer_pixels(Asked((), None), lambda asked: fits(costing(asked), budgets)),
        frames_first=False,
        costs=costing,
    )
    return refusal(found(budgets, size, keep), terms(budgets, size, keep), ways)


# --- what is forecast is what happens ---


@pytest.mark.parametrize("letter", ["A", "B"])
@pytest.mark.parametrize("keep", ["all", "language", "fewer", "nothing"])
def test_the_bytes_of_queries_and_keys_are_what_the_run_then_keeps(
    tiny_session: Session, letter: str, keep: Any
) -> None:
    path = tiny_session.examples()[0]["media"][0]["path"]
    asked = Conversation().asking("What shape is the green object?", [path])
    settings = Settings(max_new_tokens=1, max_pixels=100_000, keep=keep)
    run = tiny_session.store.get(tiny_session.answer("ann", letter, asked, settings)).run
    forecast = tiny_session.forecast(
        [path], asked.turns[-1].question, max_pixels=100_000, min_pixels=3136, keep=keep, new_tokens=1
    )[letter]
    kept = run.kept
    assert forecast["keeps"] == sum(value.numel() * value.element_size() for value in kept.values())
    assert forecast["keeps"] == forecast["options"][keep]
    for site, (layers, _) in forecast["kept"].items():
        assert layers == sum(name.startswith(site) and name.endswith(".q") for name in kept)


@pytest.mark.parametrize("letter", ["A", "B"])
def test_weights_and_cache_are_the_models_own(tiny_session: Session, letter: str) -> None:
    forecast = tiny_session.forecast([], "What?", new_tokens=1)[letter]
    pipeline = tiny_session.pipeline(letter)
    assert forecast["weights"] == sum(value.nbytes for value in pipeline.model.parameters())
    assert forecast["loaded"]
    language = pipeline.config.language
    heads = getattr(language, "num_kv_heads", language.num_heads)
    tokens = forecast["prompt_tokens"] + 1
    assert forecast["cache"] == 2 * tokens * language.num_blocks * heads * language.head_dim * 4


def test_layers_share_their_sites_bytes() -> None:
    plan = qwenvl.plan((448, 448), "Qwen-VL-Chat")
    layers = layer_bytes(plan, QWEN_VL)
    assert len(layers) == 48 + 1 + 32
    assert sum(layers.values()) == sum(plan.trace_bytes.values())
    assert kept_bytes(layers, "language", 100 * GIB) == plan.trace_bytes["language"] + plan.trace_bytes["adapter"]


def test_time_follows_from_operations_and_bytes() -> None:
    cost, plan = found(ROOMY), planned()
    assert cost["seconds"]["read"] == pytest.approx(sum(plan.flops.values()) / 1e12)
    assert cost["seconds"]["token"] == pytest.approx((plan.weight_bytes + plan.kv_cache_bytes) / 1e10)


def test_a_pace_is_guessed_until_it_was_measured(tiny_session: Session) -> None:
    pace, chosen = Pace(), ModelChoice("tiny-qwen2-vl")
    assert pace.speed(chosen, torch.float32) == guess(torch.float32)
    assert guess(torch.float32).operations > 1e8
    path = tiny_session.examples()[0]["media"][0]["path"]
    asked = Conversation().asking("Describe the image.", [path])
    run_id = tiny_session.answer("ann", "B", asked, Settings(max_new_tokens=8, repetition_penalty=1.5))
    run = tiny_session.store.get(run_id).run
    pace.note(chosen, run, 1000)
    speed = pace.speed(chosen, torch.float32)
    assert speed.measured
    assert speed.bytes == pytest.approx(1000 * (len(run.tokens) - run.answer_start - 1) / run.seconds["answer"])


# --- what does not fit ---


def test_what_fits_is_not_refused() -> None:
    assert refused(ROOMY) is None


def test_keeping_less_is_offered_first() -> None:
    cost = found(ROOMY)
    tight = replace(ROOMY, free=cost["total"] - 1)
    refusal = refused(tight)
    assert refusal is not None
    assert refusal["offer"] == {"keep": "nothing"}
    assert "the 7B would take about" in refusal["sentence"]
    assert "keep nothing and replay instead" in refusal["sentence"]
    assert refused(tight, keep="nothing") is None  # the offer holds


def test_then_half_the_bytes() -> None:
    tight = replace(ROOMY, weights=20 * GIB, free=30 * GIB)
    refusal = refused(tight, size=4)
    assert refusal is not None
    assert refusal["offer"] == {"dtype": "bfloat16"}
    assert refused(tight, size=2) is None


def test_then_fewer_pixels_as_many_as_fit() -> None:
    small, bare = found(ROOMY, keep="nothing", pixels=784 * 2000), planned().weight_bytes
    tight = replace(ROOMY, weights=bare, free=small["total"])
    refusal = refused(tight, keep="nothing")
    assert refusal is not None
    pixels = refusal["offer"]["max_pixels"]
    assert found(tight, keep="nothing", pixels=pixels)["total"] <= tight.free
    assert found(tight, keep="nothing", pixels=pixels + 784 * 40)["total"] > tight.free


def test_what_nothing_helps_says_so() -> None:
    refusal = refused(replace(ROOMY, weights=2 * GIB, free=3 * GIB))
    assert refusal is not None
    assert refusal["offer"] is None
    assert refusal["sentence"].endswith("there is room for 3.0 GiB: choose a smaller model.")


def test_a_session_refuses_before_it_loads() -> None:
    session = Session(budgets=Budgets(weights=1000, runs=GIB, free=2000))
    with pytest.raises(PromptRefused, match=r"tiny-qwen2-vl would take about .*: choose a smaller model"):
        session.answer("ann", "B", Conversation().asking("What is it?"))
    assert not session.models.is_loaded(session.models.first["B"])


def test_budgets_leave_room_for_both_runs_of_a_visitor() -> None:
    found = budgets()
    assert 2 * found.trace < found.visitor < found.runs
    assert found.weights < found.free
    assert budgets(weights=5).weights == 5
