"""`compare` reports both models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import qwenvl
from qwenvl.cli.main import main

QUESTION = "What shape is the green object?"
PICTURE = str(Path(__file__).parents[2] / "app" / "examples" / "shapes.png")


@pytest.mark.slow
def test_compare_reports_both_models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    into = tmp_path / "both.svg"
    assert main(["compare", QUESTION, "--about", PICTURE, "--into", str(into), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert list(report["models"]) == ["tiny-qwen-vl", "tiny-qwen2-vl"]
    assert report["question"] == QUESTION
    for name, told in report["models"].items():
        content = [{"type": "image", "image": PICTURE}, {"type": "text", "text": QUESTION}]
        run = qwenvl.load(name).run([{"role": "user", "content": content}], temperature=0)
        assert told["answer"] == run.answer
        word = told["words"][0]
        assert word["share"] == pytest.approx(float(run.shares(word["tokens"][0] - 1).mean()), abs=1e-6)
    assert b"A  tiny-qwen-vl" in into.read_bytes() or b"Qwen-VL" in into.read_bytes()


def test_compare_one_model_twice_tells_them_apart(capsys: pytest.CaptureFixture[str]) -> None:
    asked = [
        "compare",
        "Hello?",
        "--of",
        "tiny-qwen2-vl",
        "tiny-qwen2-vl",
        "--max-new-tokens",
        "1",
        "--json",
        "--quiet",
    ]
    assert main(asked) == 0
    assert list(json.loads(capsys.readouterr().out)["models"]) == ["tiny-qwen2-vl (1)", "tiny-qwen2-vl (2)"]
