"""The table of measured figures says what the checkpoints' folders say."""

from __future__ import annotations

from typing import Any

from app.models.measured import figures_table


def figures(right: float, **more: Any) -> dict[str, Any]:
    row = {"right": right, "asked": 40, "by_difficulty": {}}
    return {"checkpoint": "x", "seed": 7, "scenes": 40, "rows": {"colour": row}, **more}


def test_no_figures_no_table() -> None:
    assert figures_table({}, {"A": "one"}) is None


def test_rows_stand_beside_each_other_and_what_one_lacks_is_a_dash() -> None:
    pointing = {"shape": {"target": 12.34, "distractor": 0.067, "layer": 1, "head": 0, "row": "name"}}
    table = figures_table({"A": figures(0.985), "B": figures(1.0, pointing=pointing)}, {"A": "one", "B": "two"})
    assert table is not None
    assert table["columns"] == ["one", "two"]
    assert table["rows"] == [["colour", "98.5 %", "100.0 %"], ["pointing, by shape", "–", "12.3 ×, others 0.07 ×"]]
    assert "40 scenes a row, seed 7" in table["notes"][0]


def test_one_model_without_figures_leaves_no_column() -> None:
    table = figures_table({"B": figures(0.5)}, {"A": "one", "B": "two"})
    assert table is not None
    assert table["columns"] == ["two"]
    assert table["rows"] == [["colour", "50.0 %"]]
