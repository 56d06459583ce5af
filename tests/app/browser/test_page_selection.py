"""The one selection: what is locked stays through the views, each says it; Esc and Q act on nothing out of sight."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.asking.words import percent
from qwenvl.analysis.row_statistics import own_map, region_share

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROW, COLUMN = 3, 6  # of 12 x 20 tokens
PLACE = [(COLUMN + 0.5) / 20, (ROW + 0.5) / 12]
HINT = "#inspector [data-part~=status-hint]"


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
        "(words) => document.querySelector('#inspector [data-part~=status-sentence]').textContent.includes(words)",
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
    runs = looking.state("selection.run")
    looking.page.goto(f"{looking.url}?a={runs['A']}&b={runs['B']}&sel=view=answer;model=A;A=-4,-1,0;B=-2,0,-7;media=-1")
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
    assert "so no visual token" in visitor.part("stage", "A").inner_text()
    assert visitor.complaints == []


def test_the_tour_asks_about_one_picture_only(visitor: Any) -> None:
    page = visitor.page
    page.click("[data-part~=topbar] button:text-is('Tour')")  # opens on the first example
    page.wait_for_selector("[data-part~=tour-form]")
    visitor.wait()
    before = visitor.state("selection.run")
    page.click("[data-part~=chip]:has-text('Two pictures')")
    visitor.answered(before)
    page.get_by_role("button", name="Show the first example").wait_for()
    assert page.locator("[data-part~=tour-form]").count() == 0  # what its stops tell would not hold
    before = visitor.state("selection.run")
    page.get_by_role("button", name="Show the first example").click()
    visitor.answered(before)
    page.wait_for_selector("[data-part~=tour-form]")
    assert len(visitor.state("runs.B.media")) == 1
    assert visitor.complaints == []


def drag(visitor: Any, letter: str, box: tuple[float, float, float, float]) -> None:
    stage = visitor.page.locator(f'[data-part~=view] [data-part~=stage][data-letter="{letter}"]')
    stage.scroll_into_view_if_needed()
    at = stage.bounding_box()
    x, y = ([at[side] + fraction * at[size] for fraction in box[axis::2]] for axis, side, size in AXES)
    visitor.page.mouse.move(x[0], y[0])
    visitor.page.mouse.down()
    visitor.page.mouse.move(x[1], y[1], steps=4)
    visitor.page.mouse.up()
    visitor.page.mouse.move(5, 500)
    visitor.settle()


AXES = ((0, "x", "width"), (1, "y", "height"))
BOX = (0.1, 0.1, 0.6, 0.75)


def test_a_region_is_summed_in_the_tower_and_in_the_adapter(looking: Any) -> None:
    near, far = looking.run("B"), looking.run("A")
    looking.select(keys=PLACE)
    go(looking, "5")
    drag(looking, "B", BOX)
    region = looking.state("selection.region")
    assert looking.state("selection.keys") == PLACE  # the patch whose row it is stays
    label = looking.page.locator(
        '[data-part~=view] [data-part~=stage][data-letter="B"] [data-part~=stage-label]'
    ).inner_text()
    grid = near.media[0].patch_grid
    patch = int(PLACE[1] * grid[1]) * grid[2] + int(PLACE[0] * grid[2])
    layer, head = looking.page.evaluate(
        "() => { const cell = document.querySelector('[data-part~=tower-cell][data-letter=B] [aria-selected=true]');"
        " return [cell.dataset.layer, cell.dataset.head]; }"
    )
    row = near.attention("vision", query=patch, layer=int(layer), head=head if head == "mean" else int(head), media=0)
    assert label == f"{percent(region_share(row.reshape(1, *grid[1:]), region))} of the row"
    assert f"{label} in the region" in looking.sentence()
    go(looking, "4")
    sheet = far.adapter_matrix(media=0)
    _, down, across = far.media[0].patch_grid
    share = region_share(sheet[0].reshape(1, down, across), region)
    until_said(looking, f"{percent(share)} of the row in the region")
    left, top, right, bottom = region
    cells = [
        row * across + column
        for row in range(down)
        for column in range(across)
        if left <= (column + 0.5) / across < right and top <= (row + 0.5) / down < bottom
    ]
    received = sheet[:, cells].sum(dim=1)
    best = int(received.argmax())
    until_said(looking, f"{len(cells)} patches read most by query {best}: {percent(float(received[best]))} of its row")
    looking.page.keyboard.press("Escape")
    assert looking.state("selection.region") is None
    stage = looking.page.locator('[data-part~=view] [data-part~=stage][data-letter="A"]')
    box = stage.bounding_box()
    for at, modifiers in (((0.2, 0.3), []), ((0.7, 0.6), ["Shift"])):
        stage.click(position={"x": at[0] * box["width"], "y": at[1] * box["height"]}, modifiers=modifiers)
    looking.page.mouse.move(5, 500)
    two = sheet[:, [int(y * down) * across + int(x * across) for x, y in ((0.2, 0.3), (0.7, 0.6))]].sum(dim=1)
    best = int(two.argmax())
    until_said(looking, f"2 patches read most by query {best}: {percent(float(two[best]))} of its row")
    assert looking.complaints == []


def test_a_region_grows_by_keys_and_space_plays_from_a_word(looking: Any) -> None:
    page = looking.page
    looking.select(keys=PLACE)
    page.locator('[data-part~=view] [data-part~=stage][data-letter="B"]').focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(f"Shift+{key}")
    looking.settle()
    region = looking.state("selection.region")
    assert region == pytest.approx([COLUMN / 20, ROW / 12, (COLUMN + 2) / 20, (ROW + 2) / 12])
    near, selection = looking.run("B"), looking.state("selection")
    at = {name: selection[name]["B"] for name in ("layer", "head")}
    weights = own_map(near, query=selection["query"]["B"] - 1, media=0, **at)[0]
    share = float(weights[ROW : ROW + 2, COLUMN : COLUMN + 2].double().sum())
    until_said(looking, f"{percent(share)} of the row")
    page.keyboard.press("Escape")
    looking.word("A", 0).click()
    page.keyboard.press("Space")  # the focus is on the word
    page.wait_for_function("() => window.__inspector.state.playing")
    last = looking.run("A").words[-1][0]
    page.wait_for_function("(last) => window.__inspector.state.selection.query.A === last", arg=last)
    page.wait_for_function("() => !window.__inspector.state.playing")
    looking.view("Vision")
    page.keyboard.press("Space")  # and on the tab
    page.wait_for_function("() => !window.__inspector.state.playing")
    assert looking.state("selection.view") == "vision"
    assert looking.complaints == []
