"""Causes and Boxes for print where something is chosen: the library's numbers, and lines that make them anew."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import viz
from app.exports import EXPORTS
from app.serving.api import server_functions
from app.serving.session import Session
from qwenvl.analysis.answer_boxes import overlap
from qwenvl.analysis.regions import box_mask
from tests.support.columns import columns


@pytest.fixture
def runs(tiny_session: Session) -> dict[str, Any]:
    return {letter: tiny_session.store.get(run) for letter, run in tiny_session.example("where").items()}


def selected(runs: dict[str, Any], **own: Any) -> dict[str, dict[str, Any]]:
    query = {letter: finished.run.answer_start + 6 for letter, finished in runs.items()}
    return columns(runs, "causes", query=query, layer=1, head={"A": "mean", "B": 0}, **own)


def made_anew(lines: str, runs: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.chdir(folder)
    for letter, finished in runs.items():
        finished.run.save(folder / f"{letter}.run")
    names: dict[str, Any] = {}
    exec(compile(lines, "lines.py", "exec"), names)
    return names


BOX = [300, 200, 600, 600]
PLACE = {"kind": "box", "box": BOX}
CHOSEN: list[dict[str, Any]] = [
    {"tool": "block", "place": PLACE, "layers": {"A": [0, 3], "B": [2, 3]}, "rows": "text", "through": "adapter"},
    {"tool": "block", "place": {"kind": "half"}, "through": "queries", "layers": [0, 1], "rows": "answer"},
    {"tool": "paint", "place": PLACE, "fill": "black"},
]


@pytest.mark.slow
@pytest.mark.parametrize("chosen", CHOSEN, ids=lambda chosen: f"{chosen['tool']} {chosen['place']['kind']}")
def test_causes_are_the_librarys_and_come_again(
    chosen: dict[str, Any], runs: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    selection = selected(runs, **chosen)
    made = EXPORTS["causes"](runs, selection)
    if chosen["tool"] == "paint":
        for letter, finished in runs.items():
            size = finished.run.media[0].size
            mask = box_mask(size, [0.3 * size[0], 0.2 * size[1], 0.6 * size[0], 0.6 * size[1]])
            effect = finished.run.painted(selection[letter]["query"], mask, fill="black")
            np.testing.assert_array_equal(made.arrays[f"effect_{letter}"][:2], [effect.before, effect.after])
            assert f"{effect.pixels:,} pixels of the original were painted over (black)" in made.caption
    names = made_anew(made.lines, runs, tmp_path, monkeypatch)
    for name, values in made.arrays.items():
        np.testing.assert_array_equal(names[name], values)
    assert viz.rendered(names["figure"], format="svg") == viz.rendered(made.figure, format="svg")


@pytest.mark.slow
def test_curves_that_the_page_has_computed_go_along(
    tiny_session: Session, runs: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ask,) = (one for one in server_functions(tiny_session) if one.__name__ == "causes_curves")
    selection = selected(runs, tool="paint", place=PLACE, fill="black")
    assert "curves_A" not in EXPORTS["causes"](runs, selection).arrays
    for letter, run in tiny_session.example("where").items():
        at = {name: selection[letter][name] for name in ("query", "layer", "head")}
        told = ask({"run": run, "do": "start", **at, "media": 0, "fill": "black"})
        while told["state"] == "running":
            time.sleep(0.05)
            told = ask({"run": run, "do": "look"})
        assert told["state"] == "done"
    made = EXPORTS["causes"](runs, selection)
    for letter, finished in runs.items():
        at = {name: selection[letter][name] for name in ("layer", "head")}
        *_, last = finished.run.deletion_curves(selection[letter]["query"], **at, fill="black", steps=10, seeds=5)
        expected = [one.probability for one in (last.falling, last.rising, *last.random)]
        np.testing.assert_array_equal(made.arrays[f"curves_{letter}"], expected)
        assert f"deletion {last.falling.area:.3f}" in viz.rendered(made.figure, format="svg").decode()
    names = made_anew(made.lines, runs, tmp_path, monkeypatch)
    for name, values in made.arrays.items():
        np.testing.assert_array_equal(names[name], values)
    assert viz.rendered(names["figure"], format="svg") == viz.rendered(made.figure, format="svg")


@pytest.mark.slow
def test_boxes_are_compared_with_the_visitors(
    runs: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = EXPORTS["boxes"](runs, selected(runs, yours=BOX))
    for letter, finished in runs.items():
        (box,) = finished.run.boxes()
        np.testing.assert_array_equal(made.arrays[f"boxes_{letter}"], [box.box])
        assert f"IoU {overlap(box.written, (300, 200, 600, 600)):.3f}" in made.caption
    names = made_anew(made.lines, runs, tmp_path, monkeypatch)
    assert viz.rendered(names["figure"], format="svg") == viz.rendered(made.figure, format="svg")
