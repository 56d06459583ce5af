"""Files appear whole or not at all, and progress goes to standard error."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from qwenvl.cli import output
from qwenvl.cli.output import OutputError, whole_file


def test_progress_in_a_log_is_a_line_every_ten_seconds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([100.0, 100.5, 109.0, 110.5, 111.0])
    monkeypatch.setattr(output, "time", SimpleNamespace(monotonic=lambda: next(clock)))  # other threads keep theirs
    progress = output.Progress(quiet=False)
    progress.say("loading it")
    for words in ("0.1 GiB", "0.2 GiB", "0.3 GiB", "0.4 GiB"):
        progress.say(words, often=True)
    assert capsys.readouterr().err == "loading it\n0.3 GiB\n"


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    wanted = tmp_path / "report.json"
    wanted.write_text("what was there before", encoding="utf-8")

    def write_half() -> None:
        with whole_file(wanted) as path:
            path.write_text("half of it", encoding="utf-8")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert wanted.read_text(encoding="utf-8") == "what was there before"
    assert list(tmp_path.iterdir()) == [wanted]
    with whole_file(wanted) as path:
        path.write_text("all of it", encoding="utf-8")
    assert wanted.read_text(encoding="utf-8") == "all of it"
    assert list(tmp_path.iterdir()) == [wanted]
    with pytest.raises(OutputError, match="cannot be written"), whole_file(tmp_path / "nowhere" / "a.json"):
        pass
