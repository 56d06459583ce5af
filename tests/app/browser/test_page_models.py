"""Choosing models on the page, and what a run keeps: the answers, the forecast and the words follow."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.asking.asking import Asking
from app.serving.session import Session
from qwenvl.published_files.keys import HARMLESS, check_keys
from tests.support.sentences import english

EXAMPLES = Path(__file__).parents[3] / "app" / "examples"

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def choose(visitor: Any, letter: str, label: str) -> None:
    visitor.page.get_by_label(f"Model {letter}", exact=True).select_option(label)


def test_one_family_in_both_columns(visitor: Any) -> None:
    choose(visitor, "A", "tiny-qwen2-vl")
    visitor.page.wait_for_function(
        "() => document.querySelector('[data-part~=notice]')?.textContent.includes('models have changed')"
    )
    visitor.until("[data-part~=result-line] span", "532 × 364, 247 tokens")
    visitor.ask()
    runs = [visitor.run(letter) for letter in "AB"]
    assert [run.card.family for run in runs] == ["qwen2-vl", "qwen2-vl"]
    assert runs[0].answer == runs[1].answer
    for view in visitor.page.evaluate(
        "() => [...document.querySelectorAll('[role=tab]')].map((tab) => tab.textContent)"
    ):
        visitor.view(view)
    _, mark, fragment = visitor.address().partition("#")
    assert "sel=view=boxes" in fragment
    visitor.page.goto("about:blank")
    visitor.open(mark + fragment)  # a link brings the models too
    visitor.page.wait_for_function("() => document.querySelector('#models select')?.value === 'tiny-qwen2-vl'")
    choose(visitor, "A", "tiny-qwen-vl")
    visitor.until("[data-part~=result-line] span", "224 × 224, always")
    assert visitor.complaints == []


def test_the_rail_says_what_a_run_keeps_before_and_after(visitor: Any, tiny_session: Session) -> None:
    page, keeps = visitor.page, visitor.part("keeps")
    assert "What this run keeps" in keeps.inner_text()
    page.get_by_label("What the next run keeps").select_option("nothing")
    page.wait_for_function(
        "() => document.querySelector('[data-part~=keeps] h3').textContent === 'What a run would keep'"
    )
    page.wait_for_function("() => document.querySelector('[data-part~=keeps]').textContent.includes('≈ A 0 B, B 0 B')")
    visitor.ask()
    page.wait_for_function(
        "() => document.querySelector('[data-part~=keeps] h3').textContent === 'What this run keeps'"
    )
    assert "A 0 B, B 0 B" in keeps.inner_text()
    assert visitor.run("A").kept == {}
    visitor.select(layer={"A": 1, "B": 1})
    assert visitor.complaints == []


def test_what_cannot_fit_is_refused_with_a_way_that_works(
    visitor: Any, tiny_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = tiny_session.forecast([], "x")["B"]
    short = usual["weights"] + usual["work"] + usual["cache"] + (2 << 20)
    tight = type(tiny_session.budgets)(tiny_session.budgets.weights, tiny_session.budgets.runs, short)
    monkeypatch.setattr(tiny_session, "budgets", tight)
    page = visitor.page
    page.fill("#question textarea", "Does it fit?")
    page.locator("[data-part~=keep-refusal]").first.wait_for()
    assert "would take about" in page.locator("[data-part~=keep-refusal]").first.inner_text()
    page.click("#ask")
    page.wait_for_function("() => window.__inspector.state.failed.A && !window.__inspector.state.busy")
    assert "there is room for" in english(visitor.state("failed.A.sentence"))
    assert visitor.complaints == []


def hold_answers(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Answers wait at their first word until the event is set."""
    go_on, tell = threading.Event(), Asking.tell

    def wait_and_tell(self: Asking, state: str, *args: Any, **more: Any) -> None:
        tell(self, state, *args, **more)
        assert state != "answering" or go_on.wait(60)

    monkeypatch.setattr(Asking, "tell", wait_and_tell)
    return go_on


def test_what_is_changed_while_an_answer_is_made_stays(visitor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, page, before = hold_answers(monkeypatch), visitor.page, visitor.state("selection.run")
    page.fill("#question textarea", "What is this?")
    page.click("#ask")
    page.wait_for_function("() => window.__inspector?.state.live.A?.state === 'answering'")
    visitor.upload(EXAMPLES / "text.png")
    page.fill("#question textarea", "And what is that?")
    page.get_by_label("What the next run keeps").select_option("nothing")
    go_on.set()
    visitor.answered(before)
    page.wait_for_function(
        "() => document.querySelector('[data-part~=notice]')?.textContent.includes('pictures have changed')"
    )
    assert page.locator("#rail [data-part~=media-name]").all_inner_texts() == ["text.png"]
    assert page.locator("#question textarea").input_value() == "And what is that?"
    assert page.get_by_label("What the next run keeps").input_value() == "nothing"
    assert visitor.run("A").messages[-1]["content"][-1]["text"] == "What is this?"
    assert visitor.run("A").media[0].name == "shapes.png"
    visitor.ask()
    assert visitor.run("B").media[0].name == "text.png"
    assert visitor.complaints == []


def test_scripts_that_come_while_an_example_is_answered(
    visit: Callable[..., Any], tiny_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gradio changes a value in place while a handler streams: what a script finds then must be whole."""
    go_on = hold_answers(monkeypatch)
    monkeypatch.setattr(tiny_session, "are_shipped", lambda *_: False)  # as larger models are: asked word by word
    visitor, held = visit(), []
    parts = ("models", "media", "budget")
    for part in parts:
        visitor.page.route(f"**/rail/{part}.js", lambda route: held.append(route))
    visitor.page.goto(visitor.url)
    visitor.page.wait_for_function("() => window.__inspector?.state.live.A?.state === 'answering'")
    assert len(held) == len(parts)
    for route in held:
        route.continue_()
    visitor.page.wait_for_function("() => document.querySelector('#models select')")
    go_on.set()
    visitor.wait()
    visitor.until("[data-part~=result-line] span", "532 × 364, 247 tokens")
    assert visitor.page.eval_on_selector_all("#models select", "(all) => all.map((one) => one.ariaLabel)") == [
        "Model A",
        "Model B",
        "Number format of the weights",
    ]
    assert visitor.page.locator("#rail [data-part~=media-name]").all_inner_texts() == ["shapes.png"]
    assert visitor.complaints == []


def test_what_was_to_be_said_of_a_checkpoint_stands_at_its_answer(
    visitor: Any, tiny_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = check_keys("config.json", {"hidden_sise": 1}, {"hidden_size": HARMLESS})
    monkeypatch.setattr(tiny_session.pipeline("B"), "notes", tuple(notes))
    visitor.ask("What is this?")
    assert visitor.part("head-card", "A").locator("[data-part~=files-note]").count() == 0
    note = visitor.part("head-card", "B").locator("[data-part~=files-note]")
    assert note.locator("summary").inner_text() == "1 note on this answer"
    note.locator("summary").click()
    assert note.locator("p").inner_text() == notes[0]
    assert "'hidden_sise', a key that is not known here and changes nothing" in notes[0]
    assert visitor.complaints == []
