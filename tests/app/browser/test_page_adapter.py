"""Adapter: maps, counts, readers, codes and the merger's shapes are the library's, in either column."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.asking.conversation import Conversation, Settings
from qwenvl.analysis.adapter_codes import merger_steps
from qwenvl.analysis.adapter_statistics import half_sets
from viz.theme import tide

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SIDE = 16


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    Image.effect_noise((600, 400), 70).convert("RGB").save(path)
    return path


@pytest.fixture
def looking(kept: Callable[..., dict[str, str]], visit: Callable[..., Any], path: Path) -> Any:
    """A visitor at a run about a 600 x 400 picture."""
    ids = kept({"A": "a red cat", "B": "a red cat"}, path)
    visitor = visit()
    visitor.open(f"?a={ids['A']}&b={ids['B']}&sel=view=adapter;adapter=137,mean")
    visitor.settle()
    return visitor


def shows(visitor: Any, selector: str, words: str) -> None:
    """Wait until an element has these words in it."""
    visitor.page.wait_for_function(
        "([selector, words]) => [...document.querySelectorAll(selector)].some((e) => e.textContent.includes(words))",
        arg=[selector, words],
    )


def test_a_query_is_the_librarys_row_with_its_counts(looking: Any, painted_as: Callable[..., None]) -> None:
    run = looking.run("A")
    grid = run.media[0].patch_grid[1:]
    found = run.query_statistics()
    for query in (137, 0):
        looking.page.fill("#adapter-query", str(query))
        looking.page.press("#adapter-query", "Enter")
        row = run.attention("adapter", media=0, query=query, head="mean").numpy().reshape(grid)
        looking.page.wait_for_function(
            "(most) => Math.abs(window.__inspector.drawn.A.drawn.spec.cells?.max - most) < 1e-6", arg=float(row.max())
        )
        painted_as(looking.painted("A", grid), row, row.max())
        shows(looking, '.stage-cell[data-letter="A"] .figures', f"{float(found.entropy[query]):.1f} bits")
        nearest = int(found.nearest[query])
        shows(looking, '.stage-cell[data-letter="A"] .figures', f"like query {nearest}, its nearest")
        figures = looking.page.locator('.stage-cell[data-letter="A"] .figures').inner_text()
        assert f"{100 * float(found.overlap[query, nearest]):.1f} %" in figures
        assert f"{int(found.half_counts[query])}\n" in figures
        assert f"adapter query {query}" in looking.sentence()
    shows(looking, ".sheet-words", f"{100 * found.coverage:.1f} % of the patches are in the half of some query")
    shows(looking, ".sheet-words", f"{len(found.redundant_pairs)} query pairs overlap by 80 %")
    table = looking.page.locator("table.both").inner_text()
    assert f"all {grid[0] * grid[1]:,}" in table
    assert f"{found.redundant_queries} of {len(found.entropy)}" in table


def test_the_sheet_is_in_the_librarys_order_and_zooms(looking: Any) -> None:
    run = looking.run("A")
    matrix, found = run.adapter_matrix(media=0).numpy(), run.query_statistics()
    box = looking.page.locator(".sheet").bounding_box()
    step = box["width"] / SIDE
    for order in ("entropy", "place", "alike"):
        looking.page.get_by_role("button", name=order, exact=True).click()
        looking.page.wait_for_selector(f".sheet[data-order={order}]")
        expected = found.order(order)
        for at in (0, 37, 255):
            looking.page.mouse.move(box["x"] + (at % SIDE + 0.5) * step, box["y"] + (at // SIDE + 0.5) * step)
            shows(looking, '.stage[data-letter="A"] .stage-label', f"query {expected[at]} ·")
    looking.page.mouse.move(5, 500)
    looking.page.locator(".sheet").focus()
    for _ in range(6):
        looking.page.keyboard.press("+")
    assert float(looking.page.locator(".sheet").get_attribute("data-scale")) == 12.0
    drawn = looking.page.evaluate(
        """() => {
          const canvas = document.querySelector('.sheet-maps');
          const side = canvas.width * 12 / 16;
          const [x, y] = [Math.round(canvas.width / 2), Math.round(canvas.height / 2)];
          const data = canvas.getContext('2d').getImageData(x, y, 1, 1).data;
          return [...data].slice(0, 3);
        }"""
    )
    row = matrix[137]  # the chosen query stands in the middle, unless it is at the sheet's edge
    at = found.order("alike").index(137)
    inside = all(1 / 24 <= (place + 0.5) / SIDE <= 1 - 1 / 24 for place in (at % SIDE, at // SIDE))
    if inside:
        grid = run.media[0].patch_grid[1:]
        middle = row.reshape(grid)[grid[0] // 2 - 1 : grid[0] // 2 + 1, grid[1] // 2 - 1 : grid[1] // 2 + 1]
        colours = tide((middle / row.max()) ** 0.7).reshape(-1, 3)
        assert np.abs(colours.astype(int) - np.array(drawn)).max(axis=1).min() <= 2
    looking.page.keyboard.press("ArrowRight")
    query = found.order("alike")[at + 1]
    looking.page.wait_for_function("(q) => window.__inspector.state.selection.adapter.query === q", arg=query)
    looking.page.get_by_role("button", name="The whole sheet").click()
    assert float(looking.page.locator(".sheet").get_attribute("data-scale")) == 1.0
    looking.page.mouse.move(box["x"] + 30, box["y"] + 30)
    looking.page.mouse.wheel(0, -300)
    looking.page.wait_for_function("() => Number(document.querySelector('.sheet').dataset.scale) > 1.5")
    assert "order:alike" in looking.address()
    looking.page.reload()
    looking.wait()
    looking.page.wait_for_function("() => document.querySelector('.sheet')?.dataset.readers !== undefined")
    assert looking.state("selection.of_adapter.order") == "alike"
    assert looking.state("selection.adapter.query") == query


def test_the_readers_of_a_patch_and_the_place_code(looking: Any) -> None:
    run = looking.run("A")
    _, rows, columns = run.media[0].patch_grid
    looking.select(keys=[10.5 / columns, 11.5 / rows])
    shows(looking, ".readers h3", "(11, 10)")
    column = run.adapter_matrix(media=0)[:, 11 * columns + 10]
    queries, half = column.argsort(descending=True, stable=True), half_sets(column[None])[0]
    shown = looking.page.locator(".reader > span:first-child").all_inner_texts()
    assert [int(text) for text in shown] == queries[:5].tolist()
    rings = looking.page.locator(".sheet").get_attribute("data-readers").split(",")
    assert sorted(map(int, rings)) == half.nonzero().flatten().tolist()
    shows(looking, ".readers", f"{int(half.sum())} of {len(queries)} give half of the")

    code = run.code_similarity()
    for against, values in (("patches", code.keys), ("queries", code.queries)):
        looking.page.locator(".place-code-box").get_by_role("button", name=against).click()
        row = values[looking.state("selection.adapter.query")]
        shows(looking, ".place-code-row", f"cosine {float(row.min()):.2f} to {float(row.max()):.2f}")
    looking.page.locator(".place-code-box").get_by_role("button", name="patches").click()
    row = code.keys[137].numpy().reshape(run.config.vision.grid_side, -1)
    pixels = looking.page.evaluate(
        """() => {
          const canvas = document.querySelector('.place-code');
          const { width, height } = canvas;
          return [width, height, ...canvas.getContext('2d').getImageData(0, 0, width, height).data];
        }"""
    )
    width, height = pixels[:2]
    drawn = np.array(pixels[2:]).reshape(height, width, 4)[..., :3]
    for y, x in ((0, 0), (5, 9), (8, 8)):
        at = drawn[int((y + 0.5) * height / row.shape[0]), int((x + 0.5) * width / row.shape[1])]
        value = (row[y, x] - row.min()) / (1 - row.min())
        assert np.abs(at - tide(value).astype(int)).max() <= 2


def test_the_merger_names_its_patches_and_weights(looking: Any) -> None:
    run = looking.run("B")
    media = run.media[0]
    _, rows, columns = media.token_grid
    looking.select(keys=[(6.5) / columns, (4.5) / rows])
    token = 4 * columns + 6
    four = media.token_patches(token)
    listed = ", ".join(f"{patch:,}" for patch in four)
    shows(looking, ".merge-words", f"Patches {listed} of the picture, in this order, become visual token {token}.")
    order = looking.page.locator(".merge-rows li span").all_inner_texts()
    assert order == [f"patch {patch:,}" for patch in four]
    shows(looking, ".merge-steps", "visual.merger.mlp.2.weight")
    steps = looking.page.locator(".merge-steps li").all_inner_texts()
    for text, step in zip(steps, merger_steps(run.config), strict=True):
        assert step.name in text
        if step.weight:
            assert f"weight {' × '.join(f'{size:,}' for size in step.weight)}" in text
    assert looking.complaints == []


def test_two_models_with_queries_have_a_sheet_each(visit: Callable[..., Any], tiny_session: Any, path: Path) -> None:
    pipeline, ids = tiny_session.pipeline("A"), {}
    conversation = Conversation().asking("What is this?", [str(path)])
    for letter in "AB":
        run = pipeline.run(conversation.messages(letter), answer="a cat")
        ids[letter] = tiny_session.store.pin(tiny_session._finish(letter, pipeline, run, conversation, Settings()))
    visitor = visit()
    visitor.open(f"?a={ids['A']}&b={ids['B']}&sel=view=adapter;adapter=20,mean")
    visitor.page.wait_for_function("() => document.querySelectorAll('.sheet[data-readers]').length === 2")
    for letter in "AB":
        label = visitor.page.locator(f'.stage[data-letter="{letter}"] .stage-label').inner_text()
        assert label.startswith("query 20 ·")
    shows(visitor, "table.both", "B, cross-attention")
    assert visitor.complaints == []
