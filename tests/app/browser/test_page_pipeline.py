"""Pipeline: every box prints what the library says of the run, and opens the view of its step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qwenvl.analysis.stages import CHANGES, times

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def milliseconds(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{1000 * seconds:.1f} ms" if seconds < 0.00995 else f"{int(1000 * seconds + 0.5)} ms"


def test_every_box_is_the_runs_own(visitor: Any) -> None:
    visitor.view("Pipeline")
    visitor.page.mouse.move(4, 4)
    visitor.page.wait_for_function(
        "() => document.querySelector('[data-part~=status-sentence]').textContent.startsWith('the way')"
    )
    visitor.page.wait_for_function("() => document.querySelectorAll('[data-part~=pipe-numbers] b').length >= 10")
    for letter in "AB":
        run = visitor.run(letter)
        for stage in run.stages():
            box = visitor.page.locator(f'[data-part~=pipe-box][data-letter="{letter}"][data-stage="{stage.name}"]')
            words = box.inner_text()
            assert stage.title in words
            assert all(phrase in words for phrase in stage.words)
            if stage.shape:
                assert " × ".join(f"{side:,}" for side in stage.shape) in words
            if stage.parameters:
                assert f"{stage.parameters:,} parameters" in words
            if stage.seconds is not None:
                assert milliseconds(stage.seconds) in words
        assert milliseconds(sum(times(run).values())) in visitor.sentence()
    marks = visitor.part("pipe-mark").all_inner_texts()
    assert marks == [change.mark for change in CHANGES.values()]
    widths = visitor.page.evaluate(
        "() => [...document.querySelectorAll('[data-part~=time-line]')].map((line) => [...line.querySelectorAll('i')]"
        ".reduce((sum, part) => sum + parseFloat(part.style.width), 0))"
    )
    totals = [sum(times(visitor.run(letter)).values()) for letter in "AB"]
    assert widths == pytest.approx([100 * total / max(totals) for total in totals], abs=0.01)
    visitor.page.locator('[data-part~=pipe-box][data-letter="A"][data-stage="prompt"]').hover()
    visitor.page.wait_for_function(
        "() => document.querySelector('[data-part~=status-sentence]').textContent.startsWith('Prompt')"
    )
    visitor.page.locator('[data-part~=pipe-box][data-letter="B"][data-stage="adapter"]').click()
    assert visitor.state("selection.view") == "adapter"
    assert not visitor.complaints
    assert not visitor.outside


def test_one_family_twice_marks_no_change_and_no_picture_no_shape(
    kept: Callable[..., dict[str, str]], visit: Callable[..., Any]
) -> None:
    ids = kept({"A": "a cat", "B": "a cat"})
    visitor = visit(width=390, height=844)
    visitor.open(f"?a={ids['B']}&b={ids['B']}&sel=view=pipeline")
    visitor.page.wait_for_function("() => document.querySelectorAll('[data-part~=pipe-numbers] b').length >= 2")
    assert not visitor.part("pipe-mark").count()
    vision = visitor.page.locator('[data-part~=pipe-box][data-letter="A"][data-stage="vision"]').inner_text()
    assert "not used: no picture in this question" in vision
    assert "replay" in visitor.part("pipe-times").inner_text()
    assert visitor.page.evaluate("() => document.documentElement.scrollWidth") == 390
