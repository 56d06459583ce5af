"""A view of saved runs as a file: the choice is held within the run."""

from __future__ import annotations

from pathlib import Path

import pytest

import qwenvl
from app.exports.saved_runs import drawn
from app.serving.example_runs import FOLDER
from qwenvl.errors import RunError

QUESTION = "What shape is the green object?"


def saved(path: Path, picture: Path, model: str = "tiny-qwen-vl") -> qwenvl.Run:
    content = [{"type": "image", "image": str(picture)}, {"type": "text", "text": QUESTION}]
    qwenvl.load(model).run([{"role": "user", "content": content}], answer="diamond").save(path)
    return qwenvl.Run.load(path)


def test_a_choice_outside_the_run_is_one_sentence(tmp_path: Path) -> None:
    run = saved(tmp_path / "a.run", FOLDER / "shapes.png")
    for choice in ({"word": 99}, {"layer": 99}, {"head": "all"}, {"media": 4}):
        with pytest.raises(RunError):
            drawn([run], kind="svg", view="answer", choice=choice)
    assert b"head 1" in drawn([run], kind="svg", view="answer", choice={"head": 1, "layer": 0})
