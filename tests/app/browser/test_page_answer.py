"""Why this word: the maps that the browser draws are the library's numbers, on the original picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.asking.words import percent

pytestmark = pytest.mark.browser

LETTERS = ("A", "B")


def library_map(visitor: Any, letter: str) -> tuple[np.ndarray, np.ndarray]:
    """The map of the selection as the library has it, on the patch grid, and on the grid that the stage draws."""
    selection = visitor.state("selection")
    run = visitor.run(letter)
    row = selection["query"][letter] - 1
    chosen = {"layer": selection["layer"][letter], "head": selection["head"][letter], "media": selection["media"]}
    patches = run.image_map(query=row, **chosen)[0].numpy()
    if letter == "A":
        return patches, patches
    _, rows, columns = run.media[selection["media"]].token_grid
    return patches, run.token_weights(query=row, **chosen).reshape(rows, columns).numpy()


def assert_maps(visitor: Any, painted_as: Callable[..., None]) -> None:
    for letter in LETTERS:
        patches, drawn = library_map(visitor, letter)
        painted_as(visitor.painted(letter, drawn.shape), drawn, drawn.max())
        shown = visitor.page.evaluate("(letter) => [...window.__inspector.map(letter).values]", letter)
        np.testing.assert_array_equal(np.asarray(shown, dtype=np.float32), patches.ravel())


def test_a_photo_is_asked_about_and_a_word_shows_the_librarys_maps(
    visitor: Any, photo: Path, painted_as: Callable[..., None]
) -> None:
    visitor.upload(photo)
    visitor.ask("What is in the picture?")
    visitor.settle()
    run = visitor.run("A")
    assert run.media[0].size == (420, 300)
    visitor.page.keyboard.press("Escape")  # lets go of the word that the page starts with
    for index in (1, 3):
        visitor.word("A", index).click()
        visitor.settle()
        assert visitor.state("selection.query.A") == run.words[index][0]
        assert_maps(visitor, painted_as)
    share = float(run.token_weights(query=run.words[3][0] - 1, **_chosen(visitor, "A")).double().sum())
    assert f"A row {run.words[3][0] - 1}, language" in visitor.sentence()
    assert f"{100 * share:.1f} % of the row on the image" in visitor.sentence()
    remark = visitor.page.locator("[data-part~=tabs] [data-part~=remark]")
    assert "outside the demo world" in remark.inner_text().lower()
    assert "the answer means nothing" in remark.get_attribute("title")
    line, box = visitor.page.locator('[role="tablist"]').bounding_box(), remark.bounding_box()
    assert line["y"] <= box["y"]  # beside the tabs, beneath none
    assert box["y"] + box["height"] <= line["y"] + line["height"]


def _chosen(visitor: Any, letter: str) -> dict[str, Any]:
    selection = visitor.state("selection")
    return {"layer": selection["layer"][letter], "head": selection["head"][letter]}


def test_every_layer_and_head_and_their_means(visitor: Any, painted_as: Callable[..., None]) -> None:
    visitor.settle()
    for layer, head in ((0, 0), (2, "mean"), ("mean", 1), ("mean", "mean")):
        for letter in LETTERS:
            cell = f'[data-part~=detail-cell][data-letter="{letter}"] [data-layer="{layer}"][data-head="{head}"]'
            visitor.page.locator(cell).click()
        visitor.page.mouse.move(5, 400)
        visitor.settle()
        assert visitor.state("selection.layer.A") == layer
        assert visitor.state("selection.head.B") == head
        assert_maps(visitor, painted_as)


@pytest.mark.slow
def test_the_matrix_prints_the_shares(visitor: Any) -> None:
    visitor.settle()
    for letter in LETTERS:
        run = visitor.run(letter)
        shares = run.shares(visitor.state(f"selection.query.{letter}") - 1)
        titles = visitor.page.eval_on_selector_all(
            f'[data-part~=detail-cell][data-letter="{letter}"] [data-part~=matrix-cell]',
            "(cells) => cells.map((cell) => cell.title)",
        )
        printed = [title.split(": ")[1].split(" %")[0] for title in titles]
        expected = np.pad(shares.numpy(), ((0, 1), (0, 1)))
        expected[:-1, -1], expected[-1, :-1] = shares.mean(dim=1), shares.mean(dim=0)
        expected[-1, -1] = shares.mean()
        for text, share in zip(printed, expected.ravel(), strict=True):
            limits = {"under 0.01": 0.005, "over 99.99": 99.995}
            assert limits.get(text, 100 * share) == pytest.approx(100 * share, abs=0.006)
            assert text in limits or float(text) == pytest.approx(100 * share, abs=0.051)


def test_arrows_walk_the_words_and_escape_lets_go(visitor: Any) -> None:
    visitor.settle()
    visitor.word("A", 2).click()
    visitor.word("A", 2).press("ArrowRight")
    visitor.page.wait_for_function(
        "(token) => window.__inspector.state.selection.query.A === token", arg=visitor.run("A").words[3][0]
    )
    visitor.page.wait_for_function("() => document.activeElement.dataset.word === '3'")
    visitor.page.keyboard.press("Escape")
    visitor.settle()
    assert visitor.state("selection.query") == {"A": None, "B": None}
    assert "Nothing is chosen" in visitor.sentence()


@pytest.mark.slow
def test_hovering_previews_and_leaving_restores(visitor: Any) -> None:
    visitor.settle()
    locked = visitor.state("selection.query.A")
    visitor.word("A", 2).hover()
    visitor.page.wait_for_function("() => window.__inspector.state.preview !== null")
    visitor.settle()
    assert visitor.page.evaluate("() => window.__inspector.map('A').row") == visitor.run("A").words[2][0] - 1
    visitor.page.mouse.move(700, 990)
    visitor.page.wait_for_function("() => window.__inspector.state.preview === null")
    visitor.settle()
    assert visitor.page.evaluate("() => window.__inspector.map('A').row") == locked - 1


@pytest.mark.slow
def test_the_five_likeliest_at_a_word(visitor: Any) -> None:
    visitor.settle()
    visitor.word("B", 2).click()
    visitor.settle()
    likeliest = visitor.run("B").alternatives(visitor.run("B").words[2][0], k=5)
    shown = visitor.page.locator('[data-part~=head-card][data-letter="B"] [data-part~=alternative]').all_inner_texts()
    assert len(shown) == 5
    for text, one in zip(shown, likeliest, strict=True):
        assert one.text.strip() in text
        assert percent(one.probability) in text


@pytest.mark.slow
def test_of_three_equal_words_the_one_that_was_clicked(
    kept: Callable[..., dict[str, str]], visit: Callable[..., Any], photo: Path, painted_as: Callable[..., None]
) -> None:
    ids = kept({"A": "the cat and the dog and the bird", "B": "the bird and the dog"}, photo)
    visitor = visit()
    visitor.open(f"?a={ids['A']}&b={ids['B']}")
    visitor.settle()
    run, far = visitor.run("A"), visitor.run("B")
    equal = [i for i, word in enumerate(run.words) if run.tokens[word[0]].text.strip() == "the"]
    assert len(equal) == 3
    rows = []
    for number, index in enumerate(equal):
        visitor.word("A", index).click()
        visitor.settle()
        assert visitor.state("selection.query.A") == run.words[index][0]
        rows.append(visitor.page.evaluate("() => window.__inspector.map('A').row"))
        assert_maps(visitor, painted_as)
        assert visitor.page.locator('[data-part~=head-card][data-letter="A"] [data-part~=word].same').count() == 2
        nearest = min((i for i, word in enumerate(far.words) if far.tokens[word[0]].text.strip() == "the"),
                      key=lambda i: abs(i - index))  # fmt: skip
        assert visitor.state("selection.query.B") == far.words[nearest][0], number
    assert rows == [run.words[index][0] - 1 for index in equal]


@pytest.mark.slow
def test_a_word_the_other_model_never_said(
    kept: Callable[..., dict[str, str]], visit: Callable[..., Any], photo: Path
) -> None:
    ids = kept({"A": "a red cat", "B": "the blue dog"}, photo)
    visitor = visit()
    visitor.open(f"?a={ids['A']}&b={ids['B']}")
    visitor.settle()
    index = next(
        i for i, word in enumerate(visitor.run("A").words) if visitor.run("A").tokens[word[0]].text.strip() == "cat"
    )
    visitor.word("A", index).click()
    visitor.settle()
    assert "B has no row for this word" in visitor.sentence()


@pytest.mark.slow
@pytest.mark.parametrize(
    "size", [(300, 427), (28, 812), (812, 28), (451, 300)], ids=["portrait", "tall", "wide", "cat"]
)
def test_maps_on_pictures_of_every_shape(
    kept: Callable[..., dict[str, str]],
    visit: Callable[..., Any],
    tmp_path: Path,
    painted_as: Callable[..., None],
    size: tuple[int, int],
) -> None:
    path = tmp_path / "shape.png"
    Image.effect_noise(size, 80).convert("RGB").save(path)
    ids = kept({"A": "a red cat", "B": "a red cat"}, path)
    visitor = visit()
    visitor.open(f"?a={ids['A']}&b={ids['B']}")
    visitor.settle()
    box = visitor.part("stage").first.bounding_box()
    assert box["width"] / box["height"] == pytest.approx(size[0] / size[1], rel=0.2 if min(size) < 50 else 0.02)
    if min(size) > 50:  # the cells of a 9 px strip are narrower than a pixel of the screen
        assert_maps(visitor, painted_as)


@pytest.mark.slow
def test_two_pictures_of_different_sizes(
    kept: Callable[..., dict[str, str]], visit: Callable[..., Any], tmp_path: Path, painted_as: Callable[..., None]
) -> None:
    paths = [tmp_path / "one.png", tmp_path / "two.png"]
    for path, size in zip(paths, [(448, 308), (280, 420)], strict=True):
        Image.effect_noise(size, 80).convert("RGB").save(path)
    ids = kept({"A": "a red cat", "B": "a red cat"}, *paths)
    visitor = visit()
    visitor.open(f"?a={ids['A']}&b={ids['B']}")
    for media in (0, 1):
        visitor.page.locator("[data-part~=media-choice] button").nth(media).click()
        visitor.settle()
        assert visitor.state("selection.media") == media
        assert_maps(visitor, painted_as)
        picks = visitor.page.locator("[data-part~=media-choice] button").nth(media).inner_text()
        for letter in LETTERS:
            share = float(library_map(visitor, letter)[0].sum(dtype=float))
            assert f"{letter} {100 * share:.{2 if share < 0.01995 else 1}f} %" in picks.replace("\n", " ")


@pytest.mark.slow
def test_one_colour_for_each_patch_makes_the_whole_round_trip(
    kept: Callable[..., dict[str, str]], visit: Callable[..., Any], tmp_path: Path
) -> None:
    """A token's cell on screen shows the pixels it was made from, and pointing at it names that token."""
    rows, columns = 12, 20
    colours = np.stack(
        [
            np.repeat(np.linspace(0, 255, rows)[:, None], columns, axis=1),
            np.repeat(np.linspace(255, 0, columns)[None], rows, axis=0),
            np.full((rows, columns), 77),
        ],
        axis=-1,
    ).round().astype(np.uint8)  # fmt: skip
    path = tmp_path / "colours.png"
    Image.fromarray(np.kron(colours, np.ones((28, 28, 1), np.uint8))).save(path)
    ids = kept({"A": "a red cat", "B": "a red cat"}, path)
    visitor = visit()
    visitor.open(f"?a={ids['A']}&b={ids['B']}")
    visitor.settle()
    run = visitor.run("B")
    assert run.media[0].token_grid == (1, rows, columns)
    np.testing.assert_allclose(visitor.painted("B", (rows, columns), "base")[..., :3] * 255, colours, atol=3)
    box = visitor.part("stage", "B").bounding_box()
    for row, column in ((0, 0), (9, 4), (11, 19)):
        x1, y1, x2, y2 = run.media[0].token_box(row * columns + column)
        place = {"x": (x1 + x2) / 2 / 560 * box["width"], "y": (y1 + y2) / 2 / 336 * box["height"]}
        visitor.part("stage", "B").hover(position=place)
        visitor.until('[data-part~=stage][data-letter="B"] [data-part~=stage-label]', f"token ({row}, {column})")
        patch = visitor.page.locator('[data-part~=stage][data-letter="A"] [data-part~=stage-label]').inner_text()
        _, down, across = visitor.run("A").media[0].patch_grid
        assert patch == f"patch ({int((y1 + y2) / 2 / 336 * down)}, {int((x1 + x2) / 2 / 560 * across)})"
