"""`rows` writes the library's own rows of whole layers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from qwenvl.cli.main import main
from qwenvl.inference.run import Run


def test_rows_are_the_librarys(run_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, into = Run.load(run_file), tmp_path / "rows.npz"
    assert main(["rows", str(run_file), "--layers", "0", "2", "--head", "mean", "--into", str(into)]) == 0
    count = len(run.tokens)
    assert capsys.readouterr().out.splitlines() == [f"language.{layer}  {count} x {count}" for layer in (0, 2)]
    with np.load(into) as arrays:
        assert sorted(arrays) == ["language.0", "language.2"]
        expected = run.attention("language", query=None, layer=2, head="mean")
        np.testing.assert_array_equal(arrays["language.2"], expected.numpy())
    assert main(["rows", str(run_file), "--site", "adapter", "--into", str(into)]) == 0
    with np.load(into) as arrays:
        assert arrays["adapter.0"].shape == (run.num_heads("adapter"), 256, 256)
    assert list(tmp_path.iterdir()) == [into]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--into", "rows.txt"], "Rows are written as .npz, not .txt."),
        (["--layers", "99", "--into", "rows.npz"], "Language layer 99 does not exist"),
        (["--head", "²", "--into", "rows.npz"], "not an index"),
        (["--most", "1KiB", "--into", "rows.npz"], "All rows of this layer take"),
    ],
)
def test_what_cannot_be_written_is_one_sentence(
    run_file: Path,
    tmp_path: Path,
    arguments: list[str],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["rows", str(run_file), *arguments]) == 3
    said = capsys.readouterr().err
    assert sentence in said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []
