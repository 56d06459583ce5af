"""Runs the command line where things are otherwise: other encodings, signals at any moment, ports and disks."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from qwenvl.cli.app_bridge import FaceError, check_port
from qwenvl.cli.output import OutputError, whole_file
from qwenvl.errors import RunError
from tests.support.tiny import mosaic

posix = pytest.mark.skipif(os.name != "posix", reason="signals and encodings of POSIX")


def started(*arguments: str | bytes, cwd: Path, **environment: str) -> subprocess.Popen[bytes]:
    """`python -m qwenvl` at work."""
    named = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environment}
    command: list[Any] = [sys.executable, "-m", "qwenvl", *arguments]
    return subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=named)


# --- encodings ---


@posix
@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_names_and_words_of_any_kind_are_written(encoding: str, tmp_path: Path) -> None:
    name = b"caf\xe9 \xe5\x9b\xbe.png"  # half of it is no UTF-8
    try:
        mosaic(4, 4).save(tmp_path / os.fsdecode(name))
    except (OSError, UnicodeError):
        pytest.skip("this disk takes UTF-8 names alone")
    environment = {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "LC_ALL": "C"}
    for arguments in (
        ["plan", name, "nowhere-é.png", "--of", "Qwen2-VL-2B"],
        ["plan", name, "--of", "tiny-qwen-vl", "--json"],
        ["trace", b"What is \xe9 \xe5\x9b\xbe?", "--about", name, "--into", "a.run", "--max-new-tokens", "2", "--json"],
        ["ask", "图?", "--about", "no-图.png"],
    ):
        process = started(*arguments, cwd=tmp_path, **environment)
        out, err = process.communicate(timeout=120)
        assert b"Traceback" not in err
        assert process.returncode in (0, 3), err
        out.decode(encoding)
    assert (tmp_path / "a.run").exists()


# --- signals ---


@posix
@pytest.mark.slow
@pytest.mark.parametrize("after", [0.15, 0.4, 0.8, 1.3, 2.0, 3.0])
def test_ctrl_c_at_any_moment_is_one_line(after: float, tmp_path: Path) -> None:
    mosaic(8, 8).save(tmp_path / "a.png")
    arguments = ["trace", "Tell me all of it.", "--about", "a.png", "--into", "all.run", "--max-new-tokens", "60"]
    process = started(*arguments, cwd=tmp_path)
    time.sleep(after)
    finished = process.poll() is not None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert b"Traceback" not in err
    assert process.returncode in ((0,) if finished else (130, 0)), err
    if process.returncode == 130:
        assert err.count(b"Interrupted") == 1
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png"]


@posix
@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("module", ["argparse", "torch"])  # one of the first, and the slowest
def test_a_signal_while_modules_are_read_in_is_one_line(
    module: str, number: signal.Signals, code: int, tmp_path: Path
) -> None:
    (tmp_path / f"{module}.py").write_text("import time\nprint('reading', flush=True)\ntime.sleep(60)\n")
    mosaic(4, 4).save(tmp_path / "a.png")
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])
    process = started("ask", "What?", "--about", "a.png", cwd=tmp_path, PYTHONPATH=path)
    assert process.stdout is not None
    assert process.stdout.readline() == b"reading\n"
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert len(err.strip().splitlines()) == 1, err


@posix
@pytest.mark.slow
def test_sigterm_cleans_up_unfinished_files(tmp_path: Path) -> None:
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom qwenvl.cli import main as cli, output\n"
        "def slow(*_):\n"
        "    with output.whole_file('all.run') as path:\n"
        "        path.write_text('half'); print('begun', flush=True); time.sleep(60)\n"
        "cli._run = slow\nsys.exit(cli.main([]))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, env=environment, **pipes)
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        assert [path.name[:12] for path in tmp_path.iterdir()] == [".unfinished-"]
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
        assert (process.returncode, b"Traceback" in err) == (code, False)
        assert err.count(b"no file was written") == 1
        assert list(tmp_path.iterdir()) == []


# --- ports ---


@pytest.mark.parametrize("port", ["abc", "0", "-1", "65536", "99999999999999", "80.5", "", "0x50"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(FaceError, match="is no port; choose a number from 1 to 65535"):
        check_port(port)


def test_a_port_that_is_taken_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(FaceError, match="is taken; choose another"):
            check_port(taken.getsockname()[1])
    check_port(None)


@pytest.mark.slow
def test_serve_says_so_before_it_starts(tmp_path: Path) -> None:
    mosaic(4, 4).save(tmp_path / "a.png")
    trace = ["trace", "What?", "--about", "a.png", "--into", "a.run", "--max-new-tokens", "1"]
    tracing = started(*trace, cwd=tmp_path)
    tracing.communicate(timeout=120)
    assert tracing.returncode == 0
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for arguments, environment in (
            (["serve", "a.run", "--port", port], {}),
            (["serve", "a.run"], {"GRADIO_SERVER_PORT": port}),
            (["serve", "a.run"], {"GRADIO_SERVER_PORT": "nowhere"}),
            (["app"], {"GRADIO_SERVER_PORT": port}),
            (["app", "--port", port], {}),
            (["app", "--port", "99999"], {}),
            (["app"], {"GRADIO_SERVER_PORT": "nowhere"}),
        ):
            process = started(*arguments, cwd=tmp_path, **environment)
            _, err = process.communicate(timeout=120)
            assert process.returncode == 3, err
            assert err.count(b"\n") == 1
            assert b"choose a" in err


# --- disks ---


def test_what_cannot_be_written_is_told_by_the_name_that_was_given(tmp_path: Path) -> None:
    def save() -> None:
        with whole_file(tmp_path / "cat.run") as path:
            raise RunError(f"{path.name} cannot be written; choose a folder that exists and has room.")

    with pytest.raises(RunError, match=r"^cat\.run cannot be written"):
        save()

    def write() -> None:
        with whole_file(tmp_path / "cat.svg"):
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match=r"cat\.svg cannot be written; .* has room"):
        write()
    assert list(tmp_path.iterdir()) == []
