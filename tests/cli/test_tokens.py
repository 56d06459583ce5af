"""`tokens` lists the run's own tokens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qwenvl.cli.main import main
from qwenvl.inference.run import Run


def test_tokens_are_the_runs_own(run_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = Run.load(run_file)
    assert main(["tokens", str(run_file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(row["index"], row["id"], row["text"]) for row in told] == [
        (index, token.id, token.text) for index, token in enumerate(run.tokens)
    ]
    assert [row["position"] for row in told] == run.positions.T.tolist()
    assert main(["tokens", str(run_file), "--no-visual"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["index", "id", "kind", "section", "media", "cell", "position", "text"]
    assert [int(line.split()[0]) for line in lines] == [row["index"] for row in told if row["media"] is None]
    assert main(["tokens", str(run_file), "--into", str(tmp_path)]) == 3
