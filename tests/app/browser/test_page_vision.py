"""Vision: the row, the statistics and the position code on screen are the library's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.asking.words import percent

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SHOWN = """([letter, most, place]) => {
  const { spec } = window.__inspector.drawn[letter].drawn;
  return spec.cells && Math.abs(spec.cells.max - most) < 1e-6 && spec.outlines.length === 1;
}"""


@pytest.fixture
def looking(kept: Callable[..., dict[str, str]], visit: Callable[..., Any], tmp_path: Path) -> Any:
    """A visitor at two pictures of different sizes, in Vision."""
    paths = []
    for name, size in (("one", (600, 400)), ("two", (280, 420))):
        paths.append(tmp_path / f"{name}.png")
        Image.effect_noise(size, 70).convert("RGB").save(paths[-1])
    ids = kept({"A": "a red cat", "B": "a red cat"}, *paths)
    visitor = visit()
    visitor.open(f"?a={ids['A']}&b={ids['B']}&sel=view=vision")
    return visitor


def patch_at(place: list[float], grid: tuple[int, int, int]) -> int:
    return int(place[1] * grid[1]) * grid[2] + int(place[0] * grid[2])


def test_a_patch_shows_its_exact_row_and_the_towers_statistics(looking: Any, painted_as: Callable[..., None]) -> None:
    page, place = looking.page, [0.31, 0.62]
    page.wait_for_selector('[data-part~=tower-cell][data-letter="B"] [data-part~=matrix-cell]')
    page.mouse.move(4, 4)
    choice = {"layerA": 1, "headA": 2, "layerB": 2, "headB": "mean", "statistic": "own"}
    looking.select(media=1, keys=place, of_vision=choice)
    for letter in "AB":
        run = looking.run(letter)
        grid = run.media[1].patch_grid
        patch = patch_at(place, grid)
        row = run.attention(
            "vision", query=patch, media=1, layer=choice[f"layer{letter}"], head=choice[f"head{letter}"]
        ).numpy()
        page.wait_for_function(SHOWN, arg=[letter, float(row.max()), place])
        painted_as(looking.painted(letter, grid[1:]), row.reshape(grid[1:]), row.max())
        tower = run.tower_statistics(media=1)
        cell = (
            f'[data-part~=tower-cell][data-letter="{letter}"] [data-part~=matrix-cell][data-layer="1"][data-head="2"]'
        )
        page.wait_for_function(
            "([cell, words]) => document.querySelector(cell).title.includes(words)",
            arg=[cell, percent(float(tower.own[1, 2]))],
        )
        even = page.locator(f'[data-part~=tower-cell][data-letter="{letter}"] .layer-drawing').text_content()
        assert f"even, {tower.even_distance:.1f}" in even
        code = run.position_similarity(patch=patch, media=1)
        words = page.locator(f'[data-part~=place-card][data-letter="{letter}"] [data-part~=place-words]').inner_text()
        assert f"From {float(code.min()):.2f} to {float(code.max()):.2f}" in words
        assert f"patch ({patch // grid[2]}, {patch % grid[2]})" in looking.sentence()
        sizes = [item.patch_grid[1] * item.patch_grid[2] for item in run.media]
        share = 100 * sum(size**2 for size in sizes) / sum(sizes) ** 2
        assert (
            f"{share:.1f} %"
            in page.locator(
                f'[data-part~=place-card][data-letter="{letter}"] [data-part~=tower-segments-box]'
            ).inner_text()
        )
    page.locator('[data-part~=place-card][data-letter="A"] button[aria-pressed]').first.click()
    assert looking.state("selection.media") == 0
    assert not looking.complaints


def test_the_other_direction_is_a_column_and_curves_are_the_heads(looking: Any) -> None:
    page, place = looking.page, [0.7, 0.3]
    choice = {"layerA": 3, "headA": 0, "layerB": 3, "headB": 0, "statistic": "distance"}
    looking.select(keys=place, of_vision=choice)
    page.mouse.click(4, 4)
    page.keyboard.press("q")  # query and key change roles
    run = looking.run("B")
    grid = run.media[0].patch_grid
    column = run.column("vision", key=patch_at(place, grid), layer=3, head=0, media=0).numpy()
    page.wait_for_function(SHOWN, arg=["B", float(column.max()), place])
    words = page.locator('[data-part~=stage-cell][data-letter="B"] [data-part~=figures]').inner_text()
    assert f"{float(column.sum()):.2f}" in words
    tower = run.tower_statistics(media=0)
    page.wait_for_selector('[data-part~=tower-cell][data-letter="B"] .layer-line')
    drawn = page.locator('[data-part~=tower-cell][data-letter="B"] .layer-line.strong').get_attribute("points")
    heights = np.array([float(point.split(",")[1]) for point in drawn.split()])
    means = tower.distance.mean(dim=1).numpy()
    top = 1.15 * max(tower.even_distance, float(tower.distance.max()))  # of a chart 132 px high, 8 above and 18 beneath
    np.testing.assert_allclose(heights, 114 - 106 * means / top, atol=0.06)
    cell = page.locator('[data-part~=tower-cell][data-letter="A"] [data-part~=matrix-cell][aria-selected="true"]')
    cell.focus()
    cell.press("ArrowUp")
    page.wait_for_function("() => window.__inspector.state.selection.of_vision.layerA === 2")
    assert not looking.complaints
