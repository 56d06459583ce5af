"""The tour's answers are the run's own, and the page speaks the visitor's language."""

from __future__ import annotations

import re
from typing import Any

import pytest

import qwenvl

pytestmark = [pytest.mark.browser, pytest.mark.slow]

GUESSES = ("1", "1", "1", "1", None, "1")  # None: a choice among options


def _look(visitor: Any, guess: str | None) -> str:
    """Guess at the stop on screen, look, and read the sentence of the value."""
    page = visitor.page
    if guess is None:
        page.check("[data-part~=tour] input[value='0']")
    else:
        page.fill("[data-part~=tour-number]", guess)
    page.click("[data-part~=tour-look]")
    page.wait_for_selector("[data-part~=tour-verdict]")
    return str(page.inner_text("[data-part~=tour-body] p:nth-of-type(3)"))


def test_every_stop_of_the_tour_tells_what_the_library_counts(visitor: Any) -> None:
    page = visitor.page
    page.click("[data-part~=topbar] button:text-is('Tour')")
    said = []
    for guess in GUESSES:
        said.append(_look(visitor, guess))
        page.click("[data-part~=tour-foot] button:last-child")
    near, far = visitor.run("B"), visitor.run("A")
    (media,) = near.media
    (planned,) = qwenvl.plan([(1280, 720)], "Qwen2-VL-7B").media
    first = next(i for i, token in enumerate(near.tokens) if token.kind == "image")
    marks = near.positions[0, first - 1], near.positions[0, first + media.num_tokens]
    query_row = far.attention("adapter", query=0, head="mean").double().sort(descending=True).values
    half = int((query_row.cumsum(0) < query_row.sum() / 2).sum()) + 1
    word = visitor.state("runs.B.start.word")
    row = near.words[word][0] - 1
    share = 100 * float(near.shares(row).double().mean())
    numbers = [re.findall(r"[\d,.]+\d|\d", text.split("It is")[1]) for text in said]
    assert numbers[0] == [f"{planned.num_tokens:,}"]
    assert numbers[1] == [f"{media.num_tokens:,}"]
    assert numbers[2] == [str(half)]
    assert numbers[3] == [str(int(marks[1] - marks[0]) + 1)]
    assert "All of them" in said[4]
    assert near.attention("vision", layer=0, query=0).shape[-1] == media.num_patches
    assert float(numbers[5][0]) == pytest.approx(share, abs=0.051)
    assert page.locator("[data-part~=tour]").is_hidden()
    assert visitor.complaints == []


def test_the_tour_asks_for_a_guess_and_leaves_with_escape(visitor: Any) -> None:
    page = visitor.page
    page.click("[data-part~=topbar] button:text-is('Tour')")
    page.click("[data-part~=tour-look]")
    assert page.inner_text("[data-part~=tour-warn]") == "Write a number first, then look."
    page.keyboard.press("Escape")
    assert page.locator("[data-part~=tour]").is_hidden()
    assert visitor.state("selection.query.A") is not None  # Esc closed the tour and let nothing go


def test_the_page_changes_its_language_and_loses_nothing(visitor: Any) -> None:
    page = visitor.page
    page.fill("#question textarea", "Is there a cross?")
    before = visitor.state("selection")
    page.select_option("[data-part~=topbar] [data-part~=language]", "zh")
    page.wait_for_function("() => document.querySelector('#ask').textContent.trim() === '两个都问'")
    assert page.get_by_role("tab", name="回答").get_attribute("aria-selected") == "true"
    assert page.input_value("#question textarea") == "Is there a cross?"
    assert visitor.state("selection") == before
    assert page.evaluate("document.documentElement.lang") == "zh"
    page.select_option("[data-part~=topbar] [data-part~=language]", "en")
    page.wait_for_function("() => document.querySelector('#ask').textContent.trim() === 'Ask both'")
    assert visitor.complaints == []
