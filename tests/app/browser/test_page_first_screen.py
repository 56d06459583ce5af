"""What a newcomer finds: a finished example, no outside request, a clean console, in every width and theme."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

VIEWS = ("Patches", "Positions", "Adapter", "Answer")
SCREENSHOT = Path(__file__).parents[3] / "docs" / "screenshot.png"


def test_the_first_screen_is_a_finished_example_and_asks_nobody_outside(visitor: Any) -> None:
    visitor.settle()
    example = visitor.session.example(visitor.session.examples()[0]["name"])
    assert {letter: visitor.state(f"selection.run.{letter}") for letter in "AB"} == example
    assert visitor.word("A", 0).count() == 1
    for view in VIEWS:
        visitor.view(view)
    visitor.page.wait_for_selector(".view-answer")
    assert visitor.outside == []
    assert visitor.complaints == []


def test_the_page_says_what_its_weights_are(visitor: Any) -> None:
    cards = visitor.session.model_cards()
    words = "Tiny demo weights" if all(card["trained"] for card in cards) else "Untrained demo weights"
    assert words in visitor.part("badge").inner_text()


def test_no_path_of_this_machine_reaches_the_browser(visitor: Any) -> None:
    config = visitor.page.evaluate("() => JSON.stringify(window.gradio_config)")
    for example in visitor.session.examples():
        for media in example["media"]:
            assert media["path"] not in config
            assert media["path"] not in visitor.page.content()


@pytest.mark.slow
def test_no_width_scrolls_sideways(visitor: Any) -> None:
    for view in VIEWS:
        visitor.page.set_viewport_size({"width": 1440, "height": 844})
        visitor.view(view)
        for width in (1800, 1100, 800, 390):
            visitor.page.set_viewport_size({"width": width, "height": 844})
            visitor.settle()
            wide = visitor.page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
            assert wide <= 0, f"{view} is {wide} px too wide at {width}"


def test_a_phone_shows_one_model_and_keeps_the_selection(visit: Callable[..., Any]) -> None:
    visitor = visit(390, 844)
    visitor.open()
    visitor.settle()
    selection = visitor.state("selection")
    assert visitor.part("head-card", "A").is_visible()
    assert all(pen.is_visible() for pen in visitor.part("pen-words").all())  # what orange and blue stand for
    assert not visitor.part("head-card", "B").is_visible()
    visitor.page.locator("[data-part~=letter-switch] button").nth(1).click()
    visitor.part("head-card", "B").wait_for(state="visible")
    assert not visitor.part("head-card", "A").is_visible()
    assert visitor.state("selection") == selection
    visitor.part("askbar-open").click()
    visitor.page.locator("#question textarea").wait_for(state="visible")


@pytest.mark.slow
def test_dark_is_dark_and_the_choice_lasts(visit: Callable[..., Any]) -> None:
    visitor = visit()
    visitor.open()
    assert visitor.page.evaluate("() => document.body.classList.contains('dark')") is False
    visitor.page.get_by_role("button", name="Light theme; switch to dark").click()
    ground = "() => getComputedStyle(document.body).backgroundColor"
    assert visitor.page.evaluate(ground) == "rgb(14, 16, 20)"
    visitor.open()
    visitor.page.wait_for_function("() => document.body.classList.contains('dark')")
    visitor.page.evaluate("() => localStorage.clear()")


def test_a_reload_brings_the_view_back_and_a_gone_run_says_so(visitor: Any) -> None:
    visitor.settle()
    visitor.word("B", 2).click()
    visitor.settle()
    visitor.view("Adapter")
    assert "sel=view=adapter" in visitor.address()
    before = visitor.state("selection")
    visitor.page.reload()
    visitor.wait()
    visitor.settle()
    assert visitor.state("selection") == before
    visitor.open("?a=" + "A" * 22 + "&b=" + "B" * 22)
    notice = visitor.part("notice")
    assert "no longer kept" in notice.inner_text()
    assert visitor.state("runs.A.id") == visitor.session.example(visitor.session.examples()[0]["name"])["A"]


def test_what_a_model_says_is_never_markup(
    kept: Callable[..., dict[str, str]], visit: Callable[..., Any], photo: Path
) -> None:
    said = "<img src=x onerror=document.title='broken'> <b>bold</b>"
    ids = kept({"A": said, "B": said}, photo, question=said)
    visitor = visit()
    visitor.open(f"?a={ids['A']}&b={ids['B']}")
    visitor.settle()
    assert (
        visitor.page.locator(
            "[data-part~=head-card] [data-part~=words] img, [data-part~=head-card] [data-part~=words] b"
        ).count()
        == 0
    )
    assert visitor.page.title() != "broken"
    shown = visitor.page.locator('[data-part~=head-card][data-letter="A"] [data-part~=words]').text_content()
    assert said.replace(" ", "") in shown.replace("space", "").replace(" ", "")


def test_a_picture_of_the_page(visitor: Any, tmp_path: Path) -> None:
    """The README's screenshot; written into docs/ when SCREENSHOT is set."""
    visitor.settle()
    visitor.page.wait_for_timeout(300)
    path = SCREENSHOT if os.environ.get("SCREENSHOT") else tmp_path / "screenshot.png"
    path.parent.mkdir(exist_ok=True)
    visitor.page.screenshot(path=str(path))
    assert path.stat().st_size > 50_000
