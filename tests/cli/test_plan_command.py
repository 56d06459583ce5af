"""`plan` says what the library plans."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from PIL import Image

import qwenvl
from qwenvl.cli.main import main
from qwenvl.plan import PUBLISHED

QUESTION = "What shape is the green object?"
PICTURE = str(Path(__file__).parents[2] / "app" / "examples" / "shapes.png")


def test_plan_prints_every_published_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "3840x2160"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in PUBLISHED)
    assert "10,549" in said


def test_plan_as_json_and_csv_are_the_librarys_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "page.png"
    Image.new("L", (700, 900)).save(path)
    asked = ["plan", str(path), "--of", "Qwen2-VL-2B", "Qwen-VL", "--max-pixels", "200704"]
    expected = qwenvl.plan_table(str(path), ["Qwen2-VL-2B", "Qwen-VL"], max_pixels=200_704)
    assert main([*asked, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == expected.to_json()
    assert main([*asked, "--csv", "--into", str(tmp_path / "plan.csv")]) == 0
    assert (tmp_path / "plan.csv").read_text(encoding="utf-8") == expected.to_csv()
    assert capsys.readouterr().out == ""


def test_plan_together_is_one_question(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", PICTURE, "640x480", "--together", "--of", "tiny-qwen2-vl", "--text", QUESTION, "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    expected = qwenvl.plan([PICTURE, (640, 480)], "tiny-qwen2-vl", text=QUESTION)
    assert told == json.loads(json.dumps(expected.to_json()))
    assert main(["plan", PICTURE, "--together", "--of", "Qwen2-VL-7B"]) == 0
    said = capsys.readouterr().out
    assert qwenvl.plan(PICTURE, "Qwen2-VL-7B").sentence in said
    assert "No limit bites" in said


def test_plan_by_toolchain(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "3840x2160", "--toolchains", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    expected = [outcome.to_json() for outcome in qwenvl.plan_toolchains((3840, 2160), "Qwen2-VL-2B")]
    assert told == [{"file": "3,840 × 2,160", **one} for one in json.loads(json.dumps(expected))]


def test_toolchains_take_folders_and_each_file_by_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, size in (("a.png", (2240, 2240)), ("b.png", (56, 56))):
        Image.new("L", size).save(tmp_path / name)
    assert main(["plan", str(tmp_path), "--toolchains", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [Path(one["file"]).name for one in told] == ["a.png"] * 5 + ["b.png"] * 5
    by_class = {Path(one["file"]).name: one["visual_tokens"] for one in told if one["key"] == "class"}
    assert by_class == {"a.png": 35 * 35, "b.png": 4}
    assert main(["plan", str(tmp_path), "--toolchains"]) == 0
    assert capsys.readouterr().out.count("the processor built from its class alone") == 2


def test_the_limit_that_bites_is_the_pages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "3840x2160", "640x360x48", "--max-pixels", "1,003,520"]) == 0
    said = capsys.readouterr().out
    one, clip = said.split("640 × 360, 48 frames")
    assert one.startswith("3,840 × 2,160\n")  # once, not as a name and again as a size
    limits = [line.split("  ")[-1] for line in one.strip().splitlines()[2:]]
    assert limits == ["448 × 448, always", "max_pixels", "max_pixels", "max_pixels"]
    assert "longer than the context" in next(line for line in clip.splitlines() if "Qwen-VL-Chat" in line)


def test_plan_of_one_broken_file_among_others_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "broken.png").write_bytes(b"nothing")
    assert main(["plan", str(tmp_path / "broken.png"), "9x9", "--csv"]) == 3
    said = capsys.readouterr()
    assert said.err.startswith("qwenvl plan: broken.png")
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert rows[0]["error"].startswith("broken.png")
    assert len(rows) == 1 + len(PUBLISHED)
