"""What Layers asks: kept answers stay within their room, are made once, and refuse what is no token or word."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from app.serving.session import Session
from app.views.layers import KEPT, Kept, lens, lens_token, lens_word
from qwenvl.errors import UserError


def test_what_outgrows_its_room_goes_least_used_first() -> None:
    kept = Kept(max_bytes=10)
    made: list[str] = []

    def make(key: str) -> str:
        made.append(key)
        return key

    for key in ("a", "b", "a", "c", "a", "b"):
        assert kept.get(key, lambda key=key: make(key), lambda value: 4) == key
    assert made == ["a", "b", "c", "b"]
    assert kept.nbytes <= 10


def test_two_who_ask_at_once_get_one_answer() -> None:
    kept, made = Kept(max_bytes=100), []

    def make() -> list[int]:
        made.append(1)
        time.sleep(0.05)
        return made

    threads = [threading.Thread(target=kept.get, args=("key", make, lambda value: 1)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]
    with pytest.raises(ZeroDivisionError):
        kept.get("bad", lambda: 1 / 0, lambda value: 1)
    assert kept.get("bad", lambda: 2, lambda value: 1) == 2


@pytest.mark.parametrize("asked", [{}, {"token": -1}, {"token": True}, {"token": 10**6}, {"text": ""}, {"text": 3}])
def test_no_such_word_is_one_sentence(tiny_session: Session, asked: dict[str, Any]) -> None:
    run = tiny_session.example(tiny_session.examples()[0]["name"])["A"]
    with pytest.raises(UserError):
        lens_word(tiny_session.store.get, {"run": run, "media": 0, **asked})
    if "text" not in asked:
        with pytest.raises(UserError):
            lens_token(tiny_session.store.get, {"run": run, **asked})


def test_a_run_that_is_gone_is_refused_though_its_lens_is_kept(tiny_session: Session) -> None:
    run = tiny_session.example(tiny_session.examples()[0]["name"])["A"]
    lens(tiny_session.store.get, {"run": run})
    assert KEPT.nbytes > 0
    with pytest.raises(UserError):
        lens(tiny_session.store.get, {"run": "nothing"})
