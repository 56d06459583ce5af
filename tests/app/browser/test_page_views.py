"""Adapter: what they print and draw is the library's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def looking(kept: Callable[..., dict[str, str]], visit: Callable[..., Any], tmp_path: Path) -> Any:
    """A visitor at a run about a 600 x 400 picture."""
    path = tmp_path / "picture.png"
    Image.effect_noise((600, 400), 70).convert("RGB").save(path)
    ids = kept({"A": "a red cat", "B": "a red cat"}, path)
    visitor = visit()
    visitor.open(f"?a={ids['A']}&b={ids['B']}")
    visitor.settle()
    return visitor


def test_a_query_of_the_adapter_is_the_librarys_row(looking: Any, painted_as: Callable[..., None]) -> None:
    looking.view("Adapter")
    run = looking.run("A")
    grid = run.media[0].patch_grid[1:]
    for query, head in ((0, "mean"), (137, 0)):
        looking.page.fill("#adapter-query", str(query))
        looking.page.press("#adapter-query", "Enter")
        looking.page.select_option("#adapter-head", str(head))
        row = run.attention("adapter", media=0, query=query, head=head).numpy().reshape(grid)
        label = f"query {query} · {'all heads' if head == 'mean' else f'head {head}'}"
        looking.until('.stage[data-letter="A"] .stage-label', label)
        looking.page.wait_for_function(
            "(most) => Math.abs(window.__inspector.drawn.A.drawn.spec.cells?.max - most) < 1e-6", arg=float(row.max())
        )
        painted_as(looking.painted("A", grid), row, row.max())
        bits = float(-(row[row > 0] * np.log2(row[row > 0])).sum())
        assert f"{bits:.1f} bits" in looking.page.locator('.stage-cell[data-letter="A"] .figures').inner_text()
        assert f"adapter query {query}" in looking.sentence()


def test_the_readers_of_a_patch(looking: Any) -> None:
    looking.view("Adapter")
    _, rows, columns = looking.run("A").media[0].patch_grid
    looking.select(keys=[10.5 / columns, 11.5 / rows])
    looking.page.wait_for_function("() => document.querySelector('.readers h3')?.textContent.includes('(11, 10)')")
    column = looking.run("A").adapter_matrix(media=0, head="mean")[:, 11 * columns + 10]
    expected = column.topk(5)
    shown = looking.page.locator(".reader > span:first-child").all_inner_texts()
    assert [int(text) for text in shown] == expected.indices.tolist()
