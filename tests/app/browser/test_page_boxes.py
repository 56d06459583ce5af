"""Boxes: what is drawn and printed is what the library reads, and a number is seen everywhere at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from qwenvl.analysis.answer_boxes import overlap

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# The rows of white pixels' extent around a box: the outermost light pixels on the layer, in 0..1.
LIGHT = """(letter) => {
  const canvas = document.querySelector(`.stage[data-letter="${letter}"] .region-layer`);
  const { width, height } = canvas;
  const pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) {
      const at = 4 * (y * width + x);
      if (pixels[at] < 250 || pixels[at + 1] < 250 || pixels[at + 3] < 250) continue;
      [left, top] = [Math.min(left, x), Math.min(top, y)];
      [right, bottom] = [Math.max(right, x + 1), Math.max(bottom, y + 1)];
    }
  return [left / width, top / height, right / width, bottom / height];
}"""


@pytest.fixture
def looking(visitor: Any) -> Any:
    ids = visitor.session.example("where")
    visitor.open(f"?a={ids['A']}&b={ids['B']}&sel=view=boxes")
    visitor.page.wait_for_selector('.boxes-card[data-letter="B"] .box-numbers')
    visitor.settle()
    return visitor


def test_boxes_numbers_and_rows_are_the_librarys(looking: Any, painted_as: Callable[..., None]) -> None:
    page = looking.page
    for letter in "AB":
        run = looking.run(letter)
        (box,), media = run.boxes(), run.media[0]
        drawn = page.evaluate(LIGHT, letter)
        expected = [edge / media.size[at % 2] for at, edge in enumerate(box.box)]
        np.testing.assert_allclose(drawn, expected, atol=0.01)
        table = page.locator(f'.boxes-card[data-letter="{letter}"] tbody tr')
        assert table.nth(0).inner_text().split()[-4:] == [str(edge) for edge in box.written]
        for at, extent in ((1, media.resized), (2, media.size)):
            shown = [float(text.replace(",", "")) for text in table.nth(at).inner_text().split()[-4:]]
            np.testing.assert_allclose(
                shown, [edge / 1000 * extent[i % 2] for i, edge in enumerate(box.written)], atol=0.051
            )
        spelled = page.locator(f'.boxes-card[data-letter="{letter}"] .box-token').all_inner_texts()
        assert spelled == [run.tokens[token].text for token in box.tokens]

    # one number, pointed at in the table: its token, the edge, the other model's same edge, and the row beneath
    page.locator('.boxes-card[data-letter="A"] tbody tr').nth(2).locator("td").nth(2).click()
    page.mouse.move(5, 500)
    looking.settle()
    for letter in "AB":
        run = looking.run(letter)
        token = run.boxes()[0].coordinates[2][0]
        assert looking.state(f"selection.query.{letter}") == token
        chosen = page.locator(f'.boxes-card[data-letter="{letter}"] .box-token.chosen')
        assert chosen.get_attribute("data-token") == str(token)
        assert f"right edge {run.boxes()[0].written[2]}, predicted by row {token - 1}" in looking.sentence()
        layer, head = looking.state(f"selection.layer.{letter}"), looking.state(f"selection.head.{letter}")
        values = run.image_map(query=token - 1, layer=layer, head=head).numpy()[0]
        if letter == "B":
            values = 4 * values[::2, ::2]
        assert page.evaluate("(letter) => window.__inspector.map(letter).row", letter) == token - 1
        painted_as(looking.painted(letter, values.shape), values, float(values.max()))
    assert looking.complaints == []
    assert looking.outside == []


def test_a_box_of_ones_own_is_compared_by_overlap_and_kept_in_the_address(looking: Any) -> None:
    page = looking.page
    frame = page.locator('.stage[data-letter="B"] .region-layer').bounding_box()
    corners = [
        (frame["x"] + x * frame["width"], frame["y"] + y * frame["height"]) for x, y in ((0.3, 0.2), (0.6, 0.65))
    ]
    page.mouse.move(*corners[0])
    page.mouse.down()
    page.mouse.move(*corners[1], steps=3)
    page.mouse.up()
    page.wait_for_function("() => window.__inspector.state.selection.of_boxes.bottom !== null")
    chosen = looking.state("selection.of_boxes")
    yours = [chosen[name] for name in ("left", "top", "right", "bottom")]
    np.testing.assert_allclose(yours, [300, 200, 600, 650], atol=4)
    for letter in "AB":
        written = looking.run(letter).boxes()[0].written
        words = page.locator(f'.boxes-card[data-letter="{letter}"] .title-line').last.inner_text()
        assert f"IoU with yours {100 * overlap(written, yours):.1f} %" in words
    assert "left:" in looking.address()
    page.reload()
    looking.wait()
    page.wait_for_selector(".box-numbers")
    assert looking.state("selection.of_boxes.left") == yours[0]
    page.get_by_role("button", name="Clear").click()
    page.wait_for_function("() => window.__inspector.state.selection.of_boxes.left === null")


def test_an_answer_without_a_box_offers_a_question_that_gets_one(visitor: Any) -> None:
    visitor.view("Boxes")
    visitor.page.locator(".boxes-body button").first.click()
    assert visitor.page.input_value("#question textarea") == "Where is the green diamond?"
    visitor.ask()
    visitor.page.wait_for_selector(".box-numbers")
    assert [len(visitor.run(letter).boxes()) for letter in "AB"] == [1, 1]
    assert visitor.complaints == []
