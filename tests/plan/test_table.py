"""Tables: a row is the plan of that file and model, a folder is its files, and what cannot be read says so."""

from __future__ import annotations

import csv
import inspect
import io
import json
from pathlib import Path

import pytest
from PIL import Image

import qwenvl
from qwenvl.errors import CheckpointError, MediaError
from qwenvl.plan import PUBLISHED, measured, plan, plan_table
from qwenvl.plan.planning import PlanSettings
from qwenvl.plan.table import COLUMNS
from tests.support.clips import encode


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    (folder / "deeper").mkdir()
    Image.new("L", (1000, 1500)).save(folder / "page.png")
    Image.new("RGB", (300, 200)).save(folder / "deeper" / "photo.jpg")
    encode(folder / "walk.mp4", count=60, rate=20)
    (folder / "notes.txt").write_text("not for a model", encoding="utf-8")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n but no more")
    return folder


def test_a_folder_gives_a_row_a_file_and_model(folder: Path) -> None:
    table = plan_table(folder)
    files = sorted(str(path) for path in folder.rglob("*") if path.suffix in (".png", ".jpg", ".mp4"))
    assert [row["file"] for row in table.rows if row["model"] in (None, PUBLISHED[0])] == files
    assert len(table.rows) == 3 * len(PUBLISHED) + 1
    (broken,) = [row for row in table.rows if row["error"]]
    assert broken["error"].startswith("broken.png is not a picture")
    for row in table.rows:
        if row["error"]:
            continue
        cost = plan(row["file"], row["model"])
        assert row["visual_tokens"] == cost.visual_tokens
        assert (row["resized_width"], row["resized_height"]) == cost.media[0].resized
        assert row["flops_language"] == cost.flops["language"]
        assert row["trace_bytes"] == sum(cost.trace_bytes.values())


def test_settings_hold_for_every_file(folder: Path) -> None:
    rows = plan_table([folder / "page.png", folder / "walk.mp4"], "Qwen2-VL-7B", max_pixels=50_176, nframes=6).rows
    assert [row["limit"] for row in rows] == ["max_pixels", None]
    assert rows[0]["resized_width"] * rows[0]["resized_height"] <= 50_176
    assert rows[1]["frames"] == 6


def test_csv_and_json_hold_the_same(folder: Path) -> None:
    table = plan_table([folder / "page.png", (640, 480)], ["Qwen-VL", "Qwen2-VL-2B"])
    read = list(csv.DictReader(io.StringIO(table.to_csv())))
    written = json.loads(str(table))
    assert tuple(read[0]) == COLUMNS
    assert len(read) == len(written) == 4
    for one, other in zip(read, written, strict=True):
        assert one == {name: "" if value is None else str(value) for name, value in other.items()}


@pytest.mark.parametrize("name", ["=HYPERLINK(A1).png", "+1.png", "-1.png", "@SUM(A1).png", "\tx.png"])
def test_a_spreadsheet_computes_nothing_of_a_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("L", (56, 56)).save(tmp_path / name, format="PNG")
    table = plan_table(name, "Qwen2-VL-2B")
    (row,) = csv.DictReader(io.StringIO(table.to_csv()))
    assert row["file"] == f"'{name}"
    assert table.to_json()[0]["file"] == name


def test_a_setting_that_one_file_refuses_is_its_error_alone(folder: Path) -> None:
    rows = plan_table([folder / "walk.mp4", folder / "page.png"], "Qwen2-VL-2B", nframes=600).rows
    assert "nframes is an even number" in rows[0]["error"]
    assert rows[1]["error"] is None


def test_what_was_measured_once_is_planned_without_its_file(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "gone.png"
    Image.new("RGB", (90, 70)).save(path)
    seen = measured(path)
    path.unlink()
    assert plan(seen, "Qwen2-VL-7B").media[0].name == "gone.png"
    assert qwenvl.plan_table(seen, "Qwen2-VL-7B").rows[0]["file"] == "gone.png"


def test_nothing_to_plan_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing", encoding="utf-8")
    with pytest.raises(MediaError, match="holds no pictures or clips"):
        plan_table(tmp_path)
    with pytest.raises(MediaError, match="no file to plan"):
        plan_table([])
    with pytest.raises(CheckpointError, match="no preset"):
        plan_table((9, 9), "Qwen9")


def test_a_table_takes_the_settings_of_a_plan() -> None:
    keywords = {name for name, one in inspect.signature(plan).parameters.items() if one.kind is one.KEYWORD_ONLY}
    assert PlanSettings.__annotations__.keys() == keywords
