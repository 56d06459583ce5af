"""Starts `python -m app` where ports are taken and signals come at any moment."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.commands import HANGING
from tests.support.proxy import free_port

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")]


def started(temporary: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    named = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary), **environment}
    command = [sys.executable, "-m", "app", *arguments]
    return subprocess.Popen(
        command, cwd=temporary, env=named, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after", [1.0, 2.5, 5.0])
def test_a_signal_while_it_starts_is_one_line(after: float, number: signal.Signals, tmp_path: Path) -> None:
    process = started(tmp_path, GRADIO_SERVER_PORT=str(free_port()))
    time.sleep(after)
    process.send_signal(number)
    _, err = process.communicate(timeout=HANGING)
    assert process.returncode == (130 if number == signal.SIGINT else 143), err
    assert "Traceback" not in err
    assert err.count("The page is closed.") == 1
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("module", ["argparse", "torch", "gradio"])
def test_a_signal_while_modules_are_read_in_is_one_line(
    module: str, number: signal.Signals, code: int, tmp_path: Path
) -> None:
    (tmp_path / f"{module}.py").write_text("import time\nprint('reading', flush=True)\ntime.sleep(60)\n")
    process = started(tmp_path, PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)]))
    assert process.stdout is not None
    assert process.stdout.readline() == "reading\n"
    process.send_signal(number)
    _, err = process.communicate(timeout=HANGING)
    assert process.returncode == code, err
    assert len(err.strip().splitlines()) == 1, err
    assert "The page is closed." in err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_closes_the_page_and_leaves_nothing(number: signal.Signals, code: int, tmp_path: Path) -> None:
    process = started(tmp_path, GRADIO_SERVER_PORT=str(free_port()))
    assert process.stdout is not None
    while "Running on" not in (line := process.stdout.readline()):
        assert line, "it ended before the page was there"
    process.send_signal(number)  # the examples are being answered
    _, err = process.communicate(timeout=HANGING)
    assert process.returncode == code, err
    assert "Traceback" not in err
    assert err.count("The page is closed.") == 1


def test_a_port_that_is_taken_or_none_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        for port, why in ((str(taken.getsockname()[1]), "is taken"), ("nowhere", "is no port")):
            for process in (started(tmp_path, GRADIO_SERVER_PORT=port), started(tmp_path, "--port", port)):
                _, err = process.communicate(timeout=HANGING)
                assert process.returncode == 3
                assert why in err
                assert err.count("\n") == 1


def test_the_port_that_is_asked_for_is_served(tmp_path: Path) -> None:
    port = free_port()
    process = started(tmp_path, "--port", str(port), GRADIO_SERVER_PORT="nowhere")
    assert process.stdout is not None
    while "Running on" not in (line := process.stdout.readline()):
        assert line, "it ended before the page was there"
    assert f":{port}" in line
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=HANGING)
    assert process.returncode == 143
