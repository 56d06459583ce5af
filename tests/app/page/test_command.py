"""The command line of the page: which models it takes, what it refuses, and with which sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.asking.failures import TooLarge
from app.models.catalogue import FINE
from app.page import command
from app.page.command import main


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The sessions that would have been served."""
    sessions: list[Any] = []
    monkeypatch.setattr(command, "launch", lambda session, **_: sessions.append(session))
    return sessions


@pytest.mark.parametrize(
    ("arguments", "families"),
    [
        ([], ["qwen-vl", "qwen2-vl"]),
        (["tiny-qwen2-vl", "tiny-qwen-vl"], ["qwen2-vl", "qwen-vl"]),
        (["--models", "tiny-qwen2-vl", "tiny-qwen2-vl"], ["qwen2-vl", "qwen2-vl"]),
    ],
)
def test_any_two_models_in_any_order(served: list[Any], arguments: list[str], families: list[str]) -> None:
    main(arguments)
    (session,) = served
    assert [card["family"] for card in session.model_cards()] == families
    assert not any(
        session.models.is_loaded(session.models.first[letter]) for letter in "AB"
    )  # nothing is loaded before it is asked


def test_more_than_two_are_offered(served: list[Any]) -> None:
    main(["tiny-qwen2-vl", "tiny-qwen2-vl", "tiny-qwen-vl"])
    assert served[0].models.catalogue.labels == ["tiny-qwen2-vl", "tiny-qwen-vl", *FINE]


def test_number_format_and_memory_are_those_of_the_command_line(served: list[Any]) -> None:
    main(["--dtype", "bfloat16", "--memory", "4MiB"])
    (session,) = served
    assert {letter: chosen["dtype"] for letter, chosen in session.choice()["value"].items()} == {
        "A": "bfloat16",
        "B": "bfloat16",
    }
    assert session.models.pool.max_bytes == 4 << 20
    with pytest.raises(TooLarge, match=r"there is room for 4 MiB: choose a smaller model"):
        session.pipeline("B")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["tiny-qwen-vl"], "name two models, A and B, or none"),
        (["--memory", "lots"], "'lots' is no size such as 8GiB"),
        (["--dtype", "int32"], "invalid choice: 'int32'"),
        (["tiny-qwen-vl", "tiny-qwen3-vl"], "There is no checkpoint 'tiny-qwen3-vl'"),
        (["Qwen2-VL-7B", "tiny-qwen-vl"], "Qwen2-VL-7B is a preset without weights"),
    ],
)
def test_what_cannot_be_served_is_one_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert sentence in capsys.readouterr().err


def test_a_folder_without_a_checkpoint_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([str(tmp_path), "tiny-qwen2-vl"])
    said = capsys.readouterr().err
    assert "error:" in said
    assert "Traceback" not in said


def test_a_quantised_checkpoint_is_refused_before_the_page_opens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = {"model_type": "qwen2_vl", "quantization_config": {"quant_method": "gptq"}}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["tiny-qwen-vl", str(tmp_path)])
    assert f"{tmp_path.name} is quantised (gptq)" in capsys.readouterr().err
