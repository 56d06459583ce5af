"""The one selection: what is locked stays through the views, each says it, and Esc and Q act on nothing out of sight."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.words import percent
from qwenvl.statistics import own_map

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROW, COLUMN = 3, 6  # of 12 x 20 tokens
PLACE = [(COLUMN + 0.5) / 20, (ROW + 0.5) / 12]
HINT = ".inspector:not(.planner) .status-hint"


def noise(path: Path, size: tuple[int, int] = (560, 336)) -> Path:
    Image.effect_noise(size, 70).convert("RGB").save(path)
    return path


@pytest.fixture
def looking(kept: Callable[..., dict[str, str]], visit: Callable[..., Any], tmp_path: Path) -> Any:
    ids = kept({"A": "the cat", "B": "the cat"}, noise(tmp_path / "picture.png"))
    visitor = visit()
    visitor.open(f"?a={ids['A']}&b={ids['B']}")
    visitor.settle()
    return visitor


def until_said(visitor: Any, words: str) -> None:
    visitor.page.wait_for_function(
        "(words) => document.querySelector('.inspector:not(.planner) .status-sentence').textContent.includes(words)",
        arg=words,
    )


def go(visitor: Any, key: str) -> None:
    visitor.page.keyboard.press(key)
    visitor.settle()


def test_a_locked_place_stays_through_the_views_and_each_says_it(looking: Any) -> None:
    near, far = looking.run("B"), looking.run("A")
    looking.select(keys=PLACE)
    selection = looking.state("selection")
    at = {
        letter: {"query": selection["query"][letter] - 1, "layer": selection["layer"][letter]}
        | {"head": selection["head"][letter], "media": 0}
        for letter in "AB"
    }
    share = float(own_map(near, **at["B"])[0, ROW, COLUMN])
    until_said(looking, f"token ({ROW}, {COLUMN}): {percent(share)} of the row")
    _, down, across = far.media[0].patch_grid
    row, column = int(PLACE[1] * down), int(PLACE[0] * across)
    until_said(
        looking, f"patch ({row}, {column}): {percent(float(far.image_map(**at['A'])[0, row, column]))} of the row"
    )
    go(looking, "4")
    readers = far.adapter_matrix(media=0)[:, row * across + column]
    best = int(readers.argmax())
    until_said(
        looking, f"patch ({row}, {column}) read most by query {best}: {percent(float(readers[best]))} of its row"
    )
    go(looking, "5")
    until_said(looking, f"patch ({int(PLACE[1] * 24)}, {int(PLACE[0] * 40)}), vision layer")
    go(looking, "7")
    until_said(looking, f"token ({ROW}, {COLUMN}) reads “")
    go(looking, "8")
    assert looking.state("selection.keys") == PLACE
    go(looking, "6")
    looking.page.keyboard.press("Escape")
    assert looking.state("selection.keys") is None
    assert looking.state("selection.query.A") is not None
    assert looking.complaints == []


def test_escape_lets_go_of_what_a_view_drew_and_nothing_is_swapped_out_of_sight(looking: Any) -> None:
    page = looking.page
    for key, view in (("8", "causes"), ("9", "boxes")):
        go(looking, key)
        page.evaluate(
            "(view) => window.__inspector.actions.choose(view, { left: 100, top: 100, right: 300, bottom: 400 })", view
        )
        looking.settle()
        looking.until(HINT, "Locked. Esc lets go")
        page.keyboard.press("Escape")
        assert looking.state(f"selection.of_{view}.left") is None
        assert looking.state("selection.query.A") is not None  # the word is let go of after it
        page.keyboard.press("q")
        assert looking.state("selection.swap") is False
        looking.until(HINT, "No one row here to swap: Q works in Vision and Answer")
    page.keyboard.press("Escape")
    looking.until(HINT, "Hover to look, click to lock")
    go(looking, "5")
    page.keyboard.press("q")
    assert looking.state("selection.swap") is True
    page.keyboard.press("Escape")
    assert looking.state("selection.swap") is False
    assert looking.complaints == []


def test_an_address_counts_nothing_below_zero(looking: Any) -> None:
    address = looking.page.url.split("&sel=")[0]
    looking.page.goto(f"{address}&sel=view=answer;model=A;A=-4,-1,0;B=-2,0,-7;media=-1")
    looking.wait()
    looking.settle()
    assert looking.state("selection.query") == {"A": None, "B": None}
    assert looking.state("selection.media") == 0
    assert "Nothing is chosen" in looking.sentence()
    assert looking.complaints == []


def test_without_a_picture_no_view_speaks_of_one(
    kept: Callable[..., dict[str, str]], visit: Callable[..., Any]
) -> None:
    ids = kept({"A": "the cat", "B": "the cat"})
    visitor = visit()
    visitor.open(f"?a={ids['A']}&b={ids['B']}")
    for key in ("2", "4", "5", "8"):
        go(visitor, key)
        assert visitor.sentence() == "No picture in this question: this view needs one."
    go(visitor, "7")
    until_said(visitor, "layer")
    assert "so no visual token" in visitor.page.locator('.stage[data-letter="A"]').inner_text()
    assert visitor.complaints == []


def test_the_tour_asks_about_one_picture_only(
    kept: Callable[..., dict[str, str]], visit: Callable[..., Any], tmp_path: Path
) -> None:
    ids = kept({"A": "the cat", "B": "the cat"}, noise(tmp_path / "one.png"), noise(tmp_path / "two.png", (200, 300)))
    visitor = visit()
    visitor.open(f"?a={ids['A']}&b={ids['B']}")
    visitor.page.click(".topbar button:text-is('Tour')")
    assert visitor.page.locator(".tour-form").count() == 0  # what its stops tell would not hold
    visitor.page.click(".tour .link:text-is('Show the first example')")
    visitor.page.wait_for_selector(".tour-form")
    assert len(visitor.state("runs.B.media")) == 1
    assert visitor.complaints == []
