"""Patches: the grids, the three orders, the fold and the rebuilt picture are the library's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from qwenvl.processing.geometry.pixels import raster_order

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def looking(kept: Callable[..., dict[str, str]], visit: Callable[..., Any], tmp_path: Path) -> Any:
    """A visitor at a run about two pictures of different sizes."""
    sizes = {"first.png": (600, 400), "second.png": (90, 240)}
    for name, size in sizes.items():
        Image.effect_noise(size, 70).convert("RGB").save(tmp_path / name)
    ids = kept({"A": "a red cat", "B": "a red cat"}, *(tmp_path / name for name in sizes))
    visitor = visit()
    visitor.open(f"?a={ids['A']}&b={ids['B']}&sel=view=patches")
    visitor.settle()
    return visitor


def numbers(visitor: Any, order: str) -> dict[str, int]:
    """What each cell of one of the small grids reads, by its place "row,column"."""
    cells = visitor.page.eval_on_selector_all(
        f".order-{order} [data-cell]", "(cells) => cells.map((cell) => [cell.dataset.cell, cell.textContent])"
    )
    return {place: int(text) for place, text in cells}


def test_grids_and_orders_are_the_librarys(looking: Any) -> None:
    for letter in "AB":
        media = looking.run(letter).media[0]
        figures = looking.page.locator(
            f'[data-part~=stage-cell][data-letter="{letter}"] [data-part~=figures]'
        ).inner_text()
        width, height = 600 / media.patch_grid[2], 400 / media.patch_grid[1]
        assert f"{round(width, 1):g} × {round(height, 1):g}" in figures
        assert f"{media.num_patches:,}" in figures
        card = looking.part("sum-card", letter).inner_text()
        assert f"{media.resized[0]} × {media.resized[1]}" in card
        assert f"{media.num_tokens + 2:,}" in card
        assert "600 × 400" in card

    run = looking.run("B")
    for index, (row, column) in ((0, (5, 7)), (1, (8, 2)), (1, (0, 0))):
        media = run.media[index]
        _, rows, columns = media.token_grid
        looking.select(media=index, keys=[(column + 0.5) / columns, (row + 0.5) / rows])
        token = row * columns + column
        four = media.token_patches(token)
        first = sum(item.num_patches for item in run.media[:index])  # all of them are pictures
        assert (
            looking.part("order-words")
            .inner_text()
            .endswith(
                f"Patches {', '.join(f'{patch:,}' for patch in four)} are rows {first + 4 * token:,} to "
                f"{first + 4 * token + 3:,} and make token {token}."
            )
        )
        order = raster_order(media.patch_grid)
        raster = numbers(looking, "raster")
        assert set(four) <= set(raster.values())
        for place, patch in raster.items():
            y, x = map(int, place.split(","))
            assert patch == y * media.patch_grid[2] + x
            assert numbers(looking, "row")[place] == first + int(order[patch])
        for place, one in numbers(looking, "token").items():
            y, x = map(int, place.split(","))
            assert y * media.patch_grid[2] + x == media.token_patches(one)[0]
        facts = looking.page.locator(".facts").inner_text()
        ids = run.positions[:, looking.state(f"runs.B.media[{index}].first_token") + token].tolist()
        assert f"({', '.join(map(str, ids))})" in facts
        x1, y1, x2, y2 = (round(edge) for edge in media.token_box(token))
        assert f"box {x1}, {y1} to {x2}, {y2} of the original" in looking.sentence()
    assert looking.complaints == []


def test_a_patch_pointed_at_in_one_order_is_seen_in_all(looking: Any) -> None:
    looking.page.locator('.order-row [data-cell="1,2"]').hover()
    looking.page.wait_for_function("() => document.querySelectorAll('[data-part~=order-grid] .here').length === 2")
    marked = looking.page.eval_on_selector_all(
        "[data-part~=order-grid] .here", "(cells) => cells.map((cell) => cell.dataset.cell)"
    )
    assert marked == ["1,2", "1,2"]
    assert looking.page.locator(".order-token .marked").get_attribute("data-cell") == "0,2"
    assert (
        "token (0, 1)"
        in looking.page.locator('[data-part~=stage][data-letter="B"] [data-part~=stage-label]').inner_text()
    )
    looking.page.locator(".order-row").press("ArrowRight")  # arrows move the locked place, from the first patch
    looking.page.mouse.move(5, 500)
    looking.page.wait_for_function("() => document.querySelector('.order-raster .here')?.dataset.cell === '0,1'")
    looking.page.locator("[data-part~=order-title]", has_text="In pixel_values").click()
    looking.page.wait_for_function(
        "() => document.querySelector('[data-part~=stage][data-letter=B] [data-part~=order-path]').dataset.order"
        " === 'row'"
    )


def test_the_picture_is_rebuilt_without_error(looking: Any) -> None:
    looking.page.wait_for_function(
        "() => [...document.querySelectorAll('[data-part~=proof]')].every((proof) => !proof.hidden)"
    )
    for index in (0, 1):
        looking.select(media=index)
        for letter in "AB":
            rebuilt = looking.run(letter).reconstructed(index)
            looking.page.wait_for_function(
                '([letter, words]) => document.querySelector(`[data-letter="${letter}"] [data-part~=proof] p`)'
                "?.textContent.startsWith(words)",
                arg=[
                    letter,
                    f"0 of {rebuilt.values:,} values differ. Before rounding: at most {rebuilt.maximum:.1e}".replace(
                        "e-0", "e-"
                    ),
                ],
            )
    looking.page.wait_for_function("() => document.querySelector('[data-part~=fold] canvas').width === 14")
    rows = looking.run("B").reconstructed(1).frames[0].numpy()
    _, height, width = looking.run("B").media[1].token_grid
    looking.select(keys=[0.5, 0.5])
    y, x = 28 * (height // 2), 28 * (width // 2)
    looking.page.wait_for_function(
        "(colour) => String([...document.querySelector('[data-part~=fold] canvas').getContext('2d')"
        ".getImageData(3, 5, 1, 1).data]"
        ".slice(0, 3)) === String(colour)",
        arg=rows[y + 5, x + 3].tolist(),
    )


def test_four_patches_fold_into_one_token(looking: Any) -> None:
    looking.page.emulate_media(reduced_motion="reduce")
    button = looking.page.locator(".fold-button")
    for step in ("joined", "token"):
        button.click()
        assert looking.part("fold").get_attribute("data-step") == step
    button.click()
    looking.page.emulate_media(reduced_motion="no-preference")
    button.click()
    lasts = """() => document.querySelector('[data-part~=fold-patch]').getAnimations()
      .map((one) => one.effect.getTiming().duration)"""
    assert looking.page.evaluate(lasts) == [600]
    assert looking.part("fold").get_attribute("data-step") == "token"
    looking.page.wait_for_function(
        "() => document.querySelector('[data-part~=fold-patch]').getAnimations().length === 0"
    )
