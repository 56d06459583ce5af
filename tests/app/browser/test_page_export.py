"""The Export menu: files come from the server, the lines are shown, refusals are sentences, keys stay inside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_the_menu_makes_files_of_what_is_selected(visitor: Any) -> None:
    page = visitor.page
    visitor.select(layer={"A": 1, "B": 0}, head={"A": "mean", "B": 2})
    page.click("[data-part~=export-button]")
    with page.expect_download() as saved:
        page.click('[data-part~=export-items] [data-kind="svg"]')
    assert saved.value.suggested_filename == "answer.svg"
    drawn = Path(saved.value.path()).read_text(encoding="utf-8")
    assert "layer 1, mean of" in drawn
    page.click('[data-part~=export-items] [data-kind="lines"]')
    page.wait_for_function("() => document.querySelector('[data-part~=export-code]').textContent.includes('viz.save')")
    lines = page.locator("[data-part~=export-code]").inner_text()
    assert "layer=1, head='mean'" in lines
    assert "layer=0, head=2" in lines
    assert page.locator("[data-part~=export-items] [data-kind='run']").count() == 2
    locked = visitor.state("selection.query")
    page.keyboard.press("Escape")
    assert page.locator("[data-part~=export-panel]").is_hidden()
    assert visitor.state("selection.query") == locked
    assert visitor.outside == []
    assert visitor.complaints == []


def test_a_refusal_is_a_sentence_in_the_menu(visitor: Any) -> None:
    visitor.select(query={"A": None, "B": None})
    visitor.page.click("[data-part~=export-button]")
    visitor.page.click('[data-part~=export-items] [data-kind="pdf"]')
    visitor.until("[data-part~=export-note]", "Nothing is chosen: choose a word of an answer, then export.")
    assert visitor.complaints == []


def test_a_saved_page_is_the_page_without_a_server(
    visitor: Any, browser: Any, painted_as: Callable[..., None], tmp_path: Path
) -> None:
    visitor.select(layer={"A": 1, "B": 0}, head={"A": "mean", "B": 2})
    visitor.page.click("[data-part~=export-button]")
    with visitor.page.expect_download() as saved:
        visitor.page.click('[data-part~=export-items] [data-kind="page"]')
    path = tmp_path / saved.value.suggested_filename
    saved.value.save_as(path)
    assert path.stat().st_size < 20 << 20
    context = browser.new_context(color_scheme="dark", offline=True)
    file = type(visitor)(context.new_page(), path.as_uri(), visitor.session)
    said: list[str] = []
    file.page.on("console", lambda message: said.append(message.text))
    file.open()
    file.settle()
    assert file.page.locator("body.dark").count() == 1
    assert file.state("selection.layer") == {"A": 1, "B": 0}
    start = visitor.run("A").answer_start
    for word in (1, 2):
        file.page.locator(f'[data-part~=head-card][data-letter="A"] [data-part~=word][data-word="{word}"]').hover()
        file.page.wait_for_function(
            "(token) => window.__inspector.actions.effective().query.A === token", arg=start + word
        )
        file.settle()
        for letter, layer, head in (("A", 1, "mean"), ("B", 0, 2)):
            run = visitor.run(letter)
            query = file.page.evaluate("(letter) => window.__inspector.actions.effective().query[letter]", letter)
            if "adapter" in run.sites:
                cells = run.image_map(query=query - 1, layer=layer, head=head)[0]
            else:
                weights = run.token_weights(query=query - 1, layer=layer, head=head)
                cells = weights.reshape(run.media[0].token_grid)[0]
            painted_as(file.painted(letter, tuple(cells.shape)), cells.numpy(), float(cells.max()))
    assert [url for url in file.requests if not url.startswith("data:")] == [path.as_uri()]
    assert [words for words in said if "getImageData" not in words] == []  # which this test itself calls
    context.close()
