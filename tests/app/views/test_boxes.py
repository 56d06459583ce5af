"""What Boxes asks of the server: the library's own numbers, and sentences for what cannot be asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.serving.api import server_functions
from app.serving.session import Session
from tests.support.kept import keep


@pytest.fixture
def ask(tiny_session: Session) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return next(one for one in server_functions(tiny_session) if one.__name__ == "boxes")


@pytest.mark.slow
def test_boxes_are_the_librarys_in_three_spaces(ask: Callable[..., Any], tiny_session: Session) -> None:
    for run_id in tiny_session.example("where").values():
        run = tiny_session.store.get(run_id).run
        media = run.media[0]
        (told,), (box,) = ask({"run": run_id, "media": 0})["boxes"], run.boxes()
        assert told["written"] == list(box.written)
        assert told["phrase"] == box.phrase == "yellow cross"
        assert told["coordinates"] == [list(tokens) for tokens in box.coordinates]
        for edge in range(4):
            thousandth = box.written[edge] / 1000
            assert told["original"][edge] == pytest.approx(thousandth * media.size[edge % 2])
            assert told["resized"][edge] == pytest.approx(thousandth * media.resized[edge % 2])


def test_what_is_not_there_is_one_sentence(tiny_session: Session, ask: Callable[..., Any], tmp_path: Path) -> None:
    Image.new("RGB", (60, 40)).save(tmp_path / "plain.png")
    ids = keep(tiny_session, {"A": "a cat"}, [tmp_path / "plain.png"])
    assert ask({"run": ids["A"], "media": 0}) == {"boxes": []}
    for asked in ({"run": ids["A"], "media": 1}, {"run": "x", "media": 0}):
        assert list(ask(asked)) == ["error"]
