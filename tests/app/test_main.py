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
@pytest.mark.parametrize("after", [0.3, 1.0, 2.5, 5.0])
def test_a_signal_while_it_starts_is_one_line(after: float, number: signal.Signals, tmp_path: Path) -> None:
    process = started(tmp_path, GRADIO_SERVER_PORT=str(free_port()))
    time.sleep(after)
    process.send_signal(number)
    _, err = process.communicate(timeout=HANGING)
    assert process.returncode in ({130} if number == signal.SIGINT else {143, -signal.SIGTERM}), err
    assert "Traceback" not in err
    assert err.count("The page is closed.") == (0 if process.returncode < 0 else 1)


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
            process = started(tmp_path, GRADIO_SERVER_PORT=port)
            _, err = process.communicate(timeout=HANGING)
            assert process.returncode == 3
            assert why in err
            assert err.count("\n") == 1
