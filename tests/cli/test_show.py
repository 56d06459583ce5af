"""`show` and `serve`: saved runs as figures, and as the page."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from qwenvl.cli.main import main
from tests.support.commands import HANGING


@pytest.mark.slow
@pytest.mark.parametrize(("suffix", "begins"), [("svg", b"<?xml"), ("pdf", b"%PDF"), ("html", b"<!doctype html>")])
def test_show_writes_a_view(run_file: Path, tmp_path: Path, suffix: str, begins: bytes) -> None:
    into = tmp_path / f"view.{suffix}"
    assert main(["show", str(run_file), "--into", str(into), "--word", "0", "--layer", "1", "--head", "mean"]) == 0
    content = into.read_bytes()
    assert content.startswith(begins)
    if suffix == "svg":
        assert b"language layer 1, mean of" in content
    if suffix == "html":
        assert b"tiny-qwen-vl" in content
    assert list(tmp_path.iterdir()) == [into]


@pytest.mark.slow
def test_serve_opens_the_page_on_a_saved_run(run_file: Path) -> None:
    import httpx

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "qwenvl", "serve", str(run_file), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert f":{port}" in first
        assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 200
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=HANGING)


def test_a_view_of_no_known_kind_is_refused(run_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(run_file), "--into", str(tmp_path / "view.docx")]) == 3
    assert "written as .svg, .pdf, .html, not .docx" in capsys.readouterr().err
    assert main(["show", str(run_file), "--into", str(tmp_path / "view.svg"), "--word", "99"]) == 3
    assert "word must be a whole number" in capsys.readouterr().err
    assert main(["show", str(run_file), "--as", "anwser", "--into", str(tmp_path / "view.svg")]) == 3
    assert "There is no view 'anwser': choose one of pipeline, patches" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
