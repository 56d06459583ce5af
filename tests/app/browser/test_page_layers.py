"""Layers: the lens, the readings and the word on the visual tokens are the library's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.asking.words import percent

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SHOWN = """([letter, most, offset]) => {
  const { spec } = window.__inspector.drawn[letter].drawn ?? {};
  return spec?.cells && Math.abs(spec.cells.max - most) < 1e-7 && spec.cells.offset === offset;
}"""

SAID = """(parts) => {
  const words = document.querySelector("#inspector [data-part~=status-sentence]").textContent;
  return parts.every((part) => words.includes(part));
}"""


@pytest.fixture
def looking(kept: Callable[..., dict[str, str]], visit: Callable[..., Any], tmp_path: Path) -> Any:
    path = tmp_path / "picture.png"
    Image.effect_noise((600, 400), 70).convert("RGB").save(path)
    ids = kept({"A": "a red cat", "B": "a red cat"}, path)
    visitor = visit()
    visitor.open(f"?a={ids['A']}&b={ids['B']}&sel=view=layers")
    return visitor


def test_the_table_reads_as_the_lens_and_a_word_lies_where_it_reads(
    looking: Any, painted_as: Callable[..., None]
) -> None:
    page = looking.page
    page.wait_for_selector('[data-part~=lens-table] >> nth=1 >> [data-part~=lens-cell][data-layer="0"]')
    page.mouse.move(4, 4)
    run = looking.run("A")
    word = next(index for index, token in enumerate(run.tokens) if token.in_answer and "red" in token.text)
    queries = {letter: word - run.answer_start + looking.run(letter).answer_start for letter in "AB"}
    looking.select(query=queries, of_layers={"layerA": 1, "layerB": 2, "word": ""}, keys=[0.52, 0.4])
    for letter, layer in (("A", 1), ("B", 2)):
        run, token = looking.run(letter), queries[letter]
        lens = run.logit_lens()
        at = next(i for i, tokens in enumerate(run.words) if token in tokens)
        cell = f'[data-letter="{letter}"] [data-part~=lens-cell][data-layer="{layer}"][data-word="{at}"]'
        page.wait_for_selector(f'{cell}[title*="{percent(float(lens.probabilities[layer, token - 1, 0]))}"]')
        values = run.word_probabilities(run.tokens[token].id, lens=lens)[:, run.visual[0]]
        page.wait_for_function(SHOWN, arg=[letter, float(values.max()), layer * values.shape[1]])
        grid = run.media[0].token_grid[1:]
        painted_as(looking.painted(letter, grid), values[layer].numpy().reshape(grid), float(values.max()))
        said = percent(float(lens.said[layer, token - run.answer_start]))
        page.wait_for_function(SAID, arg=[f"layer {layer} reads", f"its own word at {said}"])
    row, column = (int(0.4 * grid[0]), int(0.52 * grid[1]))
    title = f"Token ({row}, {column}), layer 2"
    reading = '[data-letter="B"] [data-part~=lens-reading]'
    page.wait_for_function(
        "([reading, title]) => [...document.querySelectorAll(reading)].some((box) => box.innerText.includes(title))",
        arg=[reading, title],
    )
    place = int(run.visual[0][row * grid[1] + column])
    share = percent(float(lens.probabilities[2, place, 0]))
    assert page.locator(reading).filter(has_text=title).filter(has_text=share).count() == 1
    page.locator('[data-letter="B"] [data-part~=lens-thumb][data-layer="0"]').click()
    assert looking.state("selection.of_layers.layerB") == 0
    page.fill("#lens-word", "cat")
    page.press("#lens-word", "Enter")
    looking.until('[data-part~=stage-cell][data-letter="B"] [data-part~=figures] b', "“cat”")
    page.wait_for_function("() => decodeURIComponent(location.href).includes('layers=layerA:1,layerB:0,word:cat')")
    assert not looking.complaints


def test_a_query_is_chosen_on_the_board_and_no_picture_leaves_the_answer(
    looking: Any, kept: Callable[..., dict[str, str]], visit: Callable[..., Any]
) -> None:
    page = looking.page
    looking.select(query={letter: looking.run(letter).answer_start for letter in "AB"})
    page.wait_for_selector("[data-part~=lens-thumb]")
    board = page.locator('[data-part~=stage][data-letter="A"]')
    box = board.bounding_box()
    board.click(position={"x": box["width"] * 0.53, "y": box["height"] * 0.22})
    side = looking.run("A").media[0].token_grid[2]
    assert looking.state("selection.adapter.query") == int(0.22 * side) * side + int(0.53 * side)
    ids = kept({"A": "a cat", "B": "a cat"})
    bare = visit(width=390, height=844)
    bare.open(f"?a={ids['A']}&b={ids['B']}&sel=view=layers")
    bare.page.wait_for_selector('[data-part~=lens-cell][data-layer="0"]')
    assert bare.page.evaluate("() => document.documentElement.scrollWidth") == 390
    assert not looking.complaints + bare.complaints


def test_a_long_reading_waits_until_it_is_asked_for(visitor: Any) -> None:
    visitor.settle()
    visitor.page.evaluate("() => { window.__inspector.state.runs.A.lens_seconds = 200; }")
    visitor.view("Layers")
    begin = visitor.page.get_by_role("button", name="Read every layer, about 3 min")
    assert begin.is_visible()
    assert "A not read yet, about 3 min" in visitor.sentence()
    read = "(id) => window.__inspector.client.has('lens', { run: id })"
    asked = [visitor.page.evaluate(read, visitor.state(f"selection.run.{letter}")) for letter in "AB"]
    assert asked == [False, True]
    begin.click()
    visitor.page.wait_for_selector('[data-part~=lens-cell-pair][data-letter="A"] [data-part~=lens-cell]')
    visitor.settle()
    assert not begin.is_visible()
    assert "A layer" in visitor.sentence()
    assert visitor.complaints == []
