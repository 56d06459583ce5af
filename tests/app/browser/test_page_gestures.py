"""Gestures of the inspector: places, regions, several words, swapped roles, the link; drawn as the library has it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.asking.words import percent
from qwenvl.analysis.columns import place_reading
from qwenvl.analysis.map_agreement import agreement
from qwenvl.analysis.row_statistics import own_map, region_share

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LETTERS = ("A", "B")
SENT_AHEAD = """() => ["A", "B"].every((letter) => {
  const { state, client } = window.__inspector;
  const run = state.runs[letter];
  const kept = [...client.kept.keys()].filter((key) => key.startsWith(`map{"run":"${run.id}"`));
  const at = `"layer":${state.selection.layer[letter]},"head":${state.selection.head[letter]},`;
  const here = (word) => kept.some((key) => key.includes(`"query":${word.tokens[0]},`) && key.includes(at));
  return run.words.every(here);
})"""


@pytest.fixture
def looking(kept: Callable[..., dict[str, str]], visit: Callable[..., Any], tmp_path: Path) -> Any:
    """A visitor at runs about a 560 x 336 picture, whose tokens in B are 28 pixels wide."""
    path = tmp_path / "picture.png"
    Image.effect_noise((560, 336), 70).convert("RGB").save(path)
    ids = kept({"A": "the cat and the dog and the bird", "B": "the cat and the bird"}, path)
    visitor = visit()
    visitor.open(f"?a={ids['A']}&b={ids['B']}")
    visitor.settle()
    return visitor


def chosen(visitor: Any, letter: str) -> dict[str, Any]:
    selection = visitor.state("selection")
    return {
        "query": selection["query"][letter] - 1,
        "layer": selection["layer"][letter],
        "head": selection["head"][letter],
        "media": 0,
    }


def stage(visitor: Any, letter: str) -> tuple[Any, dict[str, float]]:
    locator = visitor.part("stage", letter)
    return locator, locator.bounding_box()


def lines(visitor: Any, letter: str) -> str:
    return str(
        visitor.page.locator(f'[data-part~=stage-cell][data-letter="{letter}"] [data-part~=scale-text]').inner_text()
    )


def test_a_pixel_is_named_in_both_models(looking: Any) -> None:
    locator, box = stage(looking, "A")
    locator.hover(position={"x": 0.36 * box["width"], "y": 0.55 * box["height"]})
    run = looking.run("B")
    row, column = int(0.55 * 12), int(0.36 * 20)
    looking.until('[data-part~=stage][data-letter="B"] [data-part~=stage-label]', f"token ({row}, {column})")
    index = row * 20 + column
    token = int(run.visual[0][index])
    t, h, w = run.positions[:, token].tolist()
    looking.page.wait_for_function(
        "() => document.querySelector('[data-part~=stage-cell][data-letter=A] [data-part~=scale-text]')"
        ".innerText.includes('query')"
    )
    told = lines(looking, "B")
    assert f"visual token {index}" in told
    assert f"prompt position {token}, its row {token}" in re.sub(r"\s+", " ", told)
    assert f"ids t {t}, h {h}, w {w}" in told
    run = looking.run("A")
    _, down, across = run.media[0].patch_grid
    patch = int(0.55 * down) * across + int(0.36 * across)
    best = run.adapter_matrix(media=0)[:, patch].topk(3)
    told = re.sub(r"\s+", " ", lines(looking, "A"))
    for query, weight in zip(best.indices.tolist(), best.values.tolist(), strict=True):
        assert f"query {query} {percent(weight)}" in told
    assert "a query is no place" in told


def test_a_dragged_region_is_summed_in_both_models(looking: Any) -> None:
    locator, box = stage(looking, "B")
    locator.scroll_into_view_if_needed()
    x, y = box["x"], box["y"]
    looking.page.mouse.move(x + 0.21 * box["width"], y + 0.33 * box["height"])
    looking.page.mouse.down()
    looking.page.mouse.move(x + 0.5 * box["width"], y + 0.6 * box["height"], steps=4)
    looking.page.mouse.move(x + 0.68 * box["width"], y + 0.87 * box["height"], steps=4)
    looking.page.mouse.up()
    looking.page.mouse.move(5, 500)
    looking.settle()
    region = looking.state("selection.region")
    assert region == pytest.approx([0.21, 0.33, 0.68, 0.87], abs=0.01)
    assert looking.state("selection.keys") is None  # the press was no click
    for letter in LETTERS:
        cells = own_map(looking.run(letter), **chosen(looking, letter))
        of_row = region_share(cells, region)
        of_map = of_row / float(cells.double().sum())
        label = looking.page.locator(
            f'[data-part~=stage][data-letter="{letter}"] [data-part~=stage-label]'
        ).inner_text()
        assert label == f"{percent(of_map)} of the map, {percent(of_row)} of the row"
        assert f"region: {percent(of_map)} of its image attention, {percent(of_row)} of the row" in looking.sentence()
    looking.page.keyboard.press("Escape")
    assert looking.state("selection.region") is None
    assert looking.state("selection.query.A") is not None


def test_shift_adds_words_and_cells(looking: Any, painted_as: Callable[..., None]) -> None:
    run = looking.run("A")
    words = [index for index, word in enumerate(run.words) if run.tokens[word[0]].text.strip() == "the"]
    assert len(words) == 3
    looking.word("A", words[0]).click()
    for index in words[1:]:
        looking.word("A", index).click(modifiers=["Shift"])
    looking.page.mouse.move(5, 500)
    looking.settle()
    assert looking.state("selection.also.A") == [run.words[index][0] for index in words[1:]]
    at = chosen(looking, "A")
    maps = [own_map(run, **{**at, "query": run.words[index][0] - 1}) for index in words]
    mean = np.mean([one[0].numpy() for one in maps], axis=0)
    painted_as(looking.painted("A", mean.shape), mean, mean.max())
    assert "mean of rows" in looking.sentence()
    assert looking.page.locator('[data-part~=head-card][data-letter="A"] [data-part~=word].added').count() == 2
    assert len(looking.state("selection.also.B")) == 1  # B said it twice
    looking.word("A", words[1]).click(modifiers=["Shift"])
    assert looking.state("selection.also.A") == [run.words[words[2]][0]]
    locator, box = stage(looking, "B")
    for number, (row, column) in enumerate(((2, 3), (7, 11), (2, 3))):
        place = {"x": (column + 0.5) / 20 * box["width"], "y": (row + 0.5) / 12 * box["height"]}
        locator.click(position=place, modifiers=["Shift"] if number else [])
        looking.page.mouse.move(5, 500)
    assert looking.state("selection.places") == []  # the last one let go of the first
    assert looking.state("selection.keys") == pytest.approx([11.5 / 20, 7.5 / 12], abs=0.01)


def test_swapped_the_column_is_the_librarys(looking: Any, painted_as: Callable[..., None]) -> None:
    row, column = 3, 6
    looking.select(keys=[(column + 0.5) / 20, (row + 0.5) / 12])
    looking.page.keyboard.press("q")
    assert looking.state("selection.swap") is True
    run = looking.run("B")
    looking.page.wait_for_function("() => document.querySelectorAll('[data-part~=reader-bar]').length > 0")
    looking.settle()  # the bars of one model may stand before the map of the other
    cell = row * 20 + column
    at = chosen(looking, "B")
    values = place_reading(run, [cell], layer=at["layer"], head=at["head"])
    direct = run.column("language", key=int(run.visual[0][cell]), layer=at["layer"], head=at["head"])
    np.testing.assert_allclose(values[int(run.visual[0][cell]) :], direct, atol=1e-6)
    drawn = values[run.visual[0]].reshape(12, 20).numpy()
    painted_as(looking.painted("B", (12, 20)), drawn, drawn.max())
    best = int(values.argmax())
    bar = looking.page.locator('[data-part~=bars][data-letter="B"] [data-part~=reader-bar]').first.inner_text()
    assert bar.startswith(f"row {best}")
    assert percent(float(values[best])) in bar
    told = lines(looking, "A")
    assert "no places" in told
    looking.page.keyboard.press("Escape")
    assert looking.state("selection.swap") is False
    assert looking.state("selection.keys") is not None


def test_the_link_brings_all_of_it_back(looking: Any, visit: Callable[..., Any]) -> None:
    looking.select(region=[0.1, 0.2, 0.55, 0.75], also={"A": [looking.run("A").words[4][0]], "B": []})
    looking.page.get_by_role("button", name="Sinks aside").click()
    looking.page.get_by_role("button", name="Shared").click()
    looking.settle()
    before = looking.state("selection")
    address = looking.address()
    assert "region=" in address
    assert "mode:sinks" in address
    again = visit()
    again.page.goto(address)
    again.wait()
    again.settle()
    after = again.state("selection")
    assert after == before
    ids = tuple(before["run"].values())
    assert not [
        url for url in again.requests if any(run in url.partition("#")[0] for run in ids)
    ]  # they stay out of logs
    gone = re.sub(r"([?&#]a=)[^&]+", r"\1gone", address)
    again.page.goto(gone)
    again.wait()
    again.until(
        "[data-part~=notice] > span", "This run is no longer kept on this server: ask again to get a fresh one."
    )


def test_agreement_and_difference_are_the_librarys(looking: Any) -> None:
    maps = [own_map(looking.run(letter), **chosen(looking, letter)) for letter in LETTERS]
    expected = agreement(*maps, (560, 336))
    assert expected is not None
    looking.page.wait_for_function(
        "() => document.querySelector('[data-part~=tabs-figure]').textContent.includes('IoU')"
    )
    figure = looking.part("tabs-figure")
    assert figure.inner_text() == (f"A and B agree: IoU {expected.iou:.2f} · JS distance {expected.js_distance:.2f}")
    assert "Jensen-Shannon distance" in figure.get_attribute("title")
    looking.page.get_by_role("button", name="Difference").click()
    looking.settle()
    drawn = [looking.painted(letter, tuple(expected.difference.shape)) for letter in LETTERS]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    share = expected.difference / expected.difference.abs().max()
    opacity = np.clip((share.abs().numpy() - 0.015) * 2.3, 0, 0.92)
    np.testing.assert_allclose(drawn[0][..., 3], opacity, atol=1.5 / 255)
    seen = opacity > 0.3
    teal = drawn[0][..., 1] > drawn[0][..., 0]
    np.testing.assert_array_equal(teal[seen], (share > 0).numpy()[seen])


def test_modes_and_statistics_say_what_they_are(looking: Any) -> None:
    run = looking.run("B")
    looking.page.get_by_role("button", name="Against a neutral question").click()
    looking.page.wait_for_function(
        "() => ['A', 'B'].every((letter) => window.__inspector.map(letter)?.mode === 'neutral')"
    )
    expected = run.map_against_neutral(**chosen(looking, "B"))
    shown = looking.page.evaluate("() => [...window.__inspector.map('B').tokens]")
    np.testing.assert_allclose(shown, expected.weights, atol=1e-7)
    assert "Describe the image." in lines(looking, "B")
    assert percent(expected.neutral_share) in re.sub(r"\s+", " ", lines(looking, "B")).replace(" %", " %")
    looking.page.get_by_role("button", name="Raw").click()
    figures = run.statistics(chosen(looking, "B")["query"])
    looking.page.locator('[data-part~=detail-cell][data-letter="B"] [data-part~=statistic]').select_option("distance")
    cell = '[data-part~=detail-cell][data-letter="B"] [data-layer="1"][data-head="2"]'
    words = f"mean distance {float(figures.distance[1, 2]):.1f} px"
    looking.page.wait_for_function(
        "([cell, words]) => document.querySelector(cell)?.title.includes(words)", arg=[cell, words]
    )


def test_the_ribbon_chooses_any_token(looking: Any) -> None:
    run = looking.run("B")
    ribbon = looking.page.locator('[data-part~=ribbon-cell][data-letter="B"] [data-part~=ribbon]')
    box = ribbon.bounding_box()
    token = run.answer_start - 3
    ribbon.click(position={"x": (token + 0.5) / len(run.tokens) * box["width"], "y": 12})
    looking.page.mouse.move(5, 500)
    looking.settle()
    assert looking.state("selection.query.B") == token
    assert looking.page.evaluate("() => window.__inspector.map('B').row") == token  # a prompt's token: its own row
    ribbon.press("ArrowRight")
    looking.settle()
    assert looking.page.evaluate("() => window.__inspector.map('B').row") == token + 1


def test_fast_hovers_do_not_pile_up_and_end_on_the_right_map(looking: Any) -> None:
    looking.page.wait_for_function("() => window.__inspector.client.asked > 0")
    asked = "() => window.__inspector.client.asked"
    before = looking.page.evaluate(asked)
    last = looking.page.evaluate(
        """async () => {
          const cells = document.querySelectorAll('[data-part~=detail-cell][data-letter="B"] [data-part~=matrix-cell]');
          let cell = null;
          for (let turn = 0; turn < 100; turn += 1) {
            cell = cells[(turn * 7) % cells.length];
            cell.dispatchEvent(new PointerEvent("pointerover", { bubbles: true, pointerType: "mouse" }));
            await new Promise((done) => setTimeout(done, 5));
          }
          return [cell.dataset.layer, cell.dataset.head];
        }"""
    )
    looking.settle()
    shown = looking.page.evaluate(
        "() => { const { layer, head } = window.__inspector.map('B'); return [layer, head].map(String); }"
    )
    assert shown == last
    assert looking.page.evaluate(asked) - before <= 40  # for 100 hovers: one question at a time, the latest next
    looking.page.evaluate("() => window.__inspector.actions.hoverHead('B', null)")  # the pointer leaves the matrix
    looking.settle()
    looking.page.wait_for_function(SENT_AHEAD)
    before = looking.page.evaluate(asked)
    for index in range(looking.page.locator('[data-part~=head-card][data-letter="A"] [data-part~=word]').count()):
        looking.word("A", index).hover()
        looking.settle()
        assert looking.page.evaluate("() => window.__inspector.map('A').row") == looking.run("A").words[index][0] - 1
    assert (
        looking.page.evaluate(asked) - before <= 4
    )  # none for 9 words in two models; the rest may still be sent ahead


def test_a_walk_by_keyboard_alone(looking: Any) -> None:
    page = looking.page
    page.keyboard.press("Escape")
    looking.word("A", 0).focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    looking.settle()
    assert looking.state("selection.query.A") == looking.run("A").words[1][0]
    page.locator('[data-part~=stage][data-letter="A"]').focus()
    page.keyboard.press("ArrowDown")
    assert looking.state("selection.keys") is not None
    page.keyboard.press("q")
    assert looking.state("selection.swap") is True
    page.keyboard.press("q")
    page.keyboard.press("Escape")
    assert looking.state("selection.keys") is None
    looking.settle()
    page.locator('[data-part~=detail-cell][data-letter="A"] [data-part~=matrix-cell][aria-selected="true"]').focus()
    layer = looking.state("selection.layer.A")
    page.keyboard.press("ArrowDown" if layer == 0 else "ArrowUp")
    looking.settle()
    assert looking.state("selection.layer.A") != layer
    page.wait_for_function(
        "() => document.querySelector('#inspector [data-part~=spoken]').textContent.replaceAll(' ', '') ==="
        " document.querySelector('#inspector [data-part~=status-sentence]').textContent.replaceAll(' ', '')"
    )
    assert page.locator("#inspector [data-part~=spoken]").get_attribute("aria-live") == "polite"
    assert looking.complaints == []


def test_what_the_page_keeps_has_a_cap(looking: Any) -> None:
    held = looking.page.evaluate(
        """() => {
          const { client } = window.__inspector;
          const value = { values: new Float32Array(1 << 18) };
          for (let turn = 0; turn < 2000; turn += 1) client.keep(`map{"test":${turn}}`, turn % 4 ? { turn } : value);
          const sum = [...client.kept.values()].reduce((total, entry) => total + entry.bytes, 0);
          return [client.kept.size, client.bytes, sum, client.channels.size];
        }"""
    )
    size, counted, summed, channels = held
    assert counted == summed
    assert size <= 800
    assert counted <= 64 << 20
    assert channels < 40
