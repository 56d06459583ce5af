"""What visitors bring lies in one closed folder, and is gone when the process is, however it ended."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
import pytest

from app.serving.own_folder import PREFIX, own_folder, sweep
from tests.support.commands import HANGING
from tests.support.proxy import free_port

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="locks and signals of POSIX")


def test_temporary_files_lie_in_it_and_go_with_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with own_folder() as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert folder.parent == tmp_path
        assert Path(tempfile.mkdtemp()).parent == folder
        assert os.environ["GRADIO_TEMP_DIR"].startswith(str(folder))
        assert sweep(tmp_path) == []  # it is in use
    assert list(tmp_path.iterdir()) == []
    assert tempfile.tempdir == str(tmp_path)


def test_folders_of_the_dead_are_swept_and_no_others(tmp_path: Path) -> None:
    dead = tmp_path / f"{PREFIX}dead"
    dead.mkdir()
    (dead / ".in-use").touch()
    (dead / "upload.png").touch()
    (tmp_path / f"{PREFIX}stranger").mkdir()  # without a lock it is none of ours
    (tmp_path / "other").mkdir()
    (tmp_path / f"{PREFIX}link").symlink_to(tmp_path / "other")
    assert sweep(tmp_path) == [dead]
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{PREFIX}link", f"{PREFIX}stranger", "other"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_that_was_uploaded_stays(number: signal.Signals, tmp_path: Path) -> None:
    port = free_port()
    named = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path), "GRADIO_SERVER_PORT": str(port)}
    command = [sys.executable, "-m", "app"]
    process = subprocess.Popen(command, cwd=tmp_path, env=named, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    while b"Running on" not in (line := process.stdout.readline()):
        assert line, "it ended before the page was there"
    files = {"files": ("secret.png", b"\x89PNG and more", "image/png")}
    answer = httpx.post(f"http://127.0.0.1:{port}/gradio_api/upload", files=files, timeout=60)
    (uploaded,) = map(Path, answer.json())
    assert uploaded.exists()
    (folder,) = tmp_path.glob(f"{PREFIX}*")
    assert folder in uploaded.parents
    process.send_signal(number)
    process.communicate(timeout=HANGING)
    if number == signal.SIGKILL:
        assert uploaded.exists()
        assert sweep(tmp_path) == [folder]
    assert list(tmp_path.glob(f"{PREFIX}*")) == []
    assert not uploaded.exists()
