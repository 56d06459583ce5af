"""The cost of a question is said, and what does not fit refused, before anything is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

import qwenvl
from qwenvl.cli import cost_check, finished_run
from qwenvl.cli.main import main
from qwenvl.plan import in_bytes

QUESTION = "What shape is the green object?"
PICTURE = str(Path(__file__).parents[2] / "app" / "examples" / "shapes.png")


def test_the_cost_is_said_before_it_is_paid(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ["ask", QUESTION, "--about", PICTURE, "--dtype", "float32"]
    assert main(asked) == 0
    first = capsys.readouterr().err.splitlines()[0]
    expected = qwenvl.plan(PICTURE, "tiny-qwen2-vl", text=QUESTION, answer_tokens=64, bytes_per_value=4)
    assert f"{expected.prompt_tokens:,} tokens in the prompt" in first
    assert f"weights {in_bytes(2_371_584 * 4)}, cache {in_bytes(expected.kv_cache_bytes)}" in first
    monkeypatch.setattr(finished_run, "load", None)
    monkeypatch.setattr(cost_check, "free_bytes", lambda device: 6 << 20)
    assert main(asked) == 3
    assert "6.00 MiB are free: add --dtype bfloat16" in capsys.readouterr().err
    monkeypatch.setattr(cost_check, "free_bytes", lambda device: 3 << 20)
    assert main([*asked, "--quiet"]) == 3
    assert "3.00 MiB are free: choose a smaller model" in capsys.readouterr().err
