"""The command line of the page: what it refuses, and with which sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.__main__ import main


@pytest.mark.parametrize("models", [["tiny-qwen-vl"], ["tiny-qwen2-vl", "tiny-qwen-vl"]])
def test_one_model_of_each_family_in_order(models: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(models)
    assert "name a Qwen-VL first and a Qwen2-VL second" in capsys.readouterr().err


def test_a_folder_without_a_checkpoint_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([str(tmp_path), "tiny-qwen2-vl"])
    said = capsys.readouterr().err
    assert "error:" in said
    assert "Traceback" not in said
