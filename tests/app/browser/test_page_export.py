"""The Export menu: files come from the server, the lines are shown, refusals are sentences, keys stay inside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_the_menu_makes_files_of_what_is_selected(visitor: Any) -> None:
    page = visitor.page
    visitor.select(layer={"A": 1, "B": 0}, head={"A": "mean", "B": 2})
    page.click(".export-button")
    with page.expect_download() as saved:
        page.click('.export-items [data-kind="svg"]')
    assert saved.value.suggested_filename == "answer.svg"
    drawn = Path(saved.value.path()).read_text(encoding="utf-8")
    assert "layer 1, mean of" in drawn
    page.click('.export-items [data-kind="lines"]')
    page.wait_for_function("() => document.querySelector('.export-code').textContent.includes('viz.save')")
    lines = page.locator(".export-code").inner_text()
    assert "layer=1, head='mean'" in lines
    assert "layer=0, head=2" in lines
    assert page.locator(".export-items [data-kind='run']").count() == 2
    locked = visitor.state("selection.query")
    page.keyboard.press("Escape")
    assert page.locator(".export-panel").is_hidden()
    assert visitor.state("selection.query") == locked
    assert visitor.outside == []
    assert visitor.complaints == []


def test_a_refusal_is_a_sentence_in_the_menu(visitor: Any) -> None:
    visitor.select(query={"A": None, "B": None})
    visitor.page.click(".export-button")
    visitor.page.click('.export-items [data-kind="pdf"]')
    visitor.until(".export-note", "Nothing is chosen: choose a word of an answer, then export.")
    assert visitor.complaints == []
