"""`ask` and `trace` say and keep what the library answers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import qwenvl
from qwenvl.cli.main import main
from qwenvl.inference.report import run_report
from qwenvl.inference.run import Run
from tests.support.commands import HANGING

QUESTION = "What shape is the green object?"
PICTURE = str(Path(__file__).parents[2] / "app" / "examples" / "shapes.png")


def test_ask_streams_the_librarys_answer(capsys: pytest.CaptureFixture[str]) -> None:
    content = [{"type": "image", "image": PICTURE}, {"type": "text", "text": QUESTION}]
    expected = qwenvl.load("tiny-qwen2-vl").run([{"role": "user", "content": content}], temperature=0, seed=0)
    assert main(["ask", QUESTION, "--about", PICTURE]) == 0
    said = capsys.readouterr()
    assert said.out == expected.answer + "\n"
    assert "loading tiny-qwen2-vl" in said.err
    assert main(["ask", QUESTION, "--about", PICTURE, "--json", "--quiet", "--max-new-tokens", "2"]) == 0
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert (told["answer_tokens"], told["visual_tokens"], said.err) == (2, expected.media[0].num_tokens, "")


def test_trace_writes_a_run_that_holds_its_answer(run_file: Path) -> None:
    run = Run.load(run_file)
    report = run_report(run, words=True)
    assert "".join(word["text"] for word in report["words"]).startswith(run.answer)
    assert report["visual_tokens"] == 256
    assert report["prompt_tokens"] + report["answer_tokens"] == len(run.tokens)
    assert list(run_file.parent.iterdir()) == [run_file]


@pytest.mark.parametrize(("keep", "sites"), [("language", {"language"}), ("nothing", set()), ("1MiB", {"language"})])
def test_a_trace_keeps_what_is_asked_for(tmp_path: Path, keep: str, sites: set[str]) -> None:
    into = tmp_path / "kept.run"
    assert main(["trace", QUESTION, "--about", PICTURE, "--keep", keep, "--into", str(into), "--quiet"]) == 0
    kept = Run.load(into).kept
    assert {name.split(".")[0] for name in kept} == sites
    if keep == "1MiB":
        assert sum(value.numel() * value.element_size() for value in kept.values()) <= 1 << 20


@pytest.mark.slow
def test_an_interrupted_trace_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "qwenvl", "trace", "Tell me all of it.", "--about", PICTURE, "--into", "all.run"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr is not None
    while not process.stderr.readline().startswith("loading"):
        pass  # the tiny model answers in a blink: no waiting here
    process.send_signal(signal.SIGINT)
    said: Any = process.stderr.read()
    assert process.wait(timeout=HANGING) == 130
    assert "Interrupted" in said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []
