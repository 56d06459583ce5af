"""Causes: every number on screen is the library's own, a place is the same in both columns, curves run and stop."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.asking import words
from qwenvl.analysis.regions import box_mask, cells_in, cells_mask, paint
from qwenvl.analysis.row_statistics import fewest_cells, own_map

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SETTLED = "() => document.querySelector('.view-causes')?.dataset.settled === 'true'"
TOLD = "() => document.querySelectorAll('.causes-card .cause-bar.after').length === 2"


def drag(visitor: Any, letter: str, start: tuple[float, float], end: tuple[float, float]) -> None:
    frame = visitor.page.locator(f'.stage[data-letter="{letter}"] .region-layer').bounding_box()
    places = [(frame["x"] + x * frame["width"], frame["y"] + y * frame["height"]) for x, y in (start, end)]
    visitor.page.mouse.move(*places[0])
    visitor.page.mouse.down()
    visitor.page.mouse.move(*places[1], steps=4)
    visitor.page.mouse.up()
    visitor.page.mouse.move(5, 500)


def says(visitor: Any, selector: str, text: str) -> None:
    """Wait until an element says this among other things."""
    visitor.page.wait_for_function(
        "([selector, text]) => document.querySelector(selector).innerText.includes(text)", arg=[selector, text]
    )


def told(visitor: Any) -> None:
    """Wait until the effects on screen are those of what is chosen now."""
    visitor.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    visitor.page.wait_for_function(TOLD)
    visitor.page.wait_for_function(SETTLED)


def bars(visitor: Any, letter: str) -> list[str]:
    return visitor.page.locator(f'.causes-card[data-letter="{letter}"] .cause-bar b').all_inner_texts()


def region(visitor: Any, run: Any) -> np.ndarray:
    chosen = visitor.state("selection.of_causes")
    edges = [chosen[name] / 1000 for name in ("left", "top", "right", "bottom")]
    return box_mask(run.media[0].size, [edge * run.media[0].size[at % 2] for at, edge in enumerate(edges)])


def test_a_place_painted_over_or_hidden_tells_the_librarys_numbers(visitor: Any) -> None:
    visitor.view("Causes")
    page = visitor.page
    assert "Drag on a picture" in page.locator(".causes-body").first.inner_text()
    drag(visitor, "A", (0.57, 0.6), (0.78, 0.96))  # over the green diamond that is asked about
    told(visitor)
    for letter in "AB":
        run, index = visitor.run(letter), visitor.state(f"selection.query.{letter}")
        mask = region(visitor, run)
        effect = run.painted(index, mask)
        assert effect.after < effect.before / 2
        assert bars(visitor, letter) == [words.percent(effect.before), words.percent(effect.after)]
        now = page.locator(f'.causes-card[data-letter="{letter}"] .likeliest.now b').all_inner_texts()
        assert now == [words.percent(one.probability) for one in effect.likeliest]
        change = page.locator(f'.stage-cell[data-letter="{letter}"] .figure b').nth(1).inner_text()
        assert float(change.replace("−", "-")) == pytest.approx(effect.change, abs=0.006)
        source = page.locator(f'.causes-card[data-letter="{letter}"] .received img').get_attribute("src")
        shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))))
        received = paint(run.media[0].frames[0], mask).resize(run.media[0].resized, Image.Resampling.BICUBIC)
        np.testing.assert_array_equal(shown, np.asarray(received))

    page.get_by_role("button", name="Hide from attention").click()
    page.locator('.layer-choice[data-letter="B"] select').first.select_option("1")
    told(visitor)
    page.wait_for_function(
        "() => document.querySelector('.causes-card[data-letter=\"B\"]').innerText.includes('layers 1 to')"
    )
    for letter in "AB":
        run, index = visitor.run(letter), visitor.state(f"selection.query.{letter}")
        media = run.media[0]
        if letter == "A":
            effect = run.without(index, patches=cells_in(region(visitor, run), media.patch_grid))
            grid = media.patch_grid
        else:
            cells = cells_in(region(visitor, run), media.token_grid)
            effect = run.without(index, visual=cells, layers=range(1, run.num_layers("language")))
            grid = media.token_grid
        assert bars(visitor, letter) == [words.percent(effect.before), words.percent(effect.after)]
        drawn = page.evaluate("(letter) => window.__inspector.drawn[letter].drawn.spec.contour", letter)
        assert drawn["cells"] == list(effect.hidden)
        assert drawn["grid"] == list(grid)
        assert words.percent(effect.after) in visitor.sentence()
    assert visitor.complaints == []
    assert visitor.outside == []


def test_a_link_brings_the_place_back_and_says_that_it_is_to_be_computed(visitor: Any) -> None:
    visitor.view("Causes")
    page = visitor.page
    page.get_by_role("button", name="Brush").click()
    drag(visitor, "B", (0.6, 0.7), (0.75, 0.8))
    told(visitor)
    assert "strokes:b" in visitor.address()
    strokes, before = visitor.state("selection.of_causes.strokes"), bars(visitor, "A")
    page.reload()
    visitor.wait()
    page.wait_for_selector(".causes-body button")
    assert visitor.state("selection.of_causes.strokes") == strokes
    assert "not computed yet" in page.locator(".causes-body").first.inner_text()
    page.locator(".causes-body button").first.click()
    told(visitor)
    assert bars(visitor, "A") == before
    page.get_by_role("button", name="Half of the map").click()
    told(visitor)
    for letter in "AB":
        run, index = visitor.run(letter), visitor.state(f"selection.query.{letter}")
        at = {name: visitor.state(f"selection.{name}.{letter}") for name in ("layer", "head")}
        expected = sorted(fewest_cells(own_map(run, query=index - 1, **at).flatten()))
        cells = page.evaluate("(letter) => window.__inspector.drawn[letter].drawn.spec.contour.cells", letter)
        assert cells == expected


def brushed(strokes: str) -> list[int]:
    """The painted cells of the brush's 64 x 64: runs of bare and painted cells in turn, in base 36."""
    lengths = [int(run, 36) for run in strokes.removeprefix("b").split(".")]
    return np.flatnonzero(np.repeat(np.arange(len(lengths)) % 2, lengths)).tolist()


def test_keys_alone_paint_a_cell_and_wipe_it(visitor: Any) -> None:
    visitor.view("Causes")
    page = visitor.page
    assert "brush a cell" in page.locator(".keys").inner_text()
    page.get_by_role("button", name="Brush").click()
    page.locator('.stage[data-letter="B"]').focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    told(visitor)
    run, index = visitor.run("B"), visitor.state("selection.query.B")
    _, rows, columns = run.media[0].token_grid
    row, column = rows // 2 + 2, columns // 2 + 1
    middle = (np.arange(64) + 0.5) / 64
    inside = ((middle * rows).astype(int) == row)[:, None] & ((middle * columns).astype(int) == column)
    assert brushed(visitor.state("selection.of_causes.strokes")) == np.flatnonzero(inside).tolist()
    effect = run.painted(index, cells_mask(run.media[0].size, (1, 64, 64), np.flatnonzero(inside).tolist())[0])
    assert bars(visitor, "B") == [words.percent(effect.before), words.percent(effect.after)]
    assert f"B cell ({row}, {column}), painted" in visitor.sentence()
    page.keyboard.press("Enter")
    page.wait_for_function("() => window.__inspector.state.selection.of_causes.strokes === 'none'")
    visitor.settle()
    assert f"B cell ({row}, {column}), not painted" in visitor.sentence()
    page.keyboard.press("Escape")
    assert visitor.state("selection.keys") is None
    assert visitor.complaints == []


def test_a_rectangle_drawn_on_the_map_goes_along(visitor: Any) -> None:
    visitor.page.evaluate("() => window.__inspector.actions.pickRegion([0.57, 0.6, 0.78, 0.96])")
    visitor.view("Causes")
    chosen = visitor.state("selection.of_causes")
    assert [chosen[name] for name in ("left", "top", "right", "bottom")] == [570, 600, 780, 960]
    visitor.page.get_by_role("button", name="Tell the answer again").first.click()
    told(visitor)
    assert visitor.state("selection.region") is None


def test_curves_run_to_their_end_or_until_they_are_stopped(visitor: Any) -> None:
    visitor.view("Causes")
    page = visitor.page
    button = page.locator('.curves-card[data-letter="A"] .text-button')
    button.click()
    page.wait_for_function(
        "() => document.querySelector('.curves-card[data-letter=\"A\"] .text-button').innerText === 'Stop'"
    )
    button.click()
    page.wait_for_function(
        "() => document.querySelector('.curves-card[data-letter=\"A\"]').innerText.includes('Stopped after')"
    )
    for letter in "AB":
        page.locator(f'.curves-card[data-letter="{letter}"] .text-button').click()
    for letter in "AB":
        says(visitor, f'.curves-card[data-letter="{letter}"] .text-button', "Compute again")
        run, index = visitor.run(letter), visitor.state(f"selection.query.{letter}")
        at = {name: visitor.state(f"selection.{name}.{letter}") for name in ("layer", "head")}
        *_, last = run.deletion_curves(index, **at, steps=10, seeds=5)
        tables = page.locator(f'.curves-card[data-letter="{letter}"] .curve-areas')
        mean = np.mean([curve.area for curve in last.random])
        deletion = [last.falling.area, mean, last.rising.area]
        insertion = [last.insertion.area, mean, last.falling.area]
        for place, areas in enumerate((deletion, insertion)):
            shown = tables.nth(place).locator("td:nth-child(2)").all_inner_texts()
            assert [float(text) for text in shown] == pytest.approx(areas, abs=0.0006)
    assert visitor.complaints == []
