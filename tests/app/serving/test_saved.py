"""Saved runs on the page without their models: the same answer, words and pictures as when they were made."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

import qwenvl
from app.serving.example_runs import FOLDER
from app.serving.saved import finished, pinned
from app.serving.session import Session
from app.views.payload import run_payload
from qwenvl.errors import RunError

QUESTION = "What shape is the green object?"


def saved(path: Path, picture: Path, model: str = "tiny-qwen-vl") -> qwenvl.Run:
    content = [{"type": "image", "image": str(picture)}, {"type": "text", "text": QUESTION}]
    qwenvl.load(model).run([{"role": "user", "content": content}], answer="diamond").save(path)
    return qwenvl.Run.load(path)


def test_a_saved_run_is_what_it_was(tmp_path: Path) -> None:
    picture = tmp_path / "mine.png"
    Image.effect_noise((90, 60), 80).convert("RGB").save(picture)
    run = saved(tmp_path / "a.run", picture)
    session = Session()
    ids = pinned(session, [run], tmp_path / "pictures")
    payload = run_payload(ids["A"], session.store.get(ids["A"]))
    assert payload["question"] == QUESTION
    assert payload["answer"] == "diamond"
    assert "".join(word["text"] for word in payload["words"]) == "diamond"
    conversation, _ = session.store.get(ids["A"]).answered()
    (kept,) = conversation.media
    assert Path(kept).name == "mine.png"
    assert Image.open(kept).tobytes() == Image.open(picture).tobytes()
    assert not session.models.is_loaded(session.models.first["A"])


def test_an_examples_picture_is_the_examples_file(tmp_path: Path) -> None:
    run = saved(tmp_path / "a.run", FOLDER / "shapes.png")
    assert finished(run, "A", tmp_path).conversation.media == (str(FOLDER / "shapes.png"),)
    other = tmp_path / "shapes.png"
    Image.new("RGB", run.media[0].size).save(other)
    run = saved(tmp_path / "b.run", other)
    assert finished(run, "A", tmp_path / "pictures").conversation.media != (str(FOLDER / "shapes.png"),)


def test_two_runs_stand_side_by_side_and_three_do_not(tmp_path: Path) -> None:
    run = saved(tmp_path / "a.run", FOLDER / "shapes.png")
    assert list(pinned(Session(), [run, run])) == ["A", "B"]
    for runs in ([], [run, run, run]):
        with pytest.raises(RunError, match="one run or two side by side"):
            pinned(Session(), runs)
