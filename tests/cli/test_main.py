"""The sentences and exit codes of the command line, whatever goes wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from qwenvl.cli import finished_run
from qwenvl.cli.main import main
from tests.support.commands import HANGING

PICTURE = str(Path(__file__).parents[2] / "app" / "examples" / "shapes.png")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["plan", "nowhere.png"], "There is no file nowhere.png"),
        (["plan", "9x9", "--of", "Qwen9"], "There is no preset 'Qwen9'"),
        (["plan", "30000x2"], "one side 15,000.0 times the other"),
        (["ask", " "], "question"),
        (["ask", "Hi?", "--about", "nowhere.png"], "There is no file nowhere.png"),
        (["ask", "Hi?", "--of", "nowhere"], "There is no checkpoint 'nowhere'"),
        (["ask", "Hi?", "--max-new-tokens", "0"], "max_new_tokens is 0"),
        (["plan", "9x9", "--answer-tokens", "-5"], "answer_tokens is a whole number from 0 up"),
        (["trace", "Hi?", "--into", "nowhere/a.run"], "nowhere/a.run cannot be written"),
        (["compare", "Hi?", "--into", "."], ". cannot be written"),
        (["look", "nowhere.run", "--query", "1"], "There is no run file nowhere.run"),
        (["show", "nowhere.run", "--into", "a.svg"], "There is no run file nowhere.run"),
        (["serve", "nowhere.run"], "There is no run file nowhere.run"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_code_3(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finished_run, "load", None)  # and no model is loaded before it is said
    assert main([*arguments, "--quiet"]) == 3
    said = capsys.readouterr()
    assert sentence in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    "arguments",
    [
        *([], ["nothing"], ["look", "a.run"], ["plan"], ["plan", "9x9", "--fps", "fast"]),
        *(["plan", "9x9", "--json", "--csv"], ["plan", "9x9", "--toolchains", "--csv"]),
        *(["plan", "9x9", "--toolchains", "--max-pixels", "3136"], ["ask", "Hi?", "--dtype", "int32"]),
        *(["ask", "Hi?", "--max-new-tokens", "many"], ["trace", "Hi?", "--into", "a.run", "--keep", "some"]),
    ],
)
def test_wrong_arguments_are_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["", "plan", "ask", "trace", "look", "show", "compare", "serve"])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([*filter(None, [command]), "--help"])
    assert end.value.code == 0
    said = capsys.readouterr().out
    assert "usage: qwenvl" in said
    assert command or "Exit codes: 0 done" in said


@pytest.mark.parametrize("arguments", [["ask", "What", "is", "this"], ["ask", "--about", PICTURE, "What is this?"]])
def test_a_question_without_its_marks_is_told_how_to_write_it(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert "usage: qwenvl ask" in said
    assert "Put the question in quotation marks" in said


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="pipes that close, and a device that is full")
def test_a_reader_who_leaves_and_a_full_disk_are_no_defect(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "qwenvl", "ask", "Tell me all of it.", "--about", PICTURE, "--quiet"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    assert process.stdout is not None
    process.stdout.read(1)
    process.stdout.close()
    _, said = process.communicate(timeout=HANGING)
    assert (process.returncode, said) == (0, b"")
    if not Path("/dev/full").exists():
        return
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, env=environment, timeout=HANGING, check=False
        )
    assert (done.returncode, done.stderr) == (3, b"qwenvl ask: The disk is full: free some room, and ask again.\n")
