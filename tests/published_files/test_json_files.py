"""Holds the reader of a checkpoint's small files: what is no JSON of any text is refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from qwenvl.errors import CheckpointError
from qwenvl.published_files.json_files import read_json


def test_half_a_pair_of_surrogates_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"name": "\\ud83d\\ude00 \\u4e2d"}', encoding="utf-8")
    assert read_json(path) == {"name": "😀 中"}
    for half in ("\\udce9", "\\ud83d"):
        path.write_text(f'{{"a": [{{"{half}": 1}}]}}', encoding="utf-8")
        with pytest.raises(CheckpointError, match=r"config\.json of .* is not valid JSON"):
            read_json(path)
