"""`look` is the run's own row."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qwenvl.cli.main import main
from qwenvl.inference.run import Run


def test_look_is_the_runs_own_row(run_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = Run.load(run_file)
    asked = ["look", str(run_file), "--layer", "2", "--query", str(run.answer_start), "--head", "1"]
    assert main([*asked, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    row = run.attention("language", layer=2, query=run.answer_start, head=1)
    assert told["row"] == row.tolist()
    assert told["share"] == pytest.approx(float(row[run.visual[0]].sum()), abs=1e-6)
    assert main(asked) == 0
    assert f"{told['keys']:,} keys" in capsys.readouterr().out
    assert main(["look", str(run_file), "--site", "adapter", "--query", "40", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert sum(told["row"]) == pytest.approx(1, abs=1e-5)
    assert told["share"] == pytest.approx(1, abs=1e-5)
    assert main(["look", str(run_file), "--query", "40"]) == 3
    assert "Say which layer of language: 0 to 3." in capsys.readouterr().err
